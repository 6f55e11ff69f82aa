import t from 'tap'
import { digestCheckOf, noDigests, verifyDigests } from '../../src/archive/jar-digests.js'
import { digest64 } from '../helpers/jar.js'
import { refusalText } from '../helpers/refusals.js'

const content = Buffer.from('content')
const attributes = (members: Readonly<Record<string, string>>) => new Map(Object.entries(members))
const verify = (
  members: Readonly<Record<string, string>>,
  subject: Parameters<typeof verifyDigests>[1] = ''
) => {
  verifyDigests(attributes(members), subject, 'here', content)
}

t.test('every hash function, however it is written', async (t) => {
  for (const [name, hash] of [
    ['md5', 'md5'],
    ['sha1', 'sha1'],
    ['sha-1', 'sha1'],
    ['sha-224', 'sha224'],
    ['sha-256', 'sha256'],
    ['sha256', 'sha256'],
    ['sha-384', 'sha384'],
    ['sha-512', 'sha512']
  ] as const) {
    t.doesNotThrow(() => {
      verify({ [`${name}-digest`]: digest64(content, hash) })
    }, name)
    t.match(
      await refusalText(() => {
        verify({ [`${name}-digest`]: digest64('other', hash) })
      }),
      /^verification_failed: here: .*-Digest mismatch: manifest /,
      name
    )
  }
})

t.test('what they are over', async (t) => {
  const good = digest64(content)
  const bad = digest64('other')
  t.doesNotThrow(() => {
    verify({ name: 'x', 'sha-256-digest': good, 'sha-256-digest-manifest': bad })
    verify({ 'sha-256-digest': bad, 'sha-256-digest-manifest': good }, '-manifest')
    verify(
      { 'sha-256-digest-manifest-main-attributes': good, 'sha-256-digest-manifest': bad },
      '-manifest-main-attributes'
    )
    verify({ 'sha-256-digest': good, 'sha-256-digest-de': bad, digest: bad })
  })
  t.equal(digestCheckOf(attributes({ 'sha-256-digest': good }), '-manifest', 'here'), undefined)
  t.equal(
    await refusalText(() => {
      verify({ 'sha-256-digest': good }, '-manifest')
    }),
    'invalid_request: here: no recognized digests found'
  )
  t.equal(noDigests('there').message, 'there: no recognized digests found')
})

t.test('all must be right', async (t) => {
  const good = { 'sha-256-digest': digest64(content), 'sha1-digest': digest64(content, 'sha1') }
  t.doesNotThrow(() => {
    verify({ ...good, 'sha256-digest': good['sha-256-digest'] })
  }, 'also twice the same')
  const bad = digest64('other')
  for (const [members, message] of [
    [
      { ...good, 'sha256-digest': bad },
      `here: Sha256-Digest mismatch: manifest ${bad} != calculated ${good['sha-256-digest']}`
    ],
    [
      { ...good, 'sha-256-digest': '' },
      `here: Sha-256-Digest mismatch: manifest  != calculated ${good['sha-256-digest']}`
    ],
    [
      { ...good, 'sha-256-digest': good['sha-256-digest'].replace('=', '') },
      /^verification_failed: here: Sha-256-Digest mismatch/
    ]
  ] as const) {
    const expected = typeof message === 'string' ? `verification_failed: ${message}` : message
    t.match(
      await refusalText(() => {
        verify(members)
      }),
      expected
    )
  }
})

t.test('unknown hash functions', async (t) => {
  for (const [name, text] of [
    ['sha3-256', 'SHA3-256'],
    ['sha', 'SHA'],
    ['', ''],
    ['__proto__', '__PROTO__'],
    ['sha--256', 'SHA--256']
  ] as const) {
    t.equal(
      await refusalText(() => {
        verifyDigests(new Map([[`${name}-digest`, '']]), '', 'here', content)
      }),
      `unsupported: here: unknown digest key in manifest: ${text}`
    )
  }
})

t.test('piece by piece', async (t) => {
  const check = digestCheckOf(attributes({ 'sha-256-digest': digest64(content) }), '', 'here')
  check?.update(content.subarray(0, 3))
  check?.update(content.subarray(3))
  t.doesNotThrow(() => check?.assertMatch())
  t.not(check, undefined)
})
