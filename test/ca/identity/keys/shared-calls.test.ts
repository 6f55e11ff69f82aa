import t from 'tap'
import { shareCalls } from '../../../../src/ca/identity/keys/shared-calls.js'

/** Calls that are counted when they begin, and end when they are told to. */
function slowCalls() {
  const ends: ((fail?: Error) => void)[] = []
  const shared = shareCalls(
    () =>
      new Promise<number>((resolve, reject) => {
        const number = ends.length + 1
        ends.push((fail) => (fail === undefined ? resolve(number) : reject(fail)))
      })
  )
  return { shared, ends }
}

t.test('nobody gets what was looked up before he asked', async (t) => {
  const { shared, ends } = slowCalls()
  const first = shared()
  const [second, third] = [shared(), shared()]
  t.equal(ends.length, 1, 'the next one waits')
  ends[0]?.()
  t.equal(await first, 1)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(ends.length, 2)
  const fourth = shared()
  ends[1]?.()
  t.strictSame(await Promise.all([second, third]), [2, 2])
  await new Promise((resolve) => setImmediate(resolve))
  ends[2]?.()
  t.equal(await fourth, 3)
  const fifth = shared()
  t.equal(ends.length, 4, 'an idle one begins at once')
  ends[3]?.()
  t.equal(await fifth, 4)
})

t.test('a failure is told to those who wait for it, and the next call is made', async (t) => {
  const { shared, ends } = slowCalls()
  const first = shared()
  const second = shared()
  ends[0]?.(new Error('gone'))
  await t.rejects(first, new Error('gone'))
  await new Promise((resolve) => setImmediate(resolve))
  ends[1]?.()
  t.equal(await second, 2)
})
