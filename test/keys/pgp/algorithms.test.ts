import { createECDH, createHash } from 'node:crypto'
import t from 'tap'
import {
  curveByObjectId,
  hashAlgorithm,
  KEY_ALGORITHM,
  signingAlgorithmName
} from '../../../src/keys/pgp/algorithms.js'

t.test('who can sign', async (t) => {
  const { rsa, rsaSign, dsa, ecdsa, eddsaLegacy, ed25519, ed448 } = KEY_ALGORITHM
  const signing: readonly number[] = [rsa, rsaSign, dsa, ecdsa, eddsaLegacy, ed25519, ed448]
  for (let id = 0; id < 256; id++) {
    t.equal(signingAlgorithmName(id) !== undefined, signing.includes(id), `algorithm ${id}`)
  }
  t.equal(signingAlgorithmName(eddsaLegacy), 'EdDSA')
})

t.test('hashes: no MD5, no RIPEMD-160', async (t) => {
  const known = Array.from({ length: 256 }, (_, id) => id).filter((id) => hashAlgorithm(id))
  t.same(known, [2, 8, 9, 10, 11, 12, 14])
  // RFC 9580 table 23: the salt is as long as the security of the hash.
  for (const id of known) {
    const hash = hashAlgorithm(id)
    const digestLength = createHash(hash?.name ?? '').digest().length
    const expected = { 20: undefined, 28: 16, 32: 16, 48: 24, 64: 32 }[digestLength]
    t.equal(hash?.saltLength, expected, `hash ${id}`)
  }
})

t.test('curves are those node knows, with points of the right length', async (t) => {
  const ids = {
    '2a8648ce3d030107': 'prime256v1',
    '2b81040022': 'secp384r1',
    '2b81040023': 'secp521r1',
    '2b8104000a': 'secp256k1',
    '2b2403030208010107': 'brainpoolP256r1',
    '2b240303020801010b': 'brainpoolP384r1',
    '2b240303020801010d': 'brainpoolP512r1'
  }
  for (const [id, name] of Object.entries(ids)) {
    const curve = curveByObjectId(id)
    t.equal(curve?.name, name)
    t.equal(curve?.use, 'ecdsa', name)
    t.equal(curve?.pointLength, createECDH(name).generateKeys().length, name)
  }
  t.equal(curveByObjectId('2b0601040197550105'), undefined)
})
