import t from 'tap'
import { ERROR_CODES, LogError, isLogError } from '../src/errors.js'

t.test('the list of codes is closed and has no repeats', (t) => {
  t.same(ERROR_CODES, [
    'invalid_request',
    'unsupported',
    'verification_failed',
    'unauthenticated',
    'forbidden',
    'not_found',
    'already_exists',
    'conflict',
    'proof_invalid',
    'too_large',
    'log_frozen',
    'overloaded',
    'upstream',
    'timeout',
    'integrity',
    'internal'
  ])
  t.equal(new Set(ERROR_CODES).size, ERROR_CODES.length)
  t.end()
})

t.test('carries code, message, details and cause', (t) => {
  const cause = new TypeError('socket closed')
  const err = new LogError('upstream', 'issuer did not answer', {
    cause,
    details: { issuer: 'https://issuer.example', attempts: 3 }
  })
  t.ok(err instanceof Error)
  t.equal(err.name, 'LogError')
  t.equal(err.code, 'upstream')
  t.equal(err.message, 'issuer did not answer')
  t.same(err.details, { issuer: 'https://issuer.example', attempts: 3 })
  t.equal(err.cause, cause)
  t.match(err.stack, /LogError: issuer did not answer[^]*errors\.test\.ts/)
  t.end()
})

t.test('without options there are no details and no cause property', (t) => {
  for (const err of [new LogError('internal', 'x'), new LogError('internal', 'x', {})]) {
    t.same(err.details, {})
    t.notOk('cause' in err)
  }
  t.end()
})

t.test('isLogError tells ours from others, and one code from another', (t) => {
  const err = new LogError('not_found', 'no such entry')
  t.ok(isLogError(err))
  t.ok(isLogError(err, 'not_found'))
  t.ok(isLogError(err, 'conflict', 'not_found'))
  t.notOk(isLogError(err, 'conflict'))
  for (const other of [
    new Error('not_found'),
    { code: 'not_found' },
    'not_found',
    null,
    undefined
  ]) {
    t.notOk(isLogError(other))
    t.notOk(isLogError(other, 'not_found'))
  }
  t.end()
})
