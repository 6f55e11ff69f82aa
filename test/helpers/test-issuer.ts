import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { FetchBytes } from '../../src/ca/identity/keys/fetch.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'

/** Signs tokens and publishes its keys, for any issuer URL. ES256. */
export interface TestIssuer {
  readonly keySet: { readonly keys: readonly object[] }
  token(claims: object, header?: object): string
}

export function createTestIssuer(keyId = 'test-1'): TestIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'ES256', use: 'sig' }
  return {
    keySet: { keys: [jwk] },
    token(claims, header = {}) {
      return signToken(privateKey, { alg: 'ES256', kid: keyId, ...header }, claims)
    }
  }
}

export function signToken(privateKey: KeyObject, header: object, claims: unknown): string {
  const signed = `${encodePart(header)}.${encodePart(claims)}`
  const signature = sign('sha256', encodeUtf8(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363'
  })
  return `${signed}.${signature.toString('base64url')}`
}

export function encodePart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Answers by address, counted; anything else is refused as unreachable. */
export function fakeFetch(answers: Readonly<Record<string, unknown>>): {
  readonly fetchBytes: FetchBytes
  readonly asked: readonly string[]
} {
  const asked: string[] = []
  return {
    asked,
    fetchBytes: async (address) => {
      asked.push(address)
      const answer = answers[address]
      if (answer === undefined) throw new LogError('upstream', `${address}: not reachable`)
      return encodeUtf8(typeof answer === 'string' ? answer : JSON.stringify(answer))
    }
  }
}

/** What an issuer answers to discovery. */
export function discoveryAnswers(
  issuerUrl: string,
  keySet: object,
  members: object = {}
): Record<string, unknown> {
  const jwksUri = `${issuerUrl}/keys`
  return {
    [`${issuerUrl}/.well-known/openid-configuration`]: {
      issuer: issuerUrl,
      jwks_uri: jwksUri,
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
      ...members
    },
    [jwksUri]: keySet
  }
}

/** A reader of files that are not there. */
export async function noFiles(path: string): Promise<Uint8Array> {
  throw new Error(`ENOENT: no such file or directory, open '${path}'`)
}
