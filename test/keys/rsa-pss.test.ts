import { constants, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { parseDer, readBitString, readInteger } from '../../src/encoding/der.js'
import { parsePublicKey, rsaPublicKey, type RsaPublicKey } from '../../src/keys/public-key.js'
import { isGoodPs256 } from '../../src/keys/rsa-pss.js'

const data = Buffer.from('some data')
const PSS = constants.RSA_PKCS1_PSS_PADDING

const pairs = [2048, 2056, 3072].map((modulusLength) => {
  const pair = generateKeyPairSync('rsa', { modulusLength })
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' })
  return { ...pair, modulusLength, key: parsePublicKey(Uint8Array.from(spki)) as RsaPublicKey }
})

t.test('signatures of OpenSSL', (t) => {
  for (const { privateKey, key, modulusLength } of pairs) {
    const made = (hash: string, saltLength: number, padding: number = PSS) =>
      sign(hash, data, { key: privateKey, padding, saltLength })
    const good = made('sha256', 32)
    t.ok(isGoodPs256(key, data, good), `${modulusLength} bits`)
    t.notOk(isGoodPs256(key, Buffer.from('other data'), good), 'other data')
    t.notOk(isGoodPs256(key, data, good.subarray(1)), 'cut off')
    t.notOk(isGoodPs256(key, data, Buffer.concat([Buffer.of(0), good])), 'one byte more')
    t.notOk(isGoodPs256(key, data, new Uint8Array(0)), 'none')
    const changed = Uint8Array.from(good)
    changed[50] = (changed[50] ?? 0) ^ 1
    t.notOk(isGoodPs256(key, data, changed), 'one bit')
    for (const saltLength of [0, 20, 31, 33, 64]) {
      t.notOk(isGoodPs256(key, data, made('sha256', saltLength)), `salt of ${saltLength}`)
    }
    t.notOk(isGoodPs256(key, data, made('sha384', 32)), 'SHA-384')
    t.notOk(isGoodPs256(key, data, made('sha256', 32, constants.RSA_PKCS1_PADDING)), 'PKCS#1 v1.5')
  }
  t.end()
})

t.test('other hash for the mask', (t) => {
  for (const mgf1HashAlgorithm of ['sha256', 'sha512']) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm
    })
    // The same numbers under the name of plain RSA.
    const spki = Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }))
    const numbers = parseDer(readBitString(parseDer(spki).children[1], 'key')).children
    const key = rsaPublicKey(
      readInteger(numbers[0], 'modulus'),
      readInteger(numbers[1], 'exponent')
    )
    const signature = sign('sha256', data, { key: privateKey, padding: PSS, saltLength: 32 })
    t.equal(isGoodPs256(key, data, signature), mgf1HashAlgorithm === 'sha256', mgf1HashAlgorithm)
  }
  t.end()
})

t.test('keys nobody can sign with are only never right', (t) => {
  const numbers: readonly (readonly [bigint, bigint])[] = [
    [1n << 2047n, 3n],
    [(1n << 2047n) + 1n, 1n],
    [(1n << 2047n) + 1n, 2n],
    [(1n << 2047n) + 1n, (1n << 63n) - 1n],
    [1n, 1n],
    [3n, 3n]
  ]
  for (const [modulus, exponent] of numbers) {
    const key = rsaPublicKey(modulus, exponent)
    for (const fill of [0, 1, 255]) {
      t.notOk(isGoodPs256(key, data, new Uint8Array(key.modulusBytes).fill(fill)))
    }
  }
  t.end()
})
