import t from 'tap'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeNull,
  encodeOid,
  encodeSequence,
  parseDer
} from '../../src/encoding/der.js'
import { decodeSinglePem } from '../../src/encoding/pem.js'
import {
  findAttribute,
  MAX_PKCS7_SIGNERS,
  parsePkcs7,
  readPkcs7,
  readSigner
} from '../../src/x509/pkcs7.js'
import { mutate } from '../helpers/mutations.js'
import {
  algorithmId,
  attribute,
  editDer,
  HASH_OIDS,
  pkcs7,
  PKCS7_OID,
  ecSigner,
  rsaSigner,
  signerInfo,
  signPkcs7,
  text
} from '../helpers/pkcs7.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { computedVector, rekorVector, rekorVectorText } from '../helpers/vectors.js'

const fixture = decodeSinglePem(rekorVector('pki/pkcs7/sig.pkcs7.pem'), 'PKCS7')
const content = text('content')
const plain = signPkcs7(content, {}, true)
const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')

t.test('the signature of a real JAR file', async (t) => {
  const read = parsePkcs7(fixture)
  t.equal(read.contentType, PKCS7_OID.data)
  const signed = Buffer.from(rekorVectorText('inline/pkcs7/signedContent.b64'), 'base64')
  t.equal(hex(read.content), signed.toString('hex'))
  t.equal(read.certificates.length, 2)
  const [certificate] = read.certificates
  const pem = rekorVector('inline/jar_expected_certificate.pem')
  t.equal(hex(certificate), hex(decodeSinglePem(pem, 'CERTIFICATE')))
  t.equal(read.signers.length, 1)
  const [signer] = read.signers
  t.equal(signer?.serialNumber, 0xd21ab55e38b011281e14174008b73ff1dc4dfen)
  t.equal(signer?.signedAttributes, undefined)
  t.same(
    signer?.unsignedAttributes?.list.map(({ oid }) => oid),
    [PKCS7_OID.timestampToken]
  )
  const { spec } = JSON.parse(computedVector('jar').canonicalBody) as {
    spec: { signature: { content: string } }
  }
  const logged = decodeSinglePem(Buffer.from(spec.signature.content, 'base64'), 'PKCS7')
  t.equal(hex(read.detached), hex(logged))
  t.equal(hex(parsePkcs7(read.detached).detached), hex(logged), 'once more')
  t.equal(parsePkcs7(read.detached).content, undefined)
})

t.test('sets are put in order, certificates and revocation lists keep theirs', async (t) => {
  const sha512 = algorithmId(HASH_OIDS['sha512'] ?? '')
  const sha1 = algorithmId(HASH_OIDS['sha1'] ?? '')
  const one = signerInfo({ content })
  const two = signerInfo({ content, signer: rsaSigner })
  const list = encodeSequence(
    encodeSequence(),
    algorithmId(PKCS7_OID.rsa),
    encodeDer(DER_TAG.bitString, Uint8Array.of(0))
  )
  const certificates = [rsaSigner.certificate, ecSigner.certificate]
  const build = (digestAlgorithms: Uint8Array[], signers: Uint8Array[], withContent: boolean) =>
    pkcs7({
      content: withContent ? content : undefined,
      certificates,
      revocations: [list, list],
      digestAlgorithms,
      signers
    })
  const longest = one.length > two.length ? [two, one] : [one, two]
  const sorted = build([sha1, sha512], longest, false)
  const { detached, signers } = parsePkcs7(build([sha512, sha1], [...longest].reverse(), true))
  t.equal(hex(detached), hex(sorted))
  t.equal(signers.length, 2)
  t.equal(hex(parsePkcs7(sorted).detached), hex(sorted))
})

t.test('what may be missing, and what may follow', async (t) => {
  const bare = pkcs7({ certificates: [], signers: [] })
  t.match(parsePkcs7(bare), { content: undefined, certificates: [], signers: [] })
  t.equal(hex(parsePkcs7(bare).detached), hex(bare))
  const padded = Uint8Array.from([...plain, 0, 0, 0])
  t.equal(hex(parsePkcs7(padded).detached), hex(parsePkcs7(plain).detached))
  t.equal(
    await refusalText(() => parsePkcs7(Uint8Array.from([...plain, 0, 1]))),
    'invalid_request: pkcs7: trailing garbage after PKCS#7 structure'
  )
})

// Children of the SignedData in `plain`: version, digests, content, certificates, signers.
const SIGNED_DATA = [1, 0]
const SIGNER = [...SIGNED_DATA, 4, 0]
const ATTRIBUTES = [...SIGNER, 3]

