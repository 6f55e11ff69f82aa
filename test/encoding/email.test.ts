import t from 'tap'
import { isEmail } from '../../src/encoding/email.js'

// Answers of govalidator, the check Rekor indexes with.
const CASES: readonly (readonly [text: string, expected: boolean])[] = [
  ['user@host.example', true],
  ['a@b.cc', true],
  ['a@b.c', true],
  ['first.last+tag@sub.host.example', true],
  ["!#$%&'*+-/=?^_`{|}~@b.cc", true],
  ['ü@ü.ü', true],
  ['a@b.cc.', true],
  ['a@1.cc', true],
  ['a@b..cc', false],
  ['a@b..d.cc', true],
  ['a@x~y_z-w.cc', true],
  ['a@b.c1c', true],
  ['a@b.c-_~c', true],
  ['', false],
  ['a', false],
  ['a@', false],
  ['@b.cc', false],
  ['a@b', false],
  ['a@b.', false],
  ['a@.cc', false],
  ['a@b.cc..', false],
  ['a@-b.cc', false],
  ['a@b-.cc', false],
  ['a@b.c1', false],
  ['a@b.1c', false],
  ['a@b.c-', false],
  ['a@b.c!c', false],
  ['a@b!b.cc', false],
  ['.a@b.cc', false],
  ['a.@b.cc', false],
  ['a..a@b.cc', false],
  ['a@@b.cc', false],
  ['a b@c.dd', false],
  [' a@b.cc', false],
  ['a@b.cc\n', false],
  ['"a b"@c.dd', false],
  ['Name <a@b.cc>', false],
  ['\ud83d\ude00@b.cc', false],
  ['\ufffd@b.cc', false],
  ['a\u0000@b.cc', false]
]

for (const [text, expected] of CASES) {
  t.equal(isEmail(text), expected, `${JSON.stringify(text)} is ${expected ? '' : 'not '}an address`)
}

t.test('text made to be slow takes linear time', async (t) => {
  const hostile = [
    `a@${'a.'.repeat(500_000)}!`,
    `${'a.'.repeat(500_000)}@b.cc`,
    `${'a.'.repeat(500_000)}(@b.cc`,
    '@'.repeat(1_000_000),
    `a@${'.'.repeat(1_000_000)}`
  ]
  const start = performance.now()
  for (const text of hostile) t.notOk(isEmail(text))
  t.ok(performance.now() - start < 2000)
})
