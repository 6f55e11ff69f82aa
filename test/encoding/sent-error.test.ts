import t from 'tap'
import { isLogError, LogError } from '../../src/errors.js'
import { receivedError, sendableError } from '../../src/encoding/sent-error.js'

const throughMessage = (err: unknown): Error => receivedError(structuredClone(sendableError(err)))

t.test('a LogError is one on the other side, with all that is in it', (t) => {
  const cause = new RangeError('inner', { cause: 'a text' })
  const err = new LogError('overloaded', 'too much', { details: { retryAfterSeconds: 3 }, cause })
  const got = throughMessage(err)
  t.ok(isLogError(got, 'overloaded'))
  t.equal(got.message, 'too much')
  t.strictSame((got as LogError).details, { retryAfterSeconds: 3 })
  t.equal(got.stack, err.stack)
  t.match(got.cause, { message: 'inner', stack: cause.stack, cause: { message: 'a text' } })
  t.end()
})

t.test('what is none is none', (t) => {
  const err = new TypeError('ours')
  const got = throughMessage(err)
  t.notOk(isLogError(got))
  t.equal(got.stack, err.stack)
  t.equal(throughMessage(undefined).message, 'undefined')
  t.end()
})

t.test('causes that go in a circle end', (t) => {
  const err = new Error('round')
  err.cause = err
  let depth = 0
  for (let now: unknown = throughMessage(err); now instanceof Error; now = now.cause) depth++
  t.equal(depth, 9)
  t.end()
})
