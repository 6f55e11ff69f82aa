import { constants, createHash, privateEncrypt, sign } from 'node:crypto'
import t from 'tap'
import { encodeNull, encodeOctetString, parseDer } from '../../src/encoding/der.js'
import { parseCertificate } from '../../src/x509/certificate.js'
import { verifyPkcs7Signer } from '../../src/x509/pkcs7-signer.js'
import { readSigner } from '../../src/x509/pkcs7.js'
import {
  algorithmId,
  attribute,
  ecSigner,
  newTestSigner,
  PKCS7_OID,
  pssAlgorithm,
  rsaSigner,
  signedAttributes,
  signerInfo,
  type SignerParts,
  signPss,
  text
} from '../helpers/pkcs7.js'
import { refusalText } from '../helpers/refusals.js'

const content = text('content')
const certificates = [ecSigner, rsaSigner].map(({ certificate }) => parseCertificate(certificate))

const verify = (
  parts: Partial<SignerParts> = {},
  {
    bytes = content,
    type = PKCS7_OID.data as string | undefined,
    among = certificates,
    serialNumber = undefined as bigint | undefined
  } = {}
) => {
  const info = readSigner(parseDer(signerInfo({ content, ...parts })))
  const named = serialNumber === undefined ? info : { ...info, serialNumber }
  return verifyPkcs7Signer(named, { bytes, type }, among)
}

t.test('what is good', async (t) => {
  const cases: readonly (readonly [name: string, parts: Partial<SignerParts>])[] = [
    ['ECDSA', {}],
    ['ECDSA, the content itself', { attributes: 'none' }],
    ['RSA', { signer: rsaSigner }],
    ['RSA, the content itself', { signer: rsaSigner, attributes: 'none' }],
    ...['sha1', 'sha224', 'sha256', 'sha384', 'sha512'].flatMap((hash) => [
      [`ECDSA over ${hash}`, { hash }] as const,
      [`RSA over ${hash}`, { signer: rsaSigner, hash }] as const,
      [
        `PSS over ${hash}`,
        {
          signer: rsaSigner,
          hash,
          signatureAlgorithm: pssAlgorithm(hash, 20),
          signature: signPss(rsaSigner, hash, 20)
        }
      ] as const
    ]),
    [
      'attributes in another order, and unknown ones',
      { attributes: [attribute('1.2.3', encodeNull()), ...signedAttributes({ content })].reverse() }
    ],
    [
      'attributes without the type of the content',
      { attributes: signedAttributes({ content }).slice(1) }
    ],
    ['the bare digest padded', { signer: rsaSigner, signature: padBareDigest }]
  ]
  for (const [name, parts] of cases) await t.resolves(verify(parts), name)
  await t.resolves(verify({}, { type: undefined }), 'content without type')
})

function padBareDigest(signedBytes: Uint8Array, signer = rsaSigner): Uint8Array {
  const digest = createHash('sha256').update(signedBytes).digest()
  const key = { key: signer.privateKey, padding: constants.RSA_PKCS1_PADDING }
  return Uint8Array.from(privateEncrypt(key, digest))
}

