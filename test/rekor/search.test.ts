import t from 'tap'
import { combineHits, lookupKeys, prefixHash } from '../../src/rekor/search.js'
import { rekorVectorText } from '../helpers/vectors.js'

t.test('prefixes of the recorded cases', async (t) => {
  const { prefixSHA } = JSON.parse(rekorVectorText('inline/hash_prefix_cases.json')) as {
    prefixSHA: readonly (readonly [string, string])[]
  }
  for (const [bare, prefixed] of prefixSHA) t.equal(prefixHash(bare), prefixed)
  t.equal(
    prefixHash(`sha1:${'0'.repeat(35)}`),
    `sha1:${'0'.repeat(35)}`,
    '40 characters, not digits'
  )
})

t.test('keys of a query', async (t) => {
  const asked: [string, Uint8Array][] = []
  const verifier = {
    keyHash: async (format: string, content: Uint8Array) => {
      asked.push([format, content])
      return 'key'
    }
  }
  const content = Uint8Array.of(1)
  t.strictSame(
    await lookupKeys(
      {
        email: 'A@B.example',
        subject: 'A@b.example',
        hash: 'AB'.repeat(20),
        publicKey: { format: 'x509', content }
      },
      verifier
    ),
    [`sha1:${'ab'.repeat(20)}`, 'key', 'a@b.example'],
    'lower case, each once'
  )
  t.strictSame(await lookupKeys({}, verifier), [])
  await lookupKeys({ publicKey: { format: 'pgp' } }, verifier)
  await lookupKeys({ publicKey: { format: 'tuf', content } }, verifier)
  t.same(asked, [
    ['x509', content],
    ['pgp', new Uint8Array(0)],
    ['tuf', content]
  ])
  await t.rejects(lookupKeys({ publicKey: { format: 'pkcs7', content } }, verifier), {
    code: 'unsupported'
  })
})

t.test('hits', async (t) => {
  const sets = [new Set(['a', 'b']), new Set(['b', 'c']), new Set(['b', 'a'])]
  t.strictSame(combineHits(sets, 'or'), ['a', 'b', 'c'])
  t.strictSame(combineHits(sets, 'and'), ['b'])
  t.strictSame(combineHits([], 'or'), [])
  t.strictSame(combineHits([], 'and'), [])
  t.strictSame(combineHits([new Set(['a']), new Set<string>()], 'and'), [])
})
