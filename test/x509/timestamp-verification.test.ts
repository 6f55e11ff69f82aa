import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodeInteger, encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { readEcdsaSignature } from '../../src/keys/ecdsa-signature.js'
import { hashData } from '../../src/keys/verify.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { encodeSignedBytes, encodeSignedData } from '../../src/x509/cms-signed-data.js'
import type { TimestampHash } from '../../src/x509/message-imprint.js'
import {
  encodeSignedAttributes,
  encodeSigningCertificate
} from '../../src/x509/signed-attributes.js'
import { parseTimestampRequest } from '../../src/x509/timestamp-request.js'
import { buildTimestampResponse, type TimestampSigner } from '../../src/x509/timestamp-response.js'
import { verifyTimestampResponse } from '../../src/x509/timestamp-verification.js'
import { encodeTstInfo } from '../../src/x509/tst-info.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { createTestTsa, newSigner, timestampSignerOf, YEAR_SECONDS } from '../helpers/test-tsa.js'
import {
  OWN_TIME_SECONDS,
  ownChain,
  ownPair,
  realChain,
  tsaVector
} from '../helpers/tsa-vectors.js'

const AT = OWN_TIME_SECONDS
const DATA = fromBase64(tsaVector.artifactB64)

const tsa = await createTestTsa({ madeAtSeconds: AT, withIntermediate: true })
const other = await createTestTsa({ madeAtSeconds: AT })
const authority = await timestampSignerOf(tsa, AT)
const { chain } = tsa
const [leaf] = chain

/** What an authority of our own could get wrong. */
interface Forgery {
  readonly genTimeSeconds?: number
  readonly signingTimeSeconds?: number
  readonly messageDigest?: Uint8Array
  readonly attributeHash?: TimestampHash
  readonly attributeCertificate?: Pick<Certificate, 'der' | 'issuer' | 'serialNumber'>
  readonly certificates?: readonly Uint8Array[]
  readonly signer?: TimestampSigner['signer']
  readonly cms?: TimestampSigner['cms']
  readonly changeSignature?: (signature: Uint8Array) => Uint8Array
}

/** A response with everything signed as it should be but for what is forged. */
async function forge(forgery: Forgery = {}): Promise<Uint8Array> {
  const tstInfo = encodeTstInfo({
    policyOid: '1.2.3.4',
    imprint: { hash: 'sha256', digest: hashData('sha256', DATA) },
    serialNumber: Uint8Array.of(7),
    genTimeSeconds: forgery.genTimeSeconds ?? AT,
    accuracySeconds: 1,
    nonce: Uint8Array.of(5),
    authorityName: leaf.subject,
    extensions: []
  })
  const attributes = encodeSignedAttributes({
    messageDigest: forgery.messageDigest ?? hashData('sha256', tstInfo),
    signingTimeSeconds: forgery.signingTimeSeconds ?? AT,
    signingCertificate: encodeSigningCertificate(
      forgery.attributeCertificate ?? leaf,
      forgery.attributeHash ?? 'sha256'
    )
  })
  const signer = forgery.signer ?? tsa.signer
  const signature = await signer.sign(encodeSignedBytes(attributes))
  const token = encodeSignedData(forgery.cms ?? authority.cms, {
    tstInfo,
    certificates: forgery.certificates ?? [],
    attributes,
    signature: (forgery.changeSignature ?? ((same) => same))(signature)
  })
  return encodeSequence(encodeSequence(encodeInteger(0n)), token)
}

t.test('timestamps of another implementation', async (t) => {
  const [own, root] = ownChain
  if (own === undefined || root === undefined) throw new Error('chain of two')
  for (const { name, responseB64, requestB64, expect } of tsaVector.own.pairs) {
    const { nonce } = parseTimestampRequest(fromBase64(requestB64))
    const tstInfo = await verifyTimestampResponse(fromBase64(responseB64), {
      data: DATA,
      chain: [own, root],
      nonce,
      policyOid: expect.policy
    })
    t.equal(tstInfo.genTimeMs, Date.parse(expect.genTime), name)
  }
})

