import { createHash } from 'node:crypto'
import t from 'tap'
import { hashedPieces, hashTagOf } from '../../../src/keys/pgp/signature-hash.js'
import { parseSignaturePacket } from '../../../src/keys/pgp/signature-packet.js'
import { bytes, makeKey, makeSignature, uint, utf8 } from '../../helpers/pgp.js'

t.test('the hash tag is that of the signer', async (t) => {
  const data = utf8('some data')
  for (const version of [4, 6] as const) {
    for (const hash of [8, 9, 10, 11, 12, 14]) {
      const key = makeKey('ed25519', 1, { version })
      const signature = parseSignaturePacket(makeSignature(key, 0, data, { hash }))
      t.same(hashTagOf(signature, data), signature.hashTag, `v${version}, ${signature.hashName}`)
      t.not(Buffer.compare(hashTagOf(signature, utf8('x')), signature.hashTag), 0)
    }
  }
})

t.test('what is hashed, as RFC 9580 section 5.2.4 has it', async (t) => {
  const data = utf8('some data')
  const signature = parseSignaturePacket(
    makeSignature(makeKey('ed25519', 1, { version: 6 }), 0, data)
  )
  const { salt, hashedPart } = signature
  t.equal(salt.length, 16)
  const expected = bytes(salt, data, hashedPart, 6, 0xff, uint(hashedPart.length, 4))
  t.same(bytes(...hashedPieces(signature, data)), expected)
  t.same(
    hashTagOf(signature, data),
    bytes(createHash('sha256').update(expected).digest().subarray(0, 2))
  )
})
