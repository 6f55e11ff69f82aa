import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { hashData } from '../../src/keys/verify.js'
import {
  parseX509Key,
  verifyX509Digest,
  type X509Key,
  x509Format
} from '../../src/x509/x509-format.js'
import {
  basicConstraints,
  certificate,
  general,
  name,
  spkiOf,
  subjectAltName
} from '../helpers/certificates.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector, rekorVectorText } from '../helpers/vectors.js'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const data = encodeUtf8('data')
const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const root = encodePem(
  'CERTIFICATE',
  certificate({
    subject: name('ca'),
    issuer: name('ca'),
    key: ca.publicKey,
    signer: ca.privateKey,
    extensions: [basicConstraints(true)]
  })
)
const leaf = encodePem(
  'CERTIFICATE',
  certificate({
    subject: name('signer'),
    issuer: name('ca'),
    key: signer.publicKey,
    signer: ca.privateKey,
    extensions: [subjectAltName([general.email('Signer@Example.com'), general.dns('example.com')])]
  })
)
const publicKey = encodePem('PUBLIC KEY', spkiOf(signer.publicKey))
const parse = (pem: string) => parseX509Key(encodeUtf8(pem))

t.test('fixture', async (t) => {
  t.equal(x509Format.name, 'x509')
  const key = await x509Format.parseKey(rekorVector('pki/x509/ec.pub'))
  const signature = await x509Format.parseSignature(rekorVector('pki/x509/hello_world.txt.sig'))
  await x509Format.verify(key, signature, rekorVector('pki/x509/hello_world.txt'))
  t.ok(equalBytes(signature.canonical, rekorVector('pki/x509/hello_world.txt.sig')))
})

t.test('canonical PEM', (t) => {
  t.equal(
    text(parseX509Key(rekorVector('inline/keys/x509_pubWithTrailingNewLine.pem')).canonical),
    rekorVectorText('inline/keys/x509_pubStr.pem')
  )
  for (const [title, input, canonical] of [
    ['key', publicKey, publicKey],
    ['no newline', publicKey.trimEnd(), publicKey],
    ['white space around', `\v\f\r\n \t${publicKey}\n \t\r\n`, publicKey],
    ['CRLF', publicKey.replaceAll('\n', '\r\n'), publicKey],
    ['text before', `this is a key\n${publicKey}`, publicKey],
    ['headers', publicKey.replace('\n', '\nA: b\n\n'), publicKey],
    ['one line', publicKey.replace(/(?<=[A-Za-z0-9+/])\n(?=[A-Za-z0-9+/])/g, ''), publicKey],
    ['certificate', leaf, leaf],
    ['chain', leaf + root, leaf + root],
    ['chain with text', `leaf\n${leaf}\nroot\n${root}`, leaf + root],
    ['chain in the other order', root + leaf, root + leaf]
  ] as const) {
    t.equal(text(parse(input).canonical), canonical, title)
  }
  t.end()
})

t.test('subjects are those of the first certificate', (t) => {
  const names = ['example.com', 'Signer@Example.com']
  t.same(parse(publicKey).subjects, [])
  t.same(parse(leaf).subjects, names)
  t.same(parse(leaf + root).subjects, names)
  t.same(parse(root + leaf).subjects, [])
  t.end()
})

t.test('verification with key, certificate and chain, over data and digest', async (t) => {
  const signature = sign('sha256', data, signer.privateKey)
  const digest = hashData('sha256', data)
  const checkDigest = (key: X509Key, bytes: Uint8Array) =>
    verifyX509Digest(key, { hashName: 'sha256', digest, signature: bytes })
  for (const pem of [publicKey, leaf, leaf + root]) {
    await x509Format.verify(parse(pem), { canonical: signature }, data)
    await checkDigest(parse(pem), signature)
  }
  const other = parse(encodePem('PUBLIC KEY', spkiOf(ca.publicKey)))
  const invalid = 'verification_failed: invalid signature when validating ASN.1 encoded signature'
  const empty = 'verification_failed: X509 signature has not been initialized'
  const noChain = 'verification_failed: x509: certificate signed by unknown authority'
  const swapped = parse(leaf + leaf.replace(leaf, root) + publicKeyCertificate())
  t.equal(
    await refusalText(() => x509Format.verify(other, { canonical: signature }, data)),
    invalid
  )
  t.equal(await refusalText(() => checkDigest(other, signature)), invalid)
  for (const key of [parse(publicKey), swapped]) {
    const canonical = new Uint8Array(0)
    t.equal(await refusalText(() => x509Format.verify(key, { canonical }, data)), empty)
    t.equal(await refusalText(() => checkDigest(key, canonical)), empty)
  }
  t.equal(
    await refusalText(() => x509Format.verify(swapped, { canonical: signature }, data)),
    noChain
  )
  t.equal(await refusalText(() => checkDigest(swapped, signature)), noChain)
  const asked: unknown[] = []
  const signed = { hashName: 'sha256', digest, signature } as const
  await verifyX509Digest(parse(leaf + root), signed, async (check) => {
    asked.push(check)
  })
  t.strictSame(asked, [{ key: parse(leaf).publicKey, ...signed }], 'somebody else may check it')
})