t.test('timestamps of public instances', async (t) => {
  for (const { name, responseB64, artifactB64, authorities } of tsaVector.real) {
    const expected = { data: fromBase64(artifactB64), chain: realChain(authorities) }
    const { policyOid } = await verifyTimestampResponse(fromBase64(responseB64), expected)
    t.equal(policyOid, '1.3.6.1.4.1.57264.2', name)
    t.equal(
      await refusalText(() =>
        verifyTimestampResponse(fromBase64(responseB64), { ...expected, data: DATA })
      ),
      'verification_failed: timestamp: it is about other data'
    )
  }
})

t.test('our own, with keys of every kind', async (t) => {
  for (const algorithm of [
    'ecdsa-sha2-384-nistp384',
    'ecdsa-sha2-512-nistp521',
    'rsa-sign-pkcs1-2048-sha256'
  ] as const) {
    const made = await createTestTsa({ madeAtSeconds: AT, algorithm })
    const response = await buildTimestampResponse(
      await timestampSignerOf(made, AT),
      parseTimestampRequest(fromBase64(ownPair('sha512 certReq whole chain included').requestB64)),
      {
        policyOid: '1.2.3.4',
        serialNumber: Uint8Array.of(7),
        genTimeSeconds: AT,
        accuracySeconds: undefined
      }
    )
    const { serialNumber } = await verifyTimestampResponse(response, {
      data: DATA,
      chain: made.chain
    })
    t.same(serialNumber, Uint8Array.of(7), algorithm)
  }
})

t.test('what may differ', async (t) => {
  const expected = { data: DATA, chain, policyOid: '1.2.3.4', nonce: Uint8Array.of(5) }
  for (const forgery of [
    {},
    { certificates: chain.map(({ der }) => der) },
    { certificates: [leaf.der] },
    { attributeHash: 'sha512' },
    { genTimeSeconds: leaf.notBeforeSeconds },
    { genTimeSeconds: leaf.notAfterSeconds }
  ] as const) {
    t.ok(await verifyTimestampResponse(await forge(forgery), expected))
  }
})

