// Distinct hashedrekord entries, signed beforehand: making them must not be part of what is measured.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const KEYS = 64
const DATA_BYTES = 32

/** 64 ECDSA P-256 key pairs, with the PEM as it travels in an entry. */
export function makeSigners() {
  return Array.from({ length: KEYS }, () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    return { privateKey, pem, pemBase64: Buffer.from(pem).toString('base64') }
  })
}

/** Something random, signed with the key whose turn it is. */
export function makeSigned(signers, turn) {
  const { privateKey, pem, pemBase64 } = signers[turn % signers.length]
  const data = randomBytes(DATA_BYTES)
  return { data, signature: sign('sha256', data, privateKey), pem, pemBase64 }
}

/** Body of POST /api/v1/log/entries. */
export function proposedEntry({ data, signature, pemBase64 }) {
  return JSON.stringify({
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      signature: { content: signature.toString('base64'), publicKey: { content: pemBase64 } },
      data: {
        hash: { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') }
      }
    }
  })
}
