import { execFileSync } from 'node:child_process'
import { createCipheriv, createPrivateKey, generateKeyPairSync, pbkdf2Sync } from 'node:crypto'
import t from 'tap'
import { decodePem, encodePem } from '../../src/encoding/pem.js'
import {
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence
} from '../../src/encoding/der.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { decryptPbes2 } from '../../src/keys/pbes2.js'
import { fulcioVector } from '../helpers/fulcio-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const PASSPHRASE = 'correct horse'
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pkcs8 = Uint8Array.from(privateKey.export({ type: 'pkcs8', format: 'der' }))

function bytesOf(pem: string): Uint8Array {
  return decodePem(encodeUtf8(pem))?.block.bytes ?? new Uint8Array(0)
}

/** The key as OpenSSL encrypts it. */
function opensslEncrypted(...args: readonly string[]): Uint8Array {
  const all = ['pkcs8', '-topk8', ...args, '-passout', `pass:${PASSPHRASE}`]
  const input = encodePem('PRIVATE KEY', pkcs8)
  return bytesOf(execFileSync('openssl', all, { input }).toString())
}

t.test('what OpenSSL encrypts', async (t) => {
  for (const cipher of ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des3']) {
    t.strictSame(await decryptPbes2(opensslEncrypted('-v2', cipher), PASSPHRASE), pkcs8, cipher)
  }
  for (const hash of ['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512']) {
    const der = opensslEncrypted('-v2', 'aes-256-cbc', '-v2prf', `hmacWith${hash}`)
    t.strictSame(await decryptPbes2(der, PASSPHRASE), pkcs8, hash)
  }
  t.strictSame(await decryptPbes2(opensslEncrypted('-iter', '600000'), PASSPHRASE), pkcs8)
  const odd = 'pässwörd ☃'
  const exported = privateKey.export({
    type: 'pkcs8',
    format: 'der',
    cipher: 'aes-256-cbc',
    passphrase: odd
  })
  t.strictSame(await decryptPbes2(Uint8Array.from(exported), odd), pkcs8, 'UTF-8')
})

t.test('what step encrypts, which OpenSSL does not read', async (t) => {
  const { cases } = fulcioVector<{
    readonly cases: readonly {
      readonly name: string
      readonly password: string
      readonly privateKeyPem: string
      readonly decryptedPkcs8Pem: string
      readonly nodeCryptoOpensKey: boolean
    }[]
  }>('file-ca.json')
  let read = 0
  for (const { name, password, privateKeyPem, decryptedPkcs8Pem, nodeCryptoOpensKey } of cases) {
    if (nodeCryptoOpensKey) continue
    t.throws(() => createPrivateKey({ key: privateKeyPem, passphrase: password }), name)
    const der = await decryptPbes2(bytesOf(privateKeyPem), password)
    t.strictSame(der, bytesOf(decryptedPkcs8Pem), name)
    read++
  }
  t.equal(read, 4)
})

const OID = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  sha1: '1.2.840.113549.2.7',
  md5: '1.2.840.113549.2.6',
  aes128: '2.16.840.1.101.3.4.1.2',
  aes128Ecb: '2.16.840.1.101.3.4.1.1'
}

interface Parts {
  readonly scheme?: string
  readonly derivation?: string
  readonly iterations?: bigint
  readonly keyLength?: bigint
  readonly hash?: string
  readonly cipher?: string
  readonly iv?: Uint8Array
}

