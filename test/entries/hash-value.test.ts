import t from 'tap'
import {
  checkedHash,
  hashMember,
  hashViolation,
  prefixedHash
} from '../../src/entries/hash-value.js'

t.test('reads what is there', (t) => {
  t.same(hashMember({ hash: { algorithm: 'sha256', value: 'ab' } }, 'hash'), {
    algorithm: 'sha256',
    value: 'ab'
  })
  t.same(hashMember({ hash: { algorithm: 1 } }, 'hash'), { algorithm: undefined, value: undefined })
  t.equal(hashMember({ hash: 'sha256:ab' }, 'hash'), undefined)
  t.end()
})

t.test('reports the first thing that is wrong', (t) => {
  const violation = (algorithm?: string, value?: string) =>
    hashViolation('h', { algorithm, value }, ['sha256'])
  t.equal(hashViolation('h', undefined, ['sha256']), undefined)
  t.equal(violation('sha256', ''), undefined)
  t.match(violation(undefined, ''), { name: 'h.algorithm', problem: 'in body is required' })
  t.match(violation('md5', ''), {
    name: 'h.algorithm',
    problem: 'in body should be one of [sha256]'
  })
  t.match(violation('sha256'), { name: 'h.value', problem: 'in body is required' })
  t.end()
})

t.test('checked and prefixed', (t) => {
  t.same(checkedHash({ algorithm: 'sha256', value: 'AB' }), { algorithm: 'sha256', value: 'AB' })
  t.equal(prefixedHash({ algorithm: 'sha256', value: 'AB' }), 'sha256:AB')
  t.end()
})