t.test('what may not', async (t) => {
  const expected = { data: DATA, chain }
  const serial = leaf.serialNumber + 1n
  const elsewhere = await timestampSignerOf(other, AT)
  const rsa = await newSigner('rsa-sign-pkcs1-2048-sha256')
  const rsaCms = {
    ...authority.cms,
    signatureAlgorithm: encodeSequence(encodeOid('1.2.840.113549.1.1.11'))
  }
  const wrongAttribute = 'the attribute signingCertificateV2 names another certificate'
  const wrongKey = 'the signature is not one of the kind of key the certificate has'
  const cases: readonly (readonly [string, Forgery, object, string])[] = [
    ['other data', {}, { data: Uint8Array.of(1) }, 'it is about other data'],
    ['another nonce', {}, { nonce: Uint8Array.of(6) }, 'it does not have the nonce of the request'],
    ['another policy', {}, { policyOid: '1.2.3' }, 'it has policy 1.2.3.4'],
    [
      'another authority',
      {},
      { chain: other.chain },
      'signed by another certificate than the trusted one'
    ],
    [
      'another serial number',
      { cms: elsewhere.cms },
      {},
      'signed by another certificate than the trusted one'
    ],
    [
      'certificates of others',
      { certificates: [other.chain[0].der] },
      {},
      'the trusted certificate is not among those that came with it'
    ],
    [
      'attribute with another digest',
      { attributeCertificate: { ...leaf, der: DATA } },
      {},
      wrongAttribute
    ],
    [
      'attribute with another issuer',
      { attributeCertificate: { ...leaf, issuer: leaf.subject } },
      {},
      wrongAttribute
    ],
    [
      'attribute with another serial number',
      { attributeCertificate: { ...leaf, serialNumber: serial } },
      {},
      wrongAttribute
    ],
    [
      'digest of something else',
      { messageDigest: new Uint8Array(32) },
      {},
      'the signed digest is not that of the TSTInfo'
    ],
    ['kind of key', { cms: rsaCms, signer: rsa }, {}, wrongKey],
    [
      'signature not in DER',
      {
        changeSignature: (signature) => {
          // r || s, 32 bytes each
          const { der } = readEcdsaSignature(signature)
          const numbers = [der.subarray(4, 4 + (der[3] ?? 0))]
          numbers.push(der.subarray(6 + (der[3] ?? 0)))
          const bytes = new Uint8Array(64)
          for (const [i, number] of numbers.entries()) {
            const digits = number.subarray(Math.max(0, number.length - 32))
            bytes.set(digits, 32 * (i + 1) - digits.length)
          }
          return bytes
        }
      },
      {},
      wrongKey
    ],
    [
      'signing time before the certificate',
      { signingTimeSeconds: leaf.notBeforeSeconds - 1 },
      {},
      'its signing time is outside of the validity of the certificate'
    ],
    [
      'signing time behind it',
      { signingTimeSeconds: leaf.notAfterSeconds + 1 },
      {},
      'its signing time is outside of the validity of the certificate'
    ],
    [
      'time before the certificate',
      { genTimeSeconds: leaf.notBeforeSeconds - 1 },
      {},
      'certificate 0 of the chain is valid only from 2026-01-02T03:03:05Z'
    ],
    [
      'time behind it',
      { genTimeSeconds: AT + YEAR_SECONDS + 1 },
      {},
      'certificate 0 of the chain expired at 2027-01-02T03:04:05Z'
    ],
    [
      'chain without its root',
      {},
      { chain: chain.slice(0, 2) },
      'the last certificate of the chain is not a self-signed root'
    ]
  ]
  for (const [title, forgery, more, problem] of cases) {
    const response = await forge(forgery)
    t.equal(
      await refusalText(() => verifyTimestampResponse(response, { ...expected, ...more })),
      `verification_failed: timestamp: ${problem}`,
      title
    )
  }
  const signedByOthers = await forge({ signer: other.signer })
  t.equal(
    await refusalText(() => verifyTimestampResponse(signedByOthers, expected)),
    'verification_failed: invalid signature when validating ASN.1 encoded signature'
  )
  const bare = fromBase64(ownPair('sha256 bare').responseB64)
  const [own, root] = ownChain
  if (own === undefined || root === undefined) throw new Error('chain of two')
  t.equal(
    await refusalText(() =>
      verifyTimestampResponse(bare, { data: DATA, chain: [own, root], nonce: Uint8Array.of(1) })
    ),
    'verification_failed: timestamp: it does not have the nonce of the request'
  )
})

t.test('content of another type', async (t) => {
  const good = await forge()
  const oid = encodeOid('1.2.840.113549.1.9.16.1.4')
  const hex = Buffer.from(good).toString('hex')
  const wrong = hex.replace(
    Buffer.from(oid).toString('hex'),
    Buffer.from(encodeOid('1.2.840.113549.1.9.16.1.5')).toString('hex')
  )
  t.not(wrong, hex)
  t.equal(
    await refusalText(() =>
      verifyTimestampResponse(Uint8Array.from(Buffer.from(wrong, 'hex')), { data: DATA, chain })
    ),
    'verification_failed: timestamp: what is signed is not a TSTInfo'
  )
})

t.test('mutated: refused, or the same timestamp', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const start = await forge({ certificates: [leaf.der] })
  const { der: tstInfo } = await verifyTimestampResponse(start, { data: DATA, chain })
  let accepted = 0
  for (let i = 0; i < 1500; i++) {
    const mutated = mutate(start, random)
    const verified = await unlessRefused(() =>
      verifyTimestampResponse(mutated, { data: DATA, chain })
    )
    if (verified === undefined) continue
    accepted++
    if (!equalBytes(verified.der, tstInfo)) t.fail('another timestamp was accepted')
  }
  t.ok(accepted < 300, `${accepted} accepted`)
})