/** The key encrypted with AES-128-CBC and SHA-1, a thousand iterations; `parts` is what the file says of it. */
function encrypted(parts: Parts = {}): Uint8Array {
  const salt = new Uint8Array(8).fill(1)
  const iv = new Uint8Array(16).fill(2)
  const cipher = createCipheriv('aes-128-cbc', pbkdf2Sync(PASSPHRASE, salt, 1000, 16, 'sha1'), iv)
  const ciphertext = Buffer.concat([cipher.update(pkcs8), cipher.final()])
  const { keyLength, hash } = parts
  return encodeSequence(
    encodeSequence(
      encodeOid(parts.scheme ?? OID.pbes2),
      encodeSequence(
        encodeSequence(
          encodeOid(parts.derivation ?? OID.pbkdf2),
          encodeSequence(
            encodeOctetString(salt),
            encodeInteger(parts.iterations ?? 1000n),
            ...(keyLength === undefined ? [] : [encodeInteger(keyLength)]),
            ...(hash === undefined ? [] : [encodeSequence(encodeOid(hash), encodeNull())])
          )
        ),
        encodeSequence(encodeOid(parts.cipher ?? OID.aes128), encodeOctetString(parts.iv ?? iv))
      )
    ),
    encodeOctetString(ciphertext)
  )
}

t.test('the forms of the parameters, as Node reads them too', async (t) => {
  for (const parts of [
    {},
    { keyLength: 16n },
    { hash: OID.sha1 },
    { keyLength: 16n, hash: OID.sha1 }
  ]) {
    const der = encrypted(parts)
    t.strictSame(await decryptPbes2(der, PASSPHRASE), pkcs8)
    const pem = encodePem('ENCRYPTED PRIVATE KEY', der)
    t.ok(createPrivateKey({ key: pem, passphrase: PASSPHRASE }).equals(privateKey))
  }
})

t.test('refusals', async (t) => {
  const means = /^unsupported: the encrypted private key is encrypted by means other than PBES2/
  const iterations =
    /^invalid_request: the encrypted private key asks for -?\d+ iterations, not 1 to 10000000$/
  const whole = encrypted()
  const cases: [name: string, der: Uint8Array, message: RegExp][] = [
    ['OpenSSL with scrypt', opensslEncrypted('-scrypt'), means],
    ['OpenSSL with PBES1', opensslEncrypted('-v1', 'PBE-SHA1-3DES'), means],
    ['OpenSSL with another cipher', opensslEncrypted('-v2', 'aria-128-cbc'), means],
    ['another scheme', encrypted({ scheme: OID.pbkdf2 }), means],
    ['another derivation', encrypted({ derivation: OID.scrypt }), means],
    ['another mode', encrypted({ cipher: OID.aes128Ecb }), means],
    ['another hash', encrypted({ hash: OID.md5 }), means],
    ['no iterations', encrypted({ iterations: 0n }), iterations],
    ['fewer than none', encrypted({ iterations: -1n }), iterations],
    ['one too many', encrypted({ iterations: 10_000_001n }), iterations],
    ['iterations for a lifetime', encrypted({ iterations: 2n ** 62n }), iterations],
    [
      'a key too long for the cipher',
      encrypted({ keyLength: 32n }),
      /names a key length that is not the cipher's$/
    ],
    ['nothing', new Uint8Array(0), /^invalid_request: the encrypted private key: element missing$/],
    ['cut short', whole.subarray(0, -1), /length beyond the end$/],
    ['trailing bytes', Uint8Array.from([...whole, 0]), /trailing data$/],
    ['an empty list', encodeSequence(), /expected tag 0x30, found nothing$/],
    ['plain', pkcs8, /^invalid_request: the encrypted private key: expected tag/]
  ]
  for (const [name, der, message] of cases) {
    t.match(await refusalText(() => decryptPbes2(der, PASSPHRASE)), message, name)
  }
})

t.test('a wrong passphrase gives anything but the key', async (t) => {
  // One in 256 leaves a padding that looks right, so whether it throws is not certain.
  for (const passphrase of ['', 'battery', `${PASSPHRASE} `]) {
    const result = await decryptPbes2(encrypted(), passphrase).catch(() => undefined)
    t.notSame(result, pkcs8, passphrase)
  }
  await t.rejects(decryptPbes2(encrypted({ iv: new Uint8Array(15) }), PASSPHRASE), 'a short IV')
})
