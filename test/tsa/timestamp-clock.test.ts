import t from 'tap'
import { LogError } from '../../src/errors.js'
import type { GenTimeRecord } from '../../src/tsa/contract.js'
import { createTestClock, memoryRecord } from '../helpers/tsa-service.js'
import { refusalText } from '../helpers/refusals.js'
import { OWN_TIME_SECONDS } from '../helpers/tsa-vectors.js'

const START = OWN_TIME_SECONDS

t.test('whole seconds, rounded down', async (t) => {
  const site = await createTestClock()
  site.wallMs += 999
  t.equal(site.clock.next().seconds, START)
  site.wallMs += 1
  t.equal(site.clock.next().seconds, START + 1)
  t.same(site.events, [])
})

t.test('small steps back repeat the last time, and do not add up', async (t) => {
  const site = await createTestClock()
  t.equal(site.clock.next().seconds, START)
  site.wallMs -= 1500
  t.equal(site.clock.next().seconds, START)
  for (let i = 0; i < 100; i++) {
    site.pass(60)
    site.wallMs -= 1500
    t.equal(site.clock.next().seconds, Math.floor(site.wallMs / 1000))
  }
  t.same(site.events, [])
})

t.test('a step back is refused until the clock is right again', async (t) => {
  const site = await createTestClock()
  site.clock.next()
  site.pass(100)
  site.clock.next()
  site.wallMs -= 3600_000
  for (let i = 0; i < 3; i++) {
    t.match(
      await refusalText(() => site.clock.next()),
      /^internal: the clock is 3600 seconds behind what it must show: set it right/
    )
  }
  t.same(site.events, [{ type: 'clock_stepped_back', seconds: 3600 }])
  site.pass(60)
  t.match(await refusalText(() => site.clock.next()), /3600 seconds/)
  site.wallMs += 3600_000
  t.equal(site.clock.next().seconds, START + 160)
  t.same(site.events[1], { type: 'clock_recovered' })
})

t.test('a step back of an idle authority, still after its last timestamp', async (t) => {
  const site = await createTestClock()
  site.clock.next()
  site.pass(7200)
  site.wallMs -= 3600_000
  t.match(await refusalText(() => site.clock.next()), /3600 seconds/)
})

t.test('small steps of an idle authority are forgotten where it looks now and then', async (t) => {
  const site = await createTestClock()
  for (let i = 0; i < 10; i++) {
    site.pass(10)
    site.wallMs -= 1000
    site.clock.check()
  }
  t.equal(site.clock.next().seconds, START + 90)

  const blind = await createTestClock()
  blind.pass(100)
  blind.wallMs -= 10_000
  t.match(await refusalText(() => blind.clock.next()), /10 seconds/)
})

t.test('who looks is told without a request', async (t) => {
  const site = await createTestClock()
  site.wallMs -= 5000
  site.clock.check()
  site.clock.check()
  t.same(site.events, [{ type: 'clock_stepped_back', seconds: 5 }])
})

t.test('a step forward is told and taken', async (t) => {
  const site = await createTestClock()
  site.wallMs += 3600_000
  t.equal(site.clock.next().seconds, START + 3600)
  t.same(site.events, [{ type: 'clock_stepped_forward', seconds: 3600 }])
  site.clock.next()
  t.equal(site.events.length, 1, 'once')
  site.wallMs -= 3600_000
  t.match(await refusalText(() => site.clock.next()), /3600 seconds/)
})

t.test('a clock that is right although it was set back', async (t) => {
  const site = await createTestClock()
  site.wallMs -= 3600_000
  t.match(await refusalText(() => site.clock.next()), /3600 seconds/)
  site.clock.confirm()
  t.equal(site.clock.next().seconds, START - 3600)
  t.match(site.events, [{ type: 'clock_stepped_back' }, { type: 'clock_recovered' }])

  const used = await createTestClock()
  used.clock.next()
  used.wallMs -= 3600_000
  used.clock.confirm()
  t.match(await refusalText(() => used.clock.next()), /3600 seconds/, 'not below what was issued')
})

t.test('a restart with a clock behind the last timestamp', async (t) => {
  const site = await createTestClock(memoryRecord(START + 60))
  t.match(await refusalText(() => site.clock.next()), /60 seconds/)
  site.pass(59)
  t.equal(site.clock.next().seconds, START + 60, 'within the tolerance')
  const later = await createTestClock(memoryRecord(START - 60))
  t.equal(later.clock.next().seconds, START)
})

t.test('one write a second, and nothing leaves before it', async (t) => {
  const written: number[] = []
  const open: (() => void)[] = []
  const record: GenTimeRecord = {
    read: async () => undefined,
    write: (seconds) => {
      written.push(seconds)
      return new Promise((resolve) => open.push(resolve))
    }
  }
  const site = await createTestClock(record)
  const done: number[] = []
  const ask = (): Promise<void> => {
    const { seconds, recorded } = site.clock.next()
    return recorded.then(() => {
      done.push(seconds)
    })
  }
  const first = Array.from({ length: 100 }, ask)
  t.same(written, [START])
  site.pass(1)
  const second = Array.from({ length: 100 }, ask)
  t.same(written, [START, START + 1])
  await new Promise((resolve) => setImmediate(resolve))
  t.same(done, [], 'all wait')
  open[1]?.()
  await Promise.all(second)
  t.equal(done.length, 100)
  t.ok(done.every((seconds) => seconds === START + 1))
  open[0]?.()
  await Promise.all(first)
  await ask()
  t.same(written, [START, START + 1], 'the second is known')
})

t.test('a record that cannot be written', async (t) => {
  let fails = true
  const written: number[] = []
  const site = await createTestClock({
    read: async () => undefined,
    write: async (seconds) => {
      if (fails) throw new LogError('internal', 'disk full')
      written.push(seconds)
    }
  })
  const first = site.clock.next()
  const second = site.clock.next()
  t.equal(await refusalText(() => first.recorded), 'internal: disk full')
  t.equal(await refusalText(() => second.recorded), 'internal: disk full')
  fails = false
  await site.clock.next().recorded
  t.same(written, [START])
})
