import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { p224 } from '../../src/keys/p224.js'
import { hashData } from '../../src/keys/verify.js'

t.test('agrees with OpenSSL', (t) => {
  const options = { lowS: false, format: 'der', prehash: false } as const
  for (let i = 0; i < 8; i++) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp224r1' })
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-57)
    const data = encodeUtf8(`message ${i}`)
    const signature = sign('sha256', data, privateKey)
    const digest = hashData('sha256', data)
    t.ok(p224.verify(signature, digest, point, options))
    digest[0] = (digest[0] ?? 0) ^ 1
    t.notOk(p224.verify(signature, digest, point, options))
  }
  t.end()
})
