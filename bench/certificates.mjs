// What a client of the certificate authority brings: a token of an issuer whose keys the server has in a file, and a key with
// its proof of possession. All of it made beforehand.
import { generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ISSUER = 'https://issuer.bench.example'
const EMAIL = 'bench@example.com'
const HOUR_SECONDS = 3600

/**
 * An issuer with one ES256 key, which the server has in a file, so that it asks nobody.
 *
 * @returns the file for --ca-issuers-file, and what makes tokens, each of them another
 */
export function makeIssuer(folder) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const keySet = {
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }]
  }
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(keySet))
  const issuersFile = join(folder, 'issuers.json')
  const issuer = { IssuerURL: ISSUER, ClientID: 'sigstore', Type: 'email', JWKSFile: 'keys.json' }
  writeFileSync(issuersFile, JSON.stringify({ OIDCIssuers: { [ISSUER]: issuer } }))
  let turn = 0
  const makeToken = () => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: ISSUER,
      aud: 'sigstore',
      sub: 'bench',
      email: EMAIL,
      email_verified: true,
      iat: now,
      exp: now + HOUR_SECONDS,
      jti: String(turn++)
    }
    const signed = [{ alg: 'ES256', kid: 'bench' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const signature = sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
  return { issuersFile, makeToken }
}

/** Body of POST /api/v2/signingCert for a new ECDSA P-256 key, with its proof of possession; and that key. */
export function makeSigningRequest({ makeToken }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const body = JSON.stringify({
    credentials: { oidcIdentityToken: makeToken() },
    publicKeyRequest: {
      publicKey: {
        algorithm: 'ECDSA',
        content: publicKey.export({ type: 'spki', format: 'pem' }).toString()
      },
      proofOfPossession: sign('sha256', Buffer.from(EMAIL), privateKey).toString('base64')
    }
  })
  return { body, privateKey }
}
