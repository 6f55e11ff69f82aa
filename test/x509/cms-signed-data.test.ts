import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  parseDer
} from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import type { SignatureAlgorithm } from '../../src/keys/signer.js'
import {
  encodeSignedBytes,
  encodeSignedData,
  parseSignedData,
  prepareCmsSigner
} from '../../src/x509/cms-signed-data.js'
import { encodeHashAlgorithm } from '../../src/x509/message-imprint.js'
import {
  encodeSignedAttributes,
  encodeSigningCertificate,
  OID_TST_INFO
} from '../../src/x509/signed-attributes.js'
import { name } from '../helpers/certificates.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { ownChain, tsaVector } from '../helpers/tsa-vectors.js'

const CERTIFICATE = { der: Uint8Array.of(1, 2), issuer: name('issuer'), serialNumber: 200n }
const ATTRIBUTES = encodeSignedAttributes({
  messageDigest: new Uint8Array(32),
  signingTimeSeconds: 1_700_000_000,
  signingCertificate: encodeSigningCertificate(CERTIFICATE, 'sha256')
})
const TST_INFO = Uint8Array.of(4, 1, 9)
const SIGNATURE = Uint8Array.of(1, 2, 3)

const context = (number: number, ...contents: readonly Uint8Array[]) =>
  encodeDer(contextTag(number, 'constructed'), ...contents)
const set = (...contents: readonly Uint8Array[]) => encodeDer(DER_TAG.set, ...contents)

const SHA256 = encodeHashAlgorithm('sha256', 'absent')
const ECDSA_SHA256 = encodeSequence(encodeOid('1.2.840.10045.4.3.2'))
const SID = encodeSequence(CERTIFICATE.issuer, encodeInteger(CERTIFICATE.serialNumber))
const SIGNER_INFO_FIELDS = [
  encodeInteger(1n),
  SID,
  SHA256,
  context(0, ATTRIBUTES),
  ECDSA_SHA256,
  encodeOctetString(SIGNATURE)
]
const SIGNER_INFOS = set(encodeSequence(...SIGNER_INFO_FIELDS))
const CONTENT = encodeSequence(encodeOid(OID_TST_INFO), context(0, encodeOctetString(TST_INFO)))
const HEAD = [encodeInteger(3n), set(SHA256)]

const contentInfo = (...fields: readonly Uint8Array[]) =>
  encodeSequence(encodeOid('1.2.840.113549.1.7.2'), context(0, encodeSequence(...fields)))
const read = (der: Uint8Array) => parseSignedData(parseDer(der))

/** A ContentInfo whose SignerInfo has another field in one place. */
function withSignerField(index: number, field: Uint8Array): Uint8Array {
  const fields = SIGNER_INFO_FIELDS.with(index, field)
  return contentInfo(...HEAD, CONTENT, set(encodeSequence(...fields)))
}

t.test('timestamps of another implementation, both ways', (t) => {
  const [leaf] = ownChain
  if (leaf === undefined) throw new Error('no leaf')
  const cms = prepareCmsSigner(leaf, 'ecdsa-sha2-256-nistp256')
  for (const { name: title, responseB64, tstInfoB64, signedAttributesB64, expect } of tsaVector.own
    .pairs) {
    const [, token] = parseDer(fromBase64(responseB64)).children
    const parsed = parseSignedData(token)
    t.equal(parsed.contentType, OID_TST_INFO, title)
    t.ok(equalBytes(parsed.content, fromBase64(tstInfoB64)))
    t.ok(equalBytes(parsed.signedBytes, fromBase64(signedAttributesB64)))
    t.equal(parsed.certificates.length, expect.embeddedCertificates)
    t.ok(equalBytes(parsed.issuer, leaf.issuer))
    t.equal(parsed.serialNumber, leaf.serialNumber)
    t.equal(parsed.hash, 'sha256')
    t.equal(parsed.keyType, 'ecdsa')

    const attributes = parseDer(fromBase64(signedAttributesB64)).content
    t.ok(equalBytes(encodeSignedBytes(attributes), parsed.signedBytes))
    const { certificates, signature } = parsed
    const written = encodeSignedData(cms, {
      tstInfo: fromBase64(tstInfoB64),
      certificates,
      attributes,
      signature
    })
    t.equal(encodeHex(written), encodeHex(token?.encoded ?? new Uint8Array(0)))
  }
  t.end()
})

t.test('the hash and the algorithm follow the key', (t) => {
  const expected: Readonly<Record<SignatureAlgorithm, readonly [string, string]>> = {
    'ecdsa-sha2-256-nistp256': ['sha256', 'ecdsa'],
    'ecdsa-sha2-384-nistp384': ['sha384', 'ecdsa'],
    'ecdsa-sha2-512-nistp521': ['sha512', 'ecdsa'],
    'rsa-sign-pkcs1-2048-sha256': ['sha256', 'rsa'],
    'rsa-sign-pkcs1-3072-sha256': ['sha256', 'rsa'],
    'rsa-sign-pkcs1-4096-sha256': ['sha256', 'rsa']
  }
  for (const [algorithm, [hash, keyType]] of Object.entries(expected)) {
    const cms = prepareCmsSigner(CERTIFICATE, algorithm as SignatureAlgorithm) // one of its keys
    const parts = {
      tstInfo: TST_INFO,
      certificates: [],
      attributes: ATTRIBUTES,
      signature: SIGNATURE
    }
    const parsed = read(encodeSignedData(cms, parts))
    t.same([parsed.hash, parsed.keyType], [hash, keyType], algorithm)
    t.same(parsed.certificates, [])
  }
  t.end()
})