t.test('what is malformed', async (t) => {
  const oid = encodeOid('1.2.3')
  const none = (): readonly Uint8Array[] => []
  const twice = (element: Uint8Array) => [element, element]
  const with_ = (element: Uint8Array) => () => [element]
  const cases: readonly (readonly [
    name: string,
    path: readonly number[],
    change: (element: Uint8Array) => readonly Uint8Array[]
  ])[] = [
    ['no SEQUENCE', [], with_(encodeNull())],
    ['another content type', [0], with_(oid)],
    ['no content type', [0], none],
    ['a third field', [2], with_(oid)],
    ['no SignedData', [1], none],
    ['an empty wrapper', [1, 0], none],
    ['two of them', [1, 0], twice],
    ['no version', [...SIGNED_DATA, 0], none],
    ['version that is no number', [...SIGNED_DATA, 0], with_(encodeNull())],
    ['digest algorithms that are no set', [...SIGNED_DATA, 1], with_(encodeSequence())],
    ['a digest algorithm that is none', [...SIGNED_DATA, 1, 0], with_(oid)],
    ['a digest algorithm without name', [...SIGNED_DATA, 1, 0], with_(encodeSequence())],
    [
      'a digest algorithm with two parameters',
      [...SIGNED_DATA, 1, 0],
      with_(encodeSequence(oid, oid, oid))
    ],
    ['no content info', [...SIGNED_DATA, 2], none],
    ['content without type', [...SIGNED_DATA, 2, 0], none],
    ['content of two fields', [...SIGNED_DATA, 2, 2], with_(oid)],
    ['content in no wrapper', [...SIGNED_DATA, 2, 1], with_(oid)],
    ['an empty wrapper of content', [...SIGNED_DATA, 2, 1, 0], none],
    ['two contents', [...SIGNED_DATA, 2, 1, 0], twice],
    [
      'a revocation list that is none',
      [...SIGNED_DATA, 3],
      (certificates) => [certificates, encodeDer(contextTag(1, 'constructed'), oid)]
    ],
    [
      'a revocation list of four fields',
      [...SIGNED_DATA, 3],
      (certificates) => [
        certificates,
        encodeDer(
          contextTag(1, 'constructed'),
          encodeSequence(
            encodeSequence(),
            algorithmId(PKCS7_OID.rsa),
            encodeDer(DER_TAG.bitString, Uint8Array.of(0)),
            oid
          )
        )
      ]
    ],
    ['no signers', [...SIGNED_DATA, 4], none],
    ['more after the signers', [...SIGNED_DATA, 5], with_(oid)],
    ['a signer that is none', SIGNER, with_(oid)],
    ['a signer without version', [...SIGNER, 0], none],
    ['a signer without certificate', [...SIGNER, 1], none],
    ['a signer by key id', [...SIGNER, 1], with_(encodeDer(contextTag(0, 'primitive'), content))],
    ['a signer without issuer', [...SIGNER, 1], with_(encodeSequence())],
    ['a signer without serial number', [...SIGNER, 1, 1], none],
    ['a signer of three parts', [...SIGNER, 1, 2], with_(oid)],
    ['a signer without digest algorithm', [...SIGNER, 2], none],
    ['a signer without signature algorithm', [...SIGNER, 4], none],
    ['a signer without signature', [...SIGNER, 5], none],
    ['a signature that is null', [...SIGNER, 5], with_(encodeNull())],
    ['more after the signature', [...SIGNER, 6], with_(oid)],
    ['attributes without any', ATTRIBUTES, with_(encodeDer(contextTag(0, 'constructed')))],
    ['an attribute that is none', [...ATTRIBUTES, 0], with_(oid)],
    ['an attribute without values', [...ATTRIBUTES, 0, 1], none],
    ['an attribute whose values are no set', [...ATTRIBUTES, 0, 1], with_(oid)],
    ['an attribute of three fields', [...ATTRIBUTES, 0, 2], with_(oid)],
    ['an attribute twice', [...ATTRIBUTES, 0], twice],
    ['too many signers', SIGNER, (signer) => Array(MAX_PKCS7_SIGNERS + 1).fill(signer)]
  ]
  const failures: string[] = []
  for (const [name, path, change] of cases) {
    const changed = editDer(plain, path, change)
    const refused = await refusalText(() => parsePkcs7(changed)).catch(String)
    if (!refused.startsWith('invalid_request: pkcs7')) failures.push(`${name}: ${refused}`)
  }
  t.same(failures, [])
  t.same(
    editDer(plain, SIGNER, (signer) => [signer]),
    plain,
    'changing nothing changes nothing'
  )
})

t.test('indefinite lengths and other BER', async (t) => {
  const ber = Uint8Array.from([0x30, 0x80, ...encodeOid(PKCS7_OID.signedData), 0, 0])
  t.match(await refusalText(() => parsePkcs7(ber)), /^invalid_request: pkcs7: length not in DER/)
  t.match(await refusalText(() => parsePkcs7(new Uint8Array(0))), /^invalid_request: pkcs7: /)
  t.match(await refusalText(() => readPkcs7(undefined)), /^invalid_request: /)
})

t.test('attributes', async (t) => {
  const info = signerInfo({
    content,
    attributes: [attribute('1.2.3', encodeNull()), attribute('1.2.4', encodeNull(), encodeNull())]
  })
  const { signedAttributes, unsignedAttributes } = readSigner(parseDer(info))
  t.equal(findAttribute(signedAttributes, '1.2.3')?.tag, DER_TAG.null)
  t.equal(findAttribute(signedAttributes, '1.2.5'), undefined)
  t.equal(findAttribute(unsignedAttributes, '1.2.3'), undefined)
  t.equal(
    await refusalText(() => findAttribute(signedAttributes, '1.2.4')),
    'invalid_request: pkcs7: attribute 1.2.4 has not one value'
  )
  t.equal(signedAttributes?.encoded[0], DER_TAG.set)
})

t.test('mutated structures are refused or have one canonical form', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const failures: string[] = []
  let read = 0
  for (let i = 0; i < 2000; i++) {
    const bytes =
      i % 4 === 0 ? random.bytes(random.below(60)) : mutate(i % 4 === 1 ? fixture : plain, random)
    const parsed = await unlessRefused(() => parsePkcs7(bytes))
    if (parsed === undefined) continue
    read++
    if (hex(parsePkcs7(parsed.detached).detached) !== hex(parsed.detached)) {
      failures.push(hex(bytes) ?? '')
    }
  }
  t.same(failures, [])
  t.comment(`${read} of 2000 read`)
})
