import { ed25519, ed25519ph } from '@noble/curves/ed25519.js'
import t from 'tap'
import { concatBytes } from '../../src/encoding/bytes.js'
import { bigIntToBytes, bytesToBigInt } from '../../src/encoding/der.js'
import { decodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { verifyEd25519phDigest } from '../../src/keys/ed25519ph.js'
import { ed25519PublicKey } from '../../src/keys/public-key.js'
import { hashData } from '../../src/keys/verify.js'
import { refusalText } from '../helpers/refusals.js'

const failed = 'verification_failed: failed to verify signature: ed25519: invalid signature'

t.test('RFC 8032 section 7.3', (t) => {
  const key = ed25519PublicKey(
    decodeHex('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf')
  )
  const signature = decodeHex(
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
      '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406'
  )
  verifyEd25519phDigest(key, hashData('sha512', encodeUtf8('abc')), signature)
  t.pass()
  t.end()
})

t.test('what noble signs, and nothing else', async (t) => {
  const { secretKey, publicKey } = ed25519ph.keygen(new Uint8Array(32).fill(7))
  const key = ed25519PublicKey(publicKey)
  const message = encodeUtf8('abc')
  const digest = hashData('sha512', message)
  const signature = ed25519ph.sign(message, secretKey)
  verifyEd25519phDigest(key, digest, signature)

  const s = bytesToBigInt(Uint8Array.from(signature.subarray(32)).reverse())
  const order = ed25519.Point.Fn.ORDER
  for (const [name, bytes] of [
    ['pure Ed25519 over the digest', ed25519.sign(digest, secretKey)],
    ['cut', signature.subarray(1)],
    ['longer', concatBytes(signature, Uint8Array.of(0))],
    ['bit in R', Uint8Array.from(signature, (byte, i) => (i === 0 ? byte ^ 1 : byte))],
    ['bit in s', Uint8Array.from(signature, (byte, i) => (i === 32 ? byte ^ 1 : byte))],
    ['s + order', concatBytes(signature.subarray(0, 32), littleEndian(s + order))],
    ['s = 0', concatBytes(signature.subarray(0, 32), new Uint8Array(32))],
    ['zeros', new Uint8Array(64)]
  ] as const) {
    t.equal(await refusalText(() => verifyEd25519phDigest(key, digest, bytes)), failed, name)
  }
  t.equal(
    await refusalText(() =>
      verifyEd25519phDigest(key, hashData('sha512', encodeUtf8('abd')), signature)
    ),
    failed
  )
  const other = ed25519PublicKey(ed25519ph.keygen(new Uint8Array(32).fill(8)).publicKey)
  t.equal(await refusalText(() => verifyEd25519phDigest(other, digest, signature)), failed)
})

t.test('no cofactor: a key and R that differ by a point of order 8 are refused', async (t) => {
  // A signature that the cofactored equation (ZIP 215, noble) takes and that Go's and OpenSSL's does not.
  const { Point } = ed25519
  const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa')
  const digest = hashData('sha512', encodeUtf8('abc'))
  const secret = 5n
  const publicKey = Point.BASE.multiply(secret).add(torsion).toBytes()
  const nonce = 11n
  const r = Point.BASE.multiply(nonce).toBytes()
  const domain = concatBytes(encodeUtf8('SigEd25519 no Ed25519 collisions'), Uint8Array.of(1, 0))
  const order = Point.Fn.ORDER
  let refused = 0
  for (let i = 0; i < 8; i++) {
    const tried = concatBytes(digest.subarray(0, 63), Uint8Array.of(i))
    const k =
      bytesToBigInt(hashData('sha512', concatBytes(domain, r, publicKey, tried)).reverse()) % order
    if (k % 8n === 0n) continue
    const signature = concatBytes(r, littleEndian((nonce + k * secret) % order))
    t.equal(
      await refusalText(() => verifyEd25519phDigest(ed25519PublicKey(publicKey), tried, signature)),
      failed
    )
    refused++
  }
  t.ok(refused > 0)
})

function littleEndian(value: bigint): Uint8Array {
  return bigIntToBytes(value, 32).reverse()
}
