import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeBitString,
  encodeDer,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../../src/encoding/der.js'
import { decodePem } from '../../src/encoding/pem.js'
import {
  findExtension,
  OID_SUBJECT_ALT_NAME,
  parseCertificate
} from '../../src/x509/certificate.js'
import {
  basicConstraints,
  boolean,
  certificate,
  ECDSA_SHA256,
  extension,
  general,
  keyUsage,
  name,
  OID,
  rawName,
  spkiOf,
  subjectAltName,
  utcTime
} from '../helpers/certificates.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector, rekorVectorText } from '../helpers/vectors.js'

const version = (number: bigint) =>
  encodeDer(contextTag(0, 'constructed'), encodeUnsignedInteger(number))

t.test('an ordinary certificate, as Node reads it too', (t) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const der = certificate({
    key: publicKey,
    notBefore: utcTime('240229123456Z'),
    notAfter: encodeDer(DER_TAG.generalizedTime, Buffer.from('20600102030405Z')),
    extensions: [
      basicConstraints(true, 3),
      keyUsage(5, 6),
      subjectAltName([general.dns('example.com')]),
      extension('1.2.3', encodeNull())
    ]
  })
  const read = parseCertificate(der)
  const node = new X509Certificate(der)
  t.ok(equalBytes(read.der, node.raw))
  t.ok(equalBytes(read.publicKey.spki, spkiOf(node.publicKey)))
  t.equal(read.serialNumber, BigInt(`0x${node.serialNumber}`))
  t.equal(read.notBeforeSeconds, Date.parse(node.validFrom) / 1000)
  t.equal(read.notAfterSeconds, Date.parse(node.validTo) / 1000)
  t.ok(equalBytes(read.issuer, name('issuer')))
  t.ok(equalBytes(read.subject, name('subject')))
  t.same(read.subjectAltName, { names: ['example.com'], hasStandardName: true })
  t.same(read.basicConstraints, { isCa: true, maxPathLength: 3 })
  t.equal(read.mayCertSign, true)
  t.equal(read.signatureAlgorithmOid, OID.ecdsaSha256)
  t.same(
    read.extensions.map(({ oid, critical }) => [oid, critical]),
    [
      [OID.basicConstraints, true],
      [OID.keyUsage, true],
      [OID.subjectAltName, false],
      ['1.2.3', false]
    ]
  )
  t.ok(findExtension(read.extensions, OID_SUBJECT_ALT_NAME))
  t.equal(findExtension(read.extensions, '1.2.4'), undefined)
  t.end()
})

t.test('certificates from elsewhere', (t) => {
  const body = JSON.parse(rekorVectorText('inline/committed_hashedrekord_body.json')) as {
    spec: { signature: { publicKey: { content: string } } }
  }
  const files = [
    rekorVector('inline/jar_expected_certificate.pem'),
    rekorVector('inline/pkcs7/pkcsKeyCert.pem'),
    rekorVector('inline/pkcs7/pkcsEmailCert.pem'),
    Buffer.from(body.spec.signature.publicKey.content, 'base64')
  ]
  for (const pem of files) {
    const block = decodePem(pem)?.block
    if (block?.type !== 'CERTIFICATE') {
      t.comment(`${block?.type}: not a certificate`)
      continue
    }
    const read = parseCertificate(block.bytes)
    const node = new X509Certificate(block.bytes)
    t.equal(
      read.notBeforeSeconds,
      Date.parse(node.validFrom) / 1000,
      node.subjectAltName ?? 'no SAN'
    )
    t.ok(equalBytes(read.publicKey.spki, spkiOf(node.publicKey)))
    t.equal(read.basicConstraints?.isCa ?? false, node.ca)
  }
  t.end()
})

t.test('variants that are allowed', (t) => {
  const bits = encodeDer(contextTag(1, 'primitive'), Uint8Array.of(0, 1))
  const bits2 = encodeDer(contextTag(2, 'primitive'), Uint8Array.of(0, 1))
  for (const [title, der] of [
    ['version 1', certificate({ version: 'none', extensions: 'none' })],
    [
      'version 2 with unique ids',
      certificate({ version: version(1n), extensions: 'none', uniqueIds: [bits, bits2] })
    ],
    ['version 3 without extensions', certificate({ extensions: 'none' })],
    ['version 3 with unique ids', certificate({ uniqueIds: [bits2] })],
    [
      'critical false',
      certificate({
        extensions: [encodeSequence(encodeOid('1.2.3'), boolean(false), encodeDer(4))]
      })
    ],
    ['empty names', certificate({ subject: encodeSequence(), issuer: encodeSequence() })],
    ['printable name', certificate({ subject: name('A b*&?', DER_TAG.printableString) })],
    ['IA5 name', certificate({ subject: name('a@b', DER_TAG.ia5String) })],
    ['T61 name', certificate({ subject: name('é', 0x14) })]
  ] as const) {
    t.ok(equalBytes(parseCertificate(der).der, der), title)
  }
  t.end()
})

