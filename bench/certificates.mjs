// What a client of the certificate authority brings: a token of an issuer whose keys the server has in a file, and a key with
// its proof of possession. All of it made beforehand.
import { generateKeyPairSync, sign } from 'node:crypto'

const CLIENTS = 256
const EMAIL = 'bench@example.com'
const HOUR_SECONDS = 3600

/** An issuer with one ES256 key and a token of it. @param issuer its URL */
export function makeIdentity(issuer) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const header = { alg: 'ES256', kid: 'bench' }
  const exp = Math.floor(Date.now() / 1000) + HOUR_SECONDS
  const claims = {
    iss: issuer,
    aud: 'sigstore',
    sub: 'bench',
    email: EMAIL,
    email_verified: true,
    exp
  }
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return {
    token: `${signed}.${signature.toString('base64url')}`,
    keySet: {
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }]
    }
  }
}

/** ECDSA P-256 keys, each with its proof of possession. */
export function makeClients() {
  return Array.from({ length: CLIENTS }, () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    return {
      pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      proof: sign('sha256', Buffer.from(EMAIL), privateKey).toString('base64')
    }
  })
}

/** Body of POST /api/v2/signingCert. */
export function signingRequest({ token }, clients, turn) {
  const { pem, proof } = clients[turn % clients.length]
  return JSON.stringify({
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: pem },
      proofOfPossession: proof
    }
  })
}