t.test('what others leave out or add', (t) => {
  const withAll = contentInfo(
    ...HEAD,
    CONTENT,
    context(0, encodeSequence()),
    context(1),
    set(encodeSequence(...SIGNER_INFO_FIELDS, context(1, encodeSequence())))
  )
  t.same(read(withAll).certificates, [encodeSequence()])
  t.same(read(contentInfo(...HEAD, CONTENT, SIGNER_INFOS)).certificates, [])
  const rsa = withSignerField(4, encodeSequence(encodeOid('1.2.840.113549.1.1.1'), encodeNull()))
  t.equal(read(rsa).keyType, 'rsa')
  t.end()
})

t.test('malformed or of another kind', async (t) => {
  const label = 'timestamp: signed data'
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'another type',
      encodeSequence(encodeOid('1.2.840.113549.1.7.1'), context(0)),
      'not SignedData'
    ],
    [
      'third field',
      encodeSequence(encodeOid('1.2.840.113549.1.7.2'), context(0), encodeNull()),
      'not SignedData'
    ],
    [
      'two contents',
      encodeSequence(
        encodeOid('1.2.840.113549.1.7.2'),
        context(0, encodeSequence(encodeInteger(3n)), encodeNull())
      ),
      'version is not 3'
    ],
    [
      'version 1',
      contentInfo(encodeInteger(1n), set(SHA256), CONTENT, SIGNER_INFOS),
      'version is not 3'
    ],
    [
      'no signer',
      contentInfo(...HEAD, CONTENT, set()),
      'signerInfo: expected tag 0x30, found nothing'
    ],
    [
      'two signers',
      contentInfo(
        ...HEAD,
        CONTENT,
        set(encodeSequence(...SIGNER_INFO_FIELDS), encodeSequence(...SIGNER_INFO_FIELDS))
      ),
      'more than one signer'
    ],
    [
      'something behind',
      contentInfo(...HEAD, CONTENT, SIGNER_INFOS, encodeNull()),
      'more than one signer'
    ],
    [
      'content in chunks',
      contentInfo(
        ...HEAD,
        encodeSequence(
          encodeOid(OID_TST_INFO),
          context(0, encodeOctetString(TST_INFO), encodeOctetString(TST_INFO))
        ),
        SIGNER_INFOS
      ),
      'more than one content'
    ],
    [
      'content and more',
      contentInfo(
        ...HEAD,
        encodeSequence(
          encodeOid(OID_TST_INFO),
          context(0, encodeOctetString(TST_INFO)),
          encodeNull()
        ),
        SIGNER_INFOS
      ),
      'more than one content'
    ],
    ['signer by key', withSignerField(0, encodeInteger(3n)), 'version of the signer is not 1'],
    ['signer without name', withSignerField(1, encodeSequence()), 'signer is not one certificate'],
    [
      'signer of three',
      withSignerField(1, encodeSequence(SID, encodeInteger(1n), encodeNull())),
      'signer is not one certificate'
    ],
    [
      'no attributes',
      withSignerField(3, ECDSA_SHA256),
      'signerInfo: signedAttrs: expected tag 0xa0, found tag 0x30'
    ]
  ]
  for (const [title, der, problem] of cases) {
    t.equal(await refusalText(() => read(der)), `invalid_request: ${label}: ${problem}`, title)
  }
  t.equal(
    await refusalText(() => parseSignedData(undefined)),
    `invalid_request: ${label}: expected tag 0x30, found nothing`
  )
  for (const [oid, hash] of [
    ['1.2.840.10045.4.3.1', 'sha256'],
    ['1.3.101.112', 'sha512'],
    ['1.2.840.10045.4.3.3', 'sha256']
  ] as const) {
    const fields = SIGNER_INFO_FIELDS.with(2, encodeHashAlgorithm(hash, 'null')).with(
      4,
      encodeSequence(encodeOid(oid))
    )
    t.equal(
      await refusalText(() => read(contentInfo(...HEAD, CONTENT, set(encodeSequence(...fields))))),
      `unsupported: ${label}: signatureAlgorithm ${oid} with ${hash}`
    )
  }
})

t.test('mutated: nothing but a LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const start = contentInfo(...HEAD, CONTENT, context(0, encodeSequence()), SIGNER_INFOS)
  let accepted = 0
  for (let i = 0; i < 3000; i++) {
    const parsed = await unlessRefused(() => read(mutate(start, random)))
    if (parsed !== undefined) accepted++
  }
  t.ok(accepted > 0, `${accepted} accepted`)
  t.same(read(start).signature, SIGNATURE)
})
