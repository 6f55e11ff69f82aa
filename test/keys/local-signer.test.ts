import { generateKeyPairSync, KeyObject, verify } from 'node:crypto'
import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import {
  createLocalSigner,
  exportPrivateKeyPem,
  generateLogKey,
  generateSigningKey,
  importPrivateKeyPem,
  importSigningKeyPem
} from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { verifyData } from '../../src/keys/verify.js'
import { refusalText } from '../helpers/refusals.js'

t.test('a new key signs, and its public key verifies', async (t) => {
  const signer = createLocalSigner(await generateLogKey())
  t.equal(signer.algorithm, 'ecdsa-sha2-256-nistp256')
  const message = encodeUtf8('message')
  const signature = await signer.sign(message)
  const key = parsePublicKey(signer.publicKey)
  t.match(key, { type: 'ecdsa', curve: 'P-256' })
  await verifyData(key, 'sha256', message, signature)
  t.ok(verify('sha256', message, key.keyObject, signature), 'DER')
  t.equal(Object.getPrototypeOf(signature), Uint8Array.prototype, 'no Buffer')
  t.equal(Object.getPrototypeOf(signer.publicKey), Uint8Array.prototype)
})

t.test('every kind of key that signs', async (t) => {
  const cases = [
    ['ecdsa-sha2-256-nistp256', 'sha256'],
    ['ecdsa-sha2-384-nistp384', 'sha384'],
    ['ecdsa-sha2-512-nistp521', 'sha512'],
    ['rsa-sign-pkcs1-2048-sha256', 'sha256'],
    ['rsa-sign-pkcs1-3072-sha256', 'sha256'],
    ['rsa-sign-pkcs1-4096-sha256', 'sha256']
  ] as const
  for (const [algorithm, hash] of cases) {
    const privateKey = await generateSigningKey(algorithm)
    const signer = createLocalSigner(importSigningKeyPem(exportPrivateKeyPem(privateKey)))
    t.equal(signer.algorithm, algorithm)
    const message = encodeUtf8('message')
    const signature = await signer.sign(message)
    t.ok(verify(hash, message, parsePublicKey(signer.publicKey).keyObject, signature), algorithm)
  }
})

t.test('PEM with and without passphrase', async (t) => {
  const key = await generateLogKey()
  const plain = exportPrivateKeyPem(key)
  t.match(plain, /^-----BEGIN PRIVATE KEY-----\n/)
  t.ok(importPrivateKeyPem(plain).equals(key))
  t.ok(importPrivateKeyPem(plain, 'not needed').equals(key))
  const encrypted = exportPrivateKeyPem(key, 'correct horse')
  t.match(encrypted, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
  t.ok(importPrivateKeyPem(encrypted, 'correct horse').equals(key))
})

t.test('a PEM that is no log key says why, without quoting it', async (t) => {
  const encrypted = exportPrivateKeyPem(await generateLogKey(), 'correct horse')
  const pem = (key: KeyObject) => exportPrivateKeyPem(key)
  const notForLogs = 'unsupported: the log signs with a private ECDSA key on P-256 only'
  const notHere =
    'unsupported: not a private key that signs here: ECDSA on P-256, P-384 or P-521, or RSA of 2048, 3072 or 4096 bits'
  for (const [name, action, message] of [
    [
      'passphrase missing',
      () => importPrivateKeyPem(encrypted),
      'invalid_request: the private key is encrypted and no passphrase is given'
    ],
    [
      'passphrase wrong',
      () => importPrivateKeyPem(encrypted, 'battery'),
      'invalid_request: the private key cannot be decrypted: wrong passphrase or damaged file'
    ],
    [
      'damaged',
      () => importPrivateKeyPem('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
      'invalid_request: the private key cannot be read'
    ],
    ['empty', () => importPrivateKeyPem(''), 'invalid_request: not a PKCS#8 private key in PEM'],
    [
      'SEC 1',
      () =>
        importPrivateKeyPem(
          generateKeyPairSync('ec', { namedCurve: 'P-256' })
            .privateKey.export({ type: 'sec1', format: 'pem' })
            .toString()
        ),
      'invalid_request: not a PKCS#8 private key in PEM'
    ],
    [
      'P-384',
      () => importPrivateKeyPem(pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)),
      notForLogs
    ],
    [
      'Ed25519',
      () => importPrivateKeyPem(pem(generateKeyPairSync('ed25519').privateKey)),
      'unsupported: Ed25519 keys do not sign here: clients take neither certificates nor timestamps of logs from them'
    ],
    [
      'public key',
      () => createLocalSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
      notHere
    ],
    [
      'odd RSA',
      () =>
        importSigningKeyPem(pem(generateKeyPairSync('rsa', { modulusLength: 2056 }).privateKey)),
      notHere
    ],
    [
      'odd curve',
      () =>
        importSigningKeyPem(pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey)),
      notHere
    ],
    [
      'Ed25519 public key',
      () => createLocalSigner(generateKeyPairSync('ed25519').publicKey),
      notHere
    ]
  ] as const) {
    t.equal(await refusalText(action), message, name)
  }
})

t.test('a message that cannot be signed rejects', async (t) => {
  const signer = createLocalSigner(await generateLogKey())
  t.equal(
    await refusalText(() => signer.sign(undefined as unknown as Uint8Array)),
    'internal: the private key did not sign'
  )
})