t.test('basic constraints and key usage', (t) => {
  const read = (...extensions: Uint8Array[]) => parseCertificate(certificate({ extensions }))
  t.same(read(basicConstraints(false)).basicConstraints, { isCa: false, maxPathLength: undefined })
  t.same(read(basicConstraints(true)).basicConstraints, { isCa: true, maxPathLength: undefined })
  t.same(read(basicConstraints(false, 0)).basicConstraints, { isCa: false, maxPathLength: 0 })
  t.equal(read().basicConstraints, undefined)
  t.equal(read().mayCertSign, true)
  t.equal(read(keyUsage(5)).mayCertSign, true)
  t.equal(read(keyUsage(0)).mayCertSign, false)
  t.equal(read(keyUsage()).mayCertSign, true, 'Go: no bit at all is as no extension')
  t.equal(read(extension(OID.keyUsage, encodeBitString(new Uint8Array(0)))).mayCertSign, true)
  t.end()
})

const set = (tag: number) => encodeDer(tag)
const invalidName = /invalid RDNSequence|malformed name/

const REFUSED: readonly (readonly [string, Uint8Array, string | RegExp])[] = [
  ['not DER', Uint8Array.of(1), 'invalid_request: x509: malformed certificate: length missing'],
  [
    'trailing byte',
    Uint8Array.from([...certificate(), 0]),
    'invalid_request: x509: malformed certificate: trailing data'
  ],
  ['empty', encodeSequence(), 'invalid_request: x509: malformed tbs certificate'],
  [
    'element after the signature',
    certificate({ afterSignature: [encodeNull()] }),
    'invalid_request: x509: malformed certificate'
  ],
  [
    'version 1 written out',
    certificate({ version: version(0n) }),
    'invalid_request: x509: malformed version'
  ],
  ['version 4', certificate({ version: version(3n) }), 'invalid_request: x509: malformed version'],
  [
    'two versions',
    certificate({
      version: encodeDer(contextTag(0, 'constructed'), encodeUnsignedInteger(2n), encodeNull())
    }),
    'invalid_request: x509: malformed version'
  ],
  ['no serial', certificate({ serial: encodeNull() }), /malformed serial number/],
  [
    'negative serial',
    certificate({ serial: encodeDer(2, Uint8Array.of(0x80)) }),
    'invalid_request: x509: negative serial number'
  ],
  [
    'algorithm no sequence',
    certificate({ algorithm: encodeNull() }),
    /malformed signature algorithm identifier/
  ],
  [
    'algorithms differ',
    certificate({ outerAlgorithm: encodeSequence(encodeOid(OID.ed25519)) }),
    "invalid_request: x509: inner and outer signature algorithm identifiers don't match"
  ],
  ['issuer no sequence', certificate({ issuer: encodeNull() }), invalidName],
  ['name no set', certificate({ issuer: encodeSequence(encodeNull()) }), invalidName],
  [
    'name attribute no sequence',
    certificate({ subject: encodeSequence(encodeDer(DER_TAG.set, encodeNull())) }),
    invalidName
  ],
  [
    'name attribute without value',
    certificate({
      subject: encodeSequence(encodeDer(DER_TAG.set, encodeSequence(encodeOid('1.2'))))
    }),
    invalidName
  ],
  [
    'name attribute with two values',
    certificate({
      subject: encodeSequence(
        encodeDer(DER_TAG.set, encodeSequence(encodeOid('1.2'), encodeNull(), encodeNull()))
      )
    }),
    invalidName
  ],
  [
    'name not UTF-8',
    certificate({ subject: rawName(encodeDer(DER_TAG.utf8String, Uint8Array.of(0xff))) }),
    /not valid UTF-8/
  ],
  [
    'name not printable',
    certificate({ subject: name('a@b', DER_TAG.printableString) }),
    /invalid PrintableString/
  ],
  ['name not IA5', certificate({ subject: name('é', DER_TAG.ia5String) }), /invalid IA5String/],
  [
    'time malformed',
    certificate({ notBefore: utcTime('2501010000Z') }),
    /malformed notBefore: malformed time/
  ],
  ['time of another type', certificate({ notAfter: encodeNull() }), /malformed notAfter/],
  [
    'key of another kind',
    certificate({ spki: spkiOf(generateKeyPairSync('x25519').publicKey) }),
    'unsupported: x509: unknown public key algorithm'
  ],
  ['key no sequence', certificate({ spki: encodeNull() }), /x509: public key/],
  [
    'key and extensions missing',
    encodeSequence(
      encodeSequence(
        version(2n),
        encodeUnsignedInteger(7n),
        ECDSA_SHA256,
        name('i'),
        encodeSequence(utcTime('250101000000Z'), utcTime('250101000000Z')),
        name('s')
      ),
      ECDSA_SHA256,
      encodeBitString(new Uint8Array(1))
    ),
    'invalid_request: x509: malformed spki'
  ],
  [
    'unique id in version 1',
    certificate({
      version: 'none',
      extensions: 'none',
      uniqueIds: [encodeDer(contextTag(1, 'primitive'))]
    }),
    'invalid_request: x509: malformed extensions'
  ],
  [
    'extensions in version 2',
    certificate({ version: version(1n) }),
    'invalid_request: x509: malformed extensions'
  ],
  [
    'element after the extensions',
    certificate({ afterExtensions: [encodeNull()] }),
    'invalid_request: x509: malformed extensions'
  ],
  [
    'two lists of extensions',
    certificate({
      extensions: 'none',
      afterExtensions: [encodeDer(contextTag(3, 'constructed'), encodeSequence(), encodeSequence())]
    }),
    'invalid_request: x509: malformed extensions'
  ],
  [
    'extensions in a set',
    certificate({
      extensions: 'none',
      afterExtensions: [encodeDer(contextTag(3, 'constructed'), set(DER_TAG.set))]
    }),
    /malformed extensions: expected tag/
  ],
  [
    'extension no sequence',
    certificate({ extensions: [encodeNull()] }),
    /malformed extension: expected tag/
  ],
  [
    'extension without value',
    certificate({ extensions: [encodeSequence(encodeOid('1.2.3'))] }),
    /malformed extension: expected tag 0x4/
  ],
  [
    'extension with more',
    certificate({ extensions: [encodeSequence(encodeOid('1.2.3'), encodeDer(4), encodeNull())] }),
    'invalid_request: x509: malformed extension'
  ],
  [
    'critical neither true nor false',
    certificate({
      extensions: [encodeSequence(encodeOid('1.2.3'), encodeDer(1, Uint8Array.of(1)), encodeDer(4))]
    }),
    /BOOLEAN neither/
  ],
  [
    'extension twice',
    certificate({
      extensions: [extension('1.2.3', encodeNull()), extension('1.2.3', encodeNull())]
    }),
    'invalid_request: x509: certificate contains duplicate extension with OID "1.2.3"'
  ],
  [
    'known extension not DER',
    certificate({ extensions: [extension('2.5.29.14', Uint8Array.of(4, 1))] }),
    /malformed extension 2\.5\.29\.14/
  ],
  [
    'basic constraints no sequence',
    certificate({ extensions: [extension(OID.basicConstraints, encodeNull())] }),
    /invalid basic constraints/
  ],
  [
    'path length negative',
    certificate({
      extensions: [
        extension(OID.basicConstraints, encodeSequence(encodeDer(2, Uint8Array.of(0xff))))
      ]
    }),
    'invalid_request: x509: invalid basic constraints'
  ],
  [
    'path length huge',
    certificate({ extensions: [basicConstraints(true, 2 ** 40)] }),
    'invalid_request: x509: invalid basic constraints'
  ],
  [
    'basic constraints with more',
    certificate({
      extensions: [
        extension(
          OID.basicConstraints,
          encodeSequence(boolean(true), encodeUnsignedInteger(1n), encodeNull())
        )
      ]
    }),
    'invalid_request: x509: invalid basic constraints'
  ],
  [
    'key usage no bits',
    certificate({ extensions: [extension(OID.keyUsage, encodeNull())] }),
    /invalid key usage/
  ],
  [
    'SAN no sequence',
    certificate({ extensions: [extension(OID.subjectAltName, encodeNull())] }),
    /invalid subject alternative names/
  ],
  [
    'signature no bits',
    encodeSequence(encodeSequence(), ECDSA_SHA256, encodeNull()),
    /malformed serial number/
  ]
]

t.test('refused', async (t) => {
  for (const [title, der, message] of REFUSED) {
    const text = await refusalText(() => parseCertificate(der))
    if (typeof message === 'string') t.equal(text, message, title)
    else t.match(text, message, title)
  }
})

t.test('mutated: a LogError, or a certificate that Node reads alike', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const original = certificate({
    extensions: [
      basicConstraints(true, 1),
      keyUsage(5),
      subjectAltName([general.email('a@b.c'), general.ip(1, 2, 3, 4)])
    ]
  })
  let parsed = 0
  let compared = 0
  for (let i = 0; i < 2000; i++) {
    const bytes = mutate(original, random)
    const read = await unlessRefused(() => parseCertificate(bytes))
    if (read === undefined) continue
    parsed++
    const node = readWithNode(bytes)
    if (node === undefined) continue
    compared++
    if (!equalBytes(spkiOf(node.publicKey), read.publicKey.spki)) {
      t.fail(Buffer.from(bytes).toString('hex'))
    }
  }
  t.ok(compared > 0, `${parsed} of 2000 were certificates, ${compared} of them to Node`)
})

/** Undefined where OpenSSL is the stricter one: it looks closer at names than Go does. */
function readWithNode(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}