/** A root that signed nothing here. */
function publicKeyCertificate(): string {
  return encodePem('CERTIFICATE', certificate({ subject: name('stranger') }))
}

t.test('refused', async (t) => {
  const spki = spkiOf(signer.publicKey)
  for (const [title, pem, message] of [
    ['empty', '', 'invalid_request: invalid public key: failure decoding PEM'],
    ['white space', ' \n', 'invalid_request: invalid public key: failure decoding PEM'],
    ['no PEM', 'ssh-ed25519 AAAA', 'invalid_request: invalid public key: failure decoding PEM'],
    [
      'RSA PUBLIC KEY',
      encodePem('RSA PUBLIC KEY', spki),
      'unsupported: invalid public key: cannot handle type RSA PUBLIC KEY'
    ],
    [
      'private key',
      encodePem('PRIVATE KEY', spki),
      'unsupported: invalid public key: cannot handle type PRIVATE KEY'
    ],
    [
      'a long label',
      encodePem('X'.repeat(1000), spki),
      `unsupported: invalid public key: cannot handle type ${'X'.repeat(200)}…`
    ],
    [
      'a long label after a certificate',
      leaf + encodePem('X'.repeat(1000), spki),
      `invalid_request: invalid certificate chain: cannot handle type ${'X'.repeat(200)}…`
    ],
    [
      'key that is a certificate',
      leaf.replaceAll('CERTIFICATE', 'PUBLIC KEY'),
      'invalid_request: x509: public key: expected tag 0x6, found tag 0xa0'
    ],
    [
      'certificate that is a key',
      publicKey.replaceAll('PUBLIC KEY', 'CERTIFICATE'),
      /^invalid_request: x509: malformed/
    ],
    [
      'data after the key',
      `${publicKey}x`,
      'invalid_request: invalid certificate chain: cannot handle type PUBLIC KEY'
    ],
    [
      'two keys',
      publicKey + publicKey,
      'invalid_request: invalid certificate chain: cannot handle type PUBLIC KEY'
    ],
    ['data after the certificate', `${leaf}x`, 'invalid_request: error during PEM decoding'],
    [
      'certificate and key',
      leaf + publicKey,
      'invalid_request: invalid certificate chain: cannot handle type PUBLIC KEY'
    ],
    [
      'eleven certificates',
      leaf + root.repeat(10),
      'invalid_request: too many certificates specified in PEM block'
    ]
  ] as const) {
    const found = await refusalText(() => x509Format.parseKey(encodeUtf8(pem)))
    if (typeof message === 'string') t.equal(found, message, title)
    else t.match(found, message, title)
  }
  t.equal(parse(leaf + root.repeat(9)).chain.length, 10)
})

t.test('mutated files: a LogError, or something canonical', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const originals = [publicKey, leaf, leaf + root].map(encodeUtf8)
  let accepted = 0
  for (let i = 0; i < 1500; i++) {
    const bytes = mutate(random.pick(originals), random)
    const key = await unlessRefused(() => parseX509Key(bytes))
    if (key === undefined) continue
    accepted++
    if (!equalBytes(parseX509Key(key.canonical).canonical, key.canonical)) {
      t.fail(Buffer.from(bytes).toString('hex'))
    }
  }
  t.ok(accepted > 0, `${accepted} accepted`)
})
