import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import {
  createEd25519Signer,
  generateEd25519Key,
  importEd25519KeyPem
} from '../../src/keys/ed25519-signer.js'
import { exportPrivateKeyPem, generateLogKey } from '../../src/keys/local-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { verifyData } from '../../src/keys/verify.js'
import { seededEd25519Pem } from '../helpers/ed25519-key.js'
import { refusalText } from '../helpers/refusals.js'

t.test('the second test of RFC 8032 section 7.1', async (t) => {
  const seed = decodeHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
  const signer = createEd25519Signer(importEd25519KeyPem(seededEd25519Pem(seed)))
  t.equal(signer.algorithm, 'ed25519')
  t.equal(
    encodeHex(signer.publicKey.slice(-32)),
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
  )
  t.equal(
    encodeHex(await signer.sign(Uint8Array.of(0x72))),
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  )
})

t.test('a new key signs, and its public key verifies', async (t) => {
  const signer = createEd25519Signer(await generateEd25519Key())
  const key = parsePublicKey(signer.publicKey)
  const message = encodeUtf8('message')
  const signature = await signer.sign(message)
  await verifyData(key, 'sha512', message, signature)
  t.equal(signature.length, 64)
  t.equal(Object.getPrototypeOf(signature), Uint8Array.prototype, 'no Buffer')
  t.equal(Object.getPrototypeOf(signer.publicKey), Uint8Array.prototype)
})

t.test('PEM with and without passphrase', async (t) => {
  const key = await generateEd25519Key()
  t.ok(importEd25519KeyPem(exportPrivateKeyPem(key)).equals(key))
  t.ok(importEd25519KeyPem(exportPrivateKeyPem(key, 'correct horse'), 'correct horse').equals(key))
  t.equal(
    await refusalText(() => importEd25519KeyPem(exportPrivateKeyPem(key, 'correct horse'))),
    'invalid_request: the private key is encrypted and no passphrase is given'
  )
})

t.test('other keys do not sign here', async (t) => {
  const text = 'unsupported: not a private Ed25519 key, the kind that signs here'
  const ecdsa = await generateLogKey()
  t.equal(await refusalText(() => importEd25519KeyPem(exportPrivateKeyPem(ecdsa))), text)
  t.equal(await refusalText(() => createEd25519Signer(ecdsa)), text)
  const { publicKey } = generateKeyPairSync('ed25519')
  t.equal(await refusalText(() => createEd25519Signer(publicKey)), text)
})

t.test('a message that cannot be signed rejects', async (t) => {
  const signer = createEd25519Signer(await generateEd25519Key())
  t.equal(
    await refusalText(() => signer.sign(undefined as unknown as Uint8Array)),
    'internal: the private key did not sign'
  )
})
