// What a client of the certificate authority brings: a token of an issuer whose keys the server has in a file, and a key with
// its proof of possession. All of it made beforehand.
import { generateKeyPairSync, sign } from 'node:crypto'

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

/** Body of POST /api/v2/signingCert: an ECDSA P-256 key that was never used before, with its proof of possession. */
export function signingRequest({ token }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return JSON.stringify({
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: {
        algorithm: 'ECDSA',
        content: publicKey.export({ type: 'spki', format: 'pem' }).toString()
      },
      proofOfPossession: sign('sha256', Buffer.from(EMAIL), privateKey).toString('base64')
    }
  })
}
