import t from 'tap'
import { evaluatePolicy, type PolicyOutcome } from '../../src/note/evaluate-policy.js'
import type { WitnessPolicy } from '../../src/note/witness-policy.js'
import { W1 } from '../helpers/witness-keys.js'

/** Two witnesses of X, three of Y, one of Z. Keys do not matter here. */
const WITNESSES = ['x1', 'x2', 'y1', 'y2', 'y3', 'z'].map((name) => ({ name, key: W1.key }))

function policy(quorum: string | undefined, threshold = 2): WitnessPolicy {
  return {
    logs: [],
    witnesses: WITNESSES,
    groups: [
      { name: 'x', threshold: 1, members: ['x1', 'x2'] },
      { name: 'y', threshold: 2, members: ['y1', 'y2', 'y3'] },
      { name: 'all', threshold, members: ['x', 'y', 'z'] }
    ],
    quorum
  }
}

const evaluate = (names: string, of = policy('all')): PolicyOutcome =>
  evaluatePolicy(of, new Set(names.split(' ')))

t.test('operators are counted, not signatures', (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['nobody', '', false],
    ['one operator with one witness', 'x1', false],
    ['one operator with both its witnesses', 'x1 x2', false],
    ['one operator with enough of its witnesses', 'y1 y2 y3', false],
    ['five witnesses of two operators', 'x1 x2 y1 y2 y3', true],
    ['two operators', 'x1 z', true],
    ['an operator with too few of its witnesses', 'x1 x2 y1', false],
    ['three operators', 'x2 y2 y3 z', true],
    ['strangers', 'a b c', false],
    ['names of groups, which do not sign', 'x y all', false]
  ]
  for (const [name, cosigned, want] of cases) {
    t.equal(evaluate(cosigned).isSatisfied, want, name)
  }
  t.end()
})

t.test('what there is and what is missing', (t) => {
  t.same(evaluate('x2 y1 y3'), {
    isSatisfied: true,
    operators: { threshold: 2, cosigned: ['x', 'y'], missing: ['z'] },
    groups: [
      { name: 'x', threshold: 1, cosigned: ['x2'], missing: ['x1'] },
      { name: 'y', threshold: 2, cosigned: ['y1', 'y3'], missing: ['y2'] },
      { name: 'all', threshold: 2, cosigned: ['x', 'y'], missing: ['z'] }
    ]
  })
  t.end()
})

t.test('other quorums', (t) => {
  t.same(evaluate('z', policy('z')).operators, { threshold: 1, cosigned: ['z'], missing: [] })
  t.equal(evaluate('z', policy('z')).isSatisfied, true)
  t.same(evaluate('x1', policy('z')).operators, { threshold: 1, cosigned: [], missing: ['z'] })
  t.equal(evaluate('x1', policy('z')).isSatisfied, false)
  t.equal(evaluate('y1', policy('y')).isSatisfied, false)
  t.equal(evaluate('y1 y3', policy('y')).isSatisfied, true)
  t.equal(evaluate('x1 y1 y2', policy('all', 3)).isSatisfied, false)
  t.equal(evaluate('x1 y1 y2 z', policy('all', 3)).isSatisfied, true)
  t.same(evaluate('', policy(undefined)).operators, { threshold: 0, cosigned: [], missing: [] })
  t.equal(evaluate('', policy(undefined)).isSatisfied, true)
  t.end()
})