t.test('what is not', async (t) => {
  const [type, digest] = signedAttributes({ content }) as readonly [Uint8Array, Uint8Array]
  const small = newTestSigner('rsa1024', 'small')
  const tiny = newTestSigner('rsa768', 'tiny')
  const short = newTestSigner('rsa1020', 'short')
  const amongShort = { among: [parseCertificate(short.certificate)] }
  const amongTiny = { among: [parseCertificate(tiny.certificate)] }
  const edwards = newTestSigner('ed25519', 'edwards')
  const other = text('other')
  const mismatch = 'verification_failed: pkcs7: content digest does not match'
  const badEcdsa = 'verification_failed: invalid signature when validating ASN.1 encoded signature'
  const badRsa = 'verification_failed: crypto/rsa: verification error'
  const wrongKey = 'verification_failed: incorrect key type for signature'
  const cases: readonly (readonly [
    name: string,
    parts: Partial<SignerParts>,
    message: string | RegExp,
    options?: Parameters<typeof verify>[1]
  ])[] = [
    ['other content', {}, mismatch, { bytes: other }],
    ['other content, signed itself', { attributes: 'none' }, badEcdsa, { bytes: other }],
    [
      'other content, signed by RSA',
      { attributes: 'none', signer: rsaSigner },
      badRsa,
      { bytes: other }
    ],
    [
      'no digest',
      { attributes: [type] },
      'verification_failed: pkcs7: attribute not found: 1.2.840.113549.1.9.4'
    ],
    [
      'digest that is no string of bytes',
      { attributes: [attribute(PKCS7_OID.messageDigest, encodeNull())] },
      /^invalid_request: pkcs7: messageDigest/
    ],
    [
      'two digests',
      {
        attributes: [
          attribute(PKCS7_OID.messageDigest, encodeOctetString(content), encodeOctetString(other))
        ]
      },
      'invalid_request: pkcs7: attribute 1.2.840.113549.1.9.4 has not one value'
    ],
    ['another hash in the digest', { attributes: [type, digest], hash: 'sha512' }, mismatch],
    [
      'content of another type',
      { contentType: '1.2.3' },
      'verification_failed: pkcs7: content type does not match'
    ],
    [
      'a type that is none',
      { attributes: [attribute(PKCS7_OID.contentType, encodeNull()), digest] },
      /^invalid_request: pkcs7: contentType/
    ],
    [
      'unknown hash',
      { digestAlgorithm: algorithmId('1.2.3') },
      'unsupported: pkcs7: unsupported hash algorithm 1.2.3'
    ],
    [
      'no certificate',
      {},
      /^verification_failed: certificate missing from signedData: serial=[0-9a-f]+$/,
      { among: certificates.slice(1) }
    ],
    [
      'a serial number of many digits',
      {},
      `verification_failed: certificate missing from signedData: serial=1${'0'.repeat(199)}…`,
      { serialNumber: 1n << 4000n }
    ],
    ['RSA with a key of ECDSA', { signatureAlgorithm: algorithmId(PKCS7_OID.rsa) }, wrongKey],
    [
      'ECDSA with a key of RSA',
      { signer: rsaSigner, signatureAlgorithm: algorithmId(PKCS7_OID.ecdsa) },
      wrongKey
    ],
    [
      'a key of Ed25519',
      { signer: edwards, signature: () => new Uint8Array(64) },
      wrongKey,
      { among: [parseCertificate(edwards.certificate)] }
    ],
    ['an empty signature', { signature: () => new Uint8Array(0) }, /^verification_failed: ecdsa: /],
    [
      'an empty signature of RSA',
      { signer: rsaSigner, signature: () => new Uint8Array(0) },
      badRsa
    ],
    [
      'r and s side by side',
      {
        signature: (bytes) =>
          sign('sha256', bytes, { key: ecSigner.privateKey, dsaEncoding: 'ieee-p1363' })
      },
      'verification_failed: invalid ECDSA signature'
    ],
    [
      'the digest of something else padded',
      { signer: rsaSigner, signature: () => padBareDigest(other) },
      badRsa
    ],
    ['PSS as PKCS#1', { signer: rsaSigner, signature: signPss(rsaSigner, 'sha256', 32) }, badRsa],
    [
      'PKCS#1 as PSS',
      { signer: rsaSigner, signatureAlgorithm: pssAlgorithm('sha256', 32) },
      badRsa
    ],
    [
      'another length of salt',
      {
        signer: rsaSigner,
        signatureAlgorithm: pssAlgorithm('sha256', 32),
        signature: signPss(rsaSigner, 'sha256', 20)
      },
      badRsa
    ],
    [
      'a salt longer than the key has room for',
      {
        signer: small,
        hash: 'sha512',
        signatureAlgorithm: pssAlgorithm('sha512', 2048),
        signature: () => new Uint8Array(128)
      },
      badRsa,
      { among: [parseCertificate(small.certificate)] }
    ],
    [
      'a short key',
      { signer: tiny },
      /^verification_failed: crypto\/rsa: 768-bit keys are insecure/,
      amongTiny
    ],
    [
      'a short key with PSS',
      {
        signer: tiny,
        signatureAlgorithm: pssAlgorithm('sha256', 20),
        signature: signPss(tiny, 'sha256', 20)
      },
      badRsa,
      amongTiny
    ],
    [
      'a key that is short by bits but not by bytes, with PSS',
      {
        signer: short,
        signatureAlgorithm: pssAlgorithm('sha256', 20),
        signature: signPss(short, 'sha256', 20)
      },
      badRsa,
      amongShort
    ],
    [
      'the bare digest padded, by such a key',
      { signer: short, signature: (bytes) => padBareDigest(bytes, short) },
      /^verification_failed: crypto\/rsa: 1020-bit keys are insecure/,
      amongShort
    ],
    [
      'a number not below the modulus',
      { signer: rsaSigner, signature: () => new Uint8Array(256).fill(0xff) },
      badRsa
    ]
  ]
  for (const [name, parts, message, options] of cases) {
    t.match(await refusalText(() => verify(parts, options)), message, name)
  }
})
