import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { encodeHex } from '../../../src/encoding/hex.js'
import { encodePem } from '../../../src/encoding/pem.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { type Hashedrekord, parseHashedrekord } from '../../../src/entries/hashedrekord/parse.js'
import { verifyHashedrekord } from '../../../src/entries/hashedrekord/verify.js'
import { hashData, type HashName } from '../../../src/keys/verify.js'
import { basicConstraints, certificate, name } from '../../helpers/certificates.js'
import { refusalText } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const data = encodeUtf8('artifact')
const vector = (file: string) => rekorVector(`hashedrekord/${file}`)

function entry(
  pem: Uint8Array,
  signature: Uint8Array,
  algorithm: HashName,
  of = data
): Hashedrekord {
  return parseHashedrekord({
    signature: { content: encodeBase64(signature), publicKey: { content: encodeBase64(pem) } },
    data: { hash: { algorithm, value: encodeHex(hashData(algorithm, of)) } }
  })
}

const pemOf = (key: KeyObject) => encodeUtf8(key.export({ type: 'spki', format: 'pem' }).toString())

t.test('kinds of keys, and the algorithm each is', async (t) => {
  for (const [type, pair, hash, algorithm] of [
    [
      'P-256',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      'sha256',
      'ecdsa-sha2-256-nistp256'
    ],
    [
      'P-384',
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      'sha384',
      'ecdsa-sha2-384-nistp384'
    ],
    [
      'P-521',
      generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      'sha512',
      'ecdsa-sha2-512-nistp521'
    ],
    [
      'P-224',
      generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
      'sha256',
      'ecdsa P-224 with sha256'
    ],
    [
      'RSA',
      generateKeyPairSync('rsa', { modulusLength: 3072 }),
      'sha256',
      'rsa-sign-pkcs1-3072-sha256'
    ]
  ] as const) {
    const signature = sign(hash, data, pair.privateKey)
    const verified = await verifyHashedrekord(entry(pemOf(pair.publicKey), signature, hash))
    t.equal(verified.clientAlgorithm, algorithm, type)
    t.equal(verified.attestation, undefined)
    t.match(
      await refusalText(() =>
        verifyHashedrekord(entry(pemOf(pair.publicKey), signature, hash, encodeUtf8('other')))
      ),
      /^verification_failed: verifying signature: (invalid signature|crypto\/rsa)/
    )
  }
})

t.test('IEEE P1363 is taken, and stays in the leaf as it came', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const { leafValue } = await verifyHashedrekord(entry(pemOf(publicKey), signature, 'sha256'))
  t.ok(Buffer.from(leafValue).toString().includes(encodeBase64(signature)))
})

t.test('Ed25519 means Ed25519ph', async (t) => {
  const key = vector('ed25519_public.pem')
  const file = vector('file1')
  const ph = await verifyHashedrekord(entry(key, vector('file1.ed25519ph.sig'), 'sha512', file))
  t.equal(ph.clientAlgorithm, 'ed25519-ph')
  t.equal(
    await refusalText(() =>
      verifyHashedrekord(entry(key, vector('file1.ed25519.sig'), 'sha512', file))
    ),
    'verification_failed: verifying signature: failed to verify signature: ed25519: invalid signature'
  )
  t.equal(
    await refusalText(() =>
      verifyHashedrekord(entry(key, vector('file1.ed25519ph.sig'), 'sha256', file))
    ),
    'verification_failed: verifying signature: unsupported hash algorithm: "SHA-256" not in [SHA-512]'
  )
})

t.test('no signature', async (t) => {
  t.equal(
    await refusalText(() =>
      verifyHashedrekord(entry(vector('ec_public.pem'), new Uint8Array(0), 'sha256'))
    ),
    'verification_failed: verifying signature: X509 signature has not been initialized'
  )
})

t.test('a chain must be one', async (t) => {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issue = (key: KeyObject, subject: string) =>
    encodePem(
      'CERTIFICATE',
      certificate({
        subject: name(subject),
        issuer: name('ca'),
        key,
        signer: ca.privateKey,
        extensions: subject === 'ca' ? [basicConstraints(true)] : []
      })
    )
  const signature = sign('sha256', data, signer.privateKey)
  const leaf = issue(signer.publicKey, 'signer')
  const good = encodeUtf8(leaf + issue(ca.publicKey, 'ca'))
  t.ok(await verifyHashedrekord(entry(good, signature, 'sha256')))
  const bad = encodeUtf8(leaf + encodePem('CERTIFICATE', certificate()))
  t.equal(
    await refusalText(() => verifyHashedrekord(entry(bad, signature, 'sha256'))),
    'verification_failed: verifying signature: x509: certificate signed by unknown authority'
  )
})

t.test('an error that is no LogError is not swallowed', async (t) => {
  const good = entry(vector('ec_public.pem'), vector('file1.ec.sig'), 'sha256', vector('file1'))
  const broken = { ...good, digest: undefined } as unknown as Hashedrekord
  await t.rejects(verifyHashedrekord(broken), TypeError)
})
