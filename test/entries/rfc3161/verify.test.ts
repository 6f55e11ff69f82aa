import { createHash, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { verifyRfc3161 } from '../../../src/entries/rfc3161/verify.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { RSA_ENCRYPTION, timestampResponse, tsaCertificate } from '../../helpers/tsr.js'
import { tsaVector } from '../../helpers/tsa-vectors.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

const TSR = rekorVector('rfc3161/test.tsr')
const submit = (tsr: Uint8Array) => verifyRfc3161({ tsr })
const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex')
const fromBase64 = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))

t.test('computed vector', async (t) => {
  const vector = computedVector('rfc3161')
  const { leafValue, searchKeys, attestation, clientAlgorithm } = await submit(TSR)
  t.equal(Buffer.from(leafValue).toString(), vector.canonicalBody)
  t.equal(sha256(Uint8Array.of(0), leafValue), vector.leafHash)
  t.same(searchKeys, vector.indexKeys)
  t.same(searchKeys, [`sha256:${sha256(TSR)}`])
  t.same([attestation, clientAlgorithm], [undefined, undefined])
})

t.test('answers of other authorities', async (t) => {
  let met = 0
  const missing =
    /^verification_failed: tsr verification error: certificate missing from signedData/
  for (const { name, responseB64, expect } of tsaVector.own.pairs) {
    if (expect.embeddedCertificates > 0) {
      t.equal((await submit(fromBase64(responseB64))).searchKeys.length, 1, name)
      met++
    } else {
      t.match(await refusalText(() => submit(fromBase64(responseB64))), missing, name)
    }
  }
  t.ok(met > 0)
  for (const { name, responseB64 } of tsaVector.real) {
    const got = await unlessRefused(() => submit(fromBase64(responseB64)))
    // Some do not send their certificate along.
    if (got === undefined) {
      t.match(await refusalText(() => submit(fromBase64(responseB64))), missing, name)
    } else {
      t.equal(got.searchKeys.length, 1, name)
    }
  }
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })

t.test('no chain, no usage, no time is looked at', async (t) => {
  const unreadable = Buffer.of(0x30, 0x03, 0x02, 0x01, 0x00)
  for (const [name, tsr] of Object.entries({
    'a certificate that expired long ago, for nothing': timestampResponse(),
    'the content itself is signed': timestampResponse({ withAttributes: false }),
    'empty content': timestampResponse({ content: new Uint8Array(0) }),
    'P-384': timestampResponse({ key: p384 }),
    RSA: timestampResponse({ key: rsa, signatureAlgorithm: RSA_ENCRYPTION }),
    'two signers': timestampResponse({ signers: 2 }),
    'a certificate nobody can read, too': timestampResponse({
      certificates: [unreadable, tsaCertificate()]
    })
  })) {
    t.same((await submit(tsr)).searchKeys, [`sha256:${sha256(tsr)}`], name)
  }
})

t.test('what is refused', async (t) => {
  const missing = 'certificate missing from signedData: serial=7'
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['no certificates', timestampResponse({ certificates: [] }), missing],
    ['no signers', timestampResponse({ signers: 0 }), 'pkcs7 contains no signatures'],
    ['no content', timestampResponse({ content: 'none' }), 'pkcs7: missing content'],
    [
      'digest of something else',
      timestampResponse({ digested: Buffer.from('else') }),
      'pkcs7: content digest does not match'
    ],
    [
      'signature of something else',
      timestampResponse({ signature: Buffer.from('3006020101020101', 'hex') }),
      'invalid signature when validating ASN.1 encoded signature'
    ],
    [
      'key of another',
      timestampResponse({ certificates: [tsaCertificate(p384.publicKey)] }),
      'invalid signature when validating ASN.1 encoded signature'
    ],
    [
      'key of another kind',
      timestampResponse({ certificates: [tsaCertificate(rsa.publicKey)] }),
      'incorrect key type for signature'
    ]
  ]
  for (const [name, tsr, message] of cases) {
    t.equal(
      await refusalText(() => submit(tsr)),
      `verification_failed: tsr verification error: ${message}`,
      name
    )
  }
  t.match(
    await refusalText(() => submit(timestampResponse({ withToken: false }))),
    'invalid_request: tsr wrong content type: '
  )
})

t.test('fuzz: only refusals', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  let accepted = 0
  for (let i = 0; i < 1000; i++) {
    if ((await unlessRefused(() => submit(mutate(TSR, random)))) !== undefined) accepted++
  }
  t.ok(accepted < 1000, `${accepted} changed only what is not signed`)
})
