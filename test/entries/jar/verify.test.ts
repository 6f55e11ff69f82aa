import { createHash } from 'node:crypto'
import t from 'tap'
import { parseJar } from '../../../src/entries/jar/parse.js'
import { verifyJar } from '../../../src/entries/jar/verify.js'
import { signedJar } from '../../helpers/jar.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector, rekorVector, rekorVectorText } from '../../helpers/vectors.js'

const vector = computedVector('jar')
const specOf = (archive: Uint8Array, value?: string) => ({
  archive: {
    content: Buffer.from(archive).toString('base64'),
    ...(value === undefined ? {} : { hash: { algorithm: 'sha256', value } })
  }
})
const submit = (spec: unknown, options: Parameters<typeof verifyJar>[1] = {}) =>
  verifyJar(parseJar(spec), options)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

t.test('the computed vector', async (t) => {
  const verified = await submit(vector.proposedEntry.spec)
  t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)
  const leaf = Buffer.concat([Uint8Array.of(0), verified.leafValue])
  t.equal(sha256(leaf), vector.leafHash)
  t.same(verified.searchKeys, vector.indexKeys)
  t.equal(verified.attestation, undefined)
  t.equal(verified.clientAlgorithm, undefined)
  const { spec } = JSON.parse(Buffer.from(verified.leafValue).toString()) as {
    spec: { signature: { publicKey: { content: string } } }
  }
  t.equal(
    Buffer.from(spec.signature.publicKey.content, 'base64').toString(),
    rekorVectorText('inline/jar_expected_certificate.pem')
  )
})

t.test('the hash', async (t) => {
  const archive = rekorVector('jar/test.jar')
  const hash = '4a9d0ab4e10597497ed6c4617c983c35fa9e964e75cdd6f9fae3a0da1929acc6'
  const { leafValue } = await submit(specOf(archive, hash))
  t.equal(Buffer.from(leafValue).toString(), vector.canonicalBody)
  for (const wrong of ['0'.repeat(64), hash.toUpperCase()]) {
    t.equal(
      await refusalText(() => submit(specOf(archive, wrong))),
      `verification_failed: SHA mismatch: ${hash} != ${wrong}`
    )
  }
})

t.test('the limit of metadata', async (t) => {
  const { spec } = vector.proposedEntry
  const exceeds =
    'invalid_request: uncompressed jar metadata of size 891 exceeds max allowed size 10'
  t.equal(await refusalText(() => submit(spec, { maxJarMetadataBytes: 10 })), exceeds)
  await t.resolves(submit(spec, { maxJarMetadataBytes: 5881 }))
  await t.resolves(submit(spec, { maxJarMetadataBytes: 0 }), 'no limit of their own')
  const text = 'x'.repeat((1 << 20) + 1)
  const large = specOf(signedJar({ after: [{ name: 'META-INF/a.txt', content: text, method: 0 }] }))
  t.match(await refusalText(() => submit(large)), /size 1048577 exceeds max allowed size 1048576$/)
  await t.resolves(submit(large, { maxJarMetadataBytes: 0 }))
})

t.test('a committed form looked up without its archive', async (t) => {
  const { spec } = JSON.parse(vector.canonicalBody) as { spec: { signature: object } }
  t.match(await refusalText(() => submit(spec)), /^verification_failed: SHA mismatch: e3b0c442/)
  t.equal(
    await refusalText(() => submit({ archive: {}, signature: spec.signature })),
    'invalid_request: zip: not a valid zip file'
  )
})
