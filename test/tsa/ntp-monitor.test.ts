import t from 'tap'
import { LogError } from '../../src/errors.js'
import {
  type NtpEvent,
  type NtpMonitorOptions,
  startNtpMonitor
} from '../../src/tsa/ntp-monitor.js'
import { type NtpServer, querySntp } from '../../src/tsa/sntp-client.js'
import { startFakeNtp } from '../helpers/fake-ntp.js'

type Answers = Readonly<Record<string, number | 'silent'>>

const serversOf = (answers: Answers): readonly NtpServer[] =>
  Object.keys(answers).map((host) => ({ host, port: 123 }))

/** A monitor whose servers answer as told, offsets in seconds; `rounds(n)` waits for n verdicts. */
function start(
  t: { teardown(action: () => unknown): void },
  answers: Answers,
  options: Partial<NtpMonitorOptions> = {}
) {
  const events: NtpEvent[] = []
  const asked: string[] = []
  const current = { answers }
  let agreements = 0
  const monitor = startNtpMonitor({
    servers: serversOf(answers),
    serversPerRound: 4,
    attempts: 3,
    threshold: 3,
    maxDeltaSeconds: 6,
    periodSeconds: 0.005,
    onDisagreement: 'report',
    query: async ({ host }) => {
      asked.push(host)
      const answer = current.answers[host]
      if (typeof answer !== 'number') throw new LogError('timeout', 'did not answer')
      return { offsetMs: answer * 1000, roundTripMs: 1 }
    },
    monotonicMs: () => performance.now(),
    randomBelow: () => 0,
    onAgreement: () => agreements++,
    observer: (event) => events.push(event),
    ...options
  })
  t.teardown(() => monitor.close())
  const verdicts = () => events.filter(({ type }) => type === 'verdict').length
  const rounds = async (count: number): Promise<void> => {
    const wanted = verdicts() + count
    while (verdicts() < wanted) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { monitor, events, asked, current, rounds, agreements: () => agreements }
}

t.test('verdicts', async (t) => {
  const cases: readonly (readonly [string, Answers, string])[] = [
    ['all agree', { a: 0, b: 1, c: -6, d: 6 }, 'agrees'],
    ['one is far off', { a: 0, b: 0, c: 0, d: 100 }, 'agrees'],
    ['one is silent', { a: 0, b: 0, c: 0, d: 'silent' }, 'agrees'],
    ['two are far off', { a: 0, b: 0, c: 6.001, d: -6.001 }, 'invalid_time'],
    ['one is silent, one far off', { a: 0, b: 0, c: 'silent', d: 7 }, 'invalid_time'],
    ['two are silent', { a: 0, b: 0, c: 'silent', d: 'silent' }, 'too_few'],
    ['two far off, two silent', { a: 9, b: 9, c: 'silent', d: 'silent' }, 'too_few'],
    ['all are silent', { a: 'silent', b: 'silent' }, 'too_few']
  ]
  for (const [name, answers, verdict] of cases) {
    const { monitor, rounds, agreements } = start(t, answers)
    t.equal(monitor.verdict(), undefined, name)
    await rounds(1)
    t.equal(monitor.verdict(), verdict, name)
    t.equal(agreements() > 0, verdict === 'agrees')
    t.equal(monitor.problem(), undefined, 'only told')
    await monitor.close()
  }
})

t.test('refusing, and what ends it', async (t) => {
  const good = { a: 0, b: 0, c: 0 }
  const { monitor, rounds, current } = start(t, good, { onDisagreement: 'refuse' })
  t.equal(monitor.problem(), undefined, 'nobody has said anything yet')
  await rounds(1)
  t.equal(monitor.problem(), undefined)
  current.answers = { a: 60, b: 60, c: 60 }
  await rounds(2)
  const problem = 'time servers disagree with the clock by more than 6 seconds: set it right'
  t.equal(monitor.problem(), problem)
  current.answers = { a: 'silent', b: 'silent', c: 'silent' }
  await rounds(2)
  t.equal(monitor.problem(), problem, 'silence does not change it')
  current.answers = good
  await rounds(2)
  t.equal(monitor.problem(), undefined)
  current.answers = { a: 'silent', b: 'silent', c: 'silent' }
  await rounds(2)
  t.equal(monitor.verdict(), 'too_few')
  t.equal(monitor.problem(), undefined, 'nor does it begin with it')
})

t.test('attempts, and what is told of each server', async (t) => {
  const { asked, events, rounds, monitor } = start(t, { a: 0, b: 'silent' }, { periodSeconds: 60 })
  await rounds(1)
  await monitor.close()
  t.same([...asked].sort(), ['a', 'b', 'b', 'b'])
  const answers = events.filter((event) => event.type === 'answer')
  t.same(answers.map(({ host, failed }) => [host, failed]).sort(), [
    ['a', false],
    ['b', true]
  ])
  t.ok(answers.every(({ seconds }) => seconds >= 0))
})

t.test('as many servers as a round has, none twice', async (t) => {
  const answers = { a: 0, b: 0, c: 0, d: 0, e: 0, f: 0 }
  let turn = 0
  const { asked, rounds, monitor } = start(t, answers, {
    periodSeconds: 60,
    randomBelow: (limit) => (turn++ * 7) % limit
  })
  await rounds(1)
  await monitor.close()
  t.equal(asked.length, 4)
  t.equal(new Set(asked).size, 4)
})

t.test('closing ends a question that waits', async (t) => {
  const startedMs = performance.now()
  const { monitor, events } = start(
    t,
    { a: 0 },
    {
      query: (_server, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new LogError('timeout', 'closed')))
        })
    }
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  await monitor.close()
  t.same(events, [])
  t.ok(performance.now() - startedMs < 2000)
})

t.test('real packets', async (t) => {
  const fakes = [
    await startFakeNtp(t, { timeMs: () => Date.now() + 1000 }),
    await startFakeNtp(t, { timeMs: () => Date.now() - 1000 }),
    await startFakeNtp(t, { change: () => [] })
  ]
  const { monitor, rounds } = start(
    t,
    {},
    {
      servers: fakes.map(({ server }) => server),
      threshold: 2,
      attempts: 2,
      query: (server, signal) =>
        querySntp({
          server,
          signal,
          timeoutMs: 100,
          now: Date.now,
          monotonicMs: () => performance.now(),
          randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length))
        })
    }
  )
  await rounds(1)
  t.equal(monitor.verdict(), 'agrees')
  t.equal(fakes[2]?.received.length, 2)
})
