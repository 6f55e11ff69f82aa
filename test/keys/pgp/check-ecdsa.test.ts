import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { checkEcdsa } from '../../../src/keys/pgp/check-ecdsa.js'
import { parsePublicKeyPacket } from '../../../src/keys/pgp/public-key-packet.js'
import { parseSignaturePacket } from '../../../src/keys/pgp/signature-packet.js'
import {
  bytes,
  CREATED,
  describeKey,
  makeKey,
  makeSignature,
  mpi,
  uint,
  utf8,
  type TestKey
} from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const DATA = utf8('some data')

const CURVES: readonly (readonly [name: string, objectId: string])[] = [
  ['prime256v1', '2a8648ce3d030107'],
  ['secp384r1', '2b81040022'],
  ['secp521r1', '2b81040023'],
  ['secp256k1', '2b8104000a'],
  ['brainpoolP256r1', '2b2403030208010107'],
  ['brainpoolP384r1', '2b240303020801010b'],
  ['brainpoolP512r1', '2b240303020801010d']
]

function newKey(namedCurve: string, objectId: string): TestKey {
  const secret = generateKeyPairSync('ec', { namedCurve }).privateKey
  const info = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  // The point is the end of the SubjectPublicKeyInfo, after the zero count of unused bits.
  const start = info.lastIndexOf(Buffer.concat([Buffer.from(objectId, 'hex'), Buffer.of(0x03)]))
  const tail = info.subarray(start + objectId.length / 2)
  const point = tail.subarray(tail.indexOf(0x04, tail[1] === 0x81 ? 4 : 3))
  const id = Buffer.from(objectId, 'hex')
  const body = bytes(4, uint(CREATED, 4), 19, id.length, id, mpi(point))
  return describeKey('p256', 4, 19, secret, body)
}

t.test('fresh keys on every curve, with every hash', async (t) => {
  for (const [name, objectId] of CURVES) {
    const key = newKey(name, objectId)
    const parsed = parsePublicKeyPacket(key.body)
    for (const hash of [2, 8, 9, 10, 11, 12, 14]) {
      const signature = parseSignaturePacket(makeSignature(key, 0, DATA, { hash }))
      t.doesNotThrow(() => checkEcdsa(parsed, signature, DATA), `${name}, ${signature.hashName}`)
      t.equal(
        await refusalText(() => checkEcdsa(parsed, signature, utf8('other data'))),
        'verification_failed: wrong signature'
      )
    }
  }
})

t.test('a v6 key', async (t) => {
  const key = makeKey('p256', 1, { version: 6 })
  const signature = parseSignaturePacket(makeSignature(key, 0, DATA))
  t.doesNotThrow(() => checkEcdsa(parsePublicKeyPacket(key.body), signature, DATA))
})

t.test('numbers that cannot be a signature', async (t) => {
  const key = makeKey('p256')
  const parsed = parsePublicKeyPacket(key.body)
  const good = parseSignaturePacket(makeSignature(key, 0, DATA))
  const order = Buffer.from(
    'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    'hex'
  )
  const cases: readonly (readonly [name: string, r: Uint8Array, s: Uint8Array, message: string])[] =
    [
      ['zero', bytes(), bytes(), 'wrong signature'],
      ['one', bytes(1), bytes(1), 'wrong signature'],
      ['the order', order, order, 'wrong signature'],
      ['longer than the order', bytes(1, order), bytes(1), 'number above the order']
    ]
  for (const [name, r, s, message] of cases) {
    const signature = { ...good, fields: bytes(mpi(r), mpi(s)) }
    t.equal(
      await refusalText(() => checkEcdsa(parsed, signature, DATA)),
      `verification_failed: ${message}`,
      name
    )
  }
})
