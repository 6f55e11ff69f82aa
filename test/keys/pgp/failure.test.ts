import t from 'tap'
import { LogError } from '../../../src/errors.js'
import {
  isStructuralFailure,
  isUnsupportedFailure,
  labelled,
  structuralFailure,
  unsupportedFailure
} from '../../../src/keys/pgp/failure.js'

t.test('the three classes are told apart', async (t) => {
  const structural = structuralFailure('odd')
  const unsupported = unsupportedFailure('rare')
  const fatal = new LogError('invalid_request', 'unexpected EOF')
  t.match(structural, { code: 'invalid_request', message: 'openpgp: invalid data: odd' })
  t.match(unsupported, { code: 'unsupported', message: 'openpgp: unsupported feature: rare' })
  t.same([structural, unsupported, fatal, new Error('x')].map(isStructuralFailure), [
    true,
    false,
    false,
    false
  ])
  t.same([structural, unsupported, fatal, new Error('x')].map(isUnsupportedFailure), [
    false,
    true,
    false,
    false
  ])
})

t.test('a label keeps the code, and leaves foreign errors alone', async (t) => {
  const cause = unsupportedFailure('rare')
  const err = labelled('reading', cause)
  t.match(err, { code: 'unsupported', message: `reading: ${cause.message}` })
  t.equal((err as LogError).cause, cause)
  const foreign = new TypeError('bug')
  t.equal(labelled('reading', foreign), foreign)
})
