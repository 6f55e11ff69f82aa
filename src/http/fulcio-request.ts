import type { ClientKeyRequest } from '../ca/client-key/verify-client-key.js'
import { CLIENT_MESSAGES } from '../ca/client-messages.js'
import { decodeBase64Loose } from '../encoding/base64.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { findRepeatedMember } from '../encoding/repeated-member.js'
import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { quoted } from './refused-request.js'

/** A request to `signingCert`, read and not checked. */
export interface ParsedSigningRequest {
  /** Token in the body; empty where there is none. */
  readonly token: string
  readonly key: ClientKeyRequest
}

type Members = Readonly<Record<string, unknown>>

/**
 * Reads the body of version 2 as Fulcio's JSON gateway does: names in camel or snake case, null for absent, members it does
 * not know passed over, bytes in either base64.
 *
 * @param body undefined for an empty one, which is as good as `{}`
 * @throws LogError `invalid_request`
 * @see fulcio §2, §3.1
 */
export function parseSigningRequestV2(body: Uint8Array | undefined): ParsedSigningRequest {
  const root = readBody(body)
  const credentials = objectMember(root, 'credentials')
  const keyRequest = objectMember(root, 'publicKeyRequest')
  const csr = member(root, 'certificateSigningRequest')
  if (keyRequest !== undefined && csr !== undefined) {
    throw invalid('publicKeyRequest and certificateSigningRequest exclude each other')
  }
  const token = textMember(credentials ?? {}, 'oidcIdentityToken', 'credentials.')
  if (csr !== undefined) {
    const content = bytesMember(root, 'certificateSigningRequest')
    return { token, key: { kind: 'certificateRequest', content } }
  }
  const publicKey = objectMember(keyRequest ?? {}, 'publicKey', 'publicKeyRequest.') ?? {}
  assertAlgorithm(publicKey)
  return {
    token,
    key: {
      kind: 'publicKey',
      content: encodeUtf8(textMember(publicKey, 'content', 'publicKeyRequest.publicKey.')),
      proofOfPossession: bytesMember(keyRequest ?? {}, 'proofOfPossession', 'publicKeyRequest.')
    }
  }
}

/**
 * Reads the body of version 1: the key is bytes here, and a request for a certificate goes before a key. The token is never
 * in it.
 *
 * @throws LogError `invalid_request`, also when there is neither: that comes before any look at the token
 * @see fulcio §4.1
 */
export function parseSigningRequestV1(body: Uint8Array | undefined): ClientKeyRequest {
  const root = readBody(body)
  const content = bytesMember(root, 'certificateSigningRequest')
  const publicKey = objectMember(root, 'publicKey')
  const proofOfPossession = bytesMember(root, 'signedEmailAddress')
  if (publicKey !== undefined) assertAlgorithm(publicKey)
  if (content.length > 0) return { kind: 'certificateRequest', content }
  if (publicKey === undefined) throw invalid(CLIENT_MESSAGES.publicKey)
  return {
    kind: 'publicKey',
    content: bytesMember(publicKey, 'content', 'publicKey.'),
    proofOfPossession
  }
}

/**
 * Token of the `Authorization` header: the header without the first `Bearer ` in it. One without that word is a token as
 * a whole.
 */
export function tokenOfHeader(authorization: string | undefined): string {
  return (authorization ?? '').replace('Bearer ', '')
}

function readBody(body: Uint8Array | undefined): Members {
  if (body === undefined || body.length === 0) return {}
  const text = decodeUtf8(body)
  const value = readJson(text)
  if (!isJsonObject(value)) throw invalid('the body is not a JSON object')
  const repeated = findRepeatedMember(text)
  if (repeated !== undefined) throw invalid(`member ${quoted(repeated)} is repeated`)
  return value
}

/** The parser quotes what it stumbled over, and that may be a token, which must not reach the log. */
function readJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (err) {
    if (isLogError(err) && err.cause instanceof SyntaxError) throw invalid('not valid JSON')
    throw err
  }
}

/** Value of a member under either of its names; undefined for null. */
function member(members: Members, name: string, prefix = ''): unknown {
  const snake = name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
  if (snake !== name && Object.hasOwn(members, name) && Object.hasOwn(members, snake)) {
    throw invalid(`member ${prefix}${name} is repeated as ${snake}`)
  }
  for (const key of [name, snake]) {
    if (Object.hasOwn(members, key)) return members[key] ?? undefined
  }
  return undefined
}

function objectMember(members: Members, name: string, prefix = ''): Members | undefined {
  const value = member(members, name, prefix)
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`member ${prefix}${name} is not an object`)
  }
  return value as Members // just checked
}

function textMember(members: Members, name: string, prefix = ''): string {
  const value = member(members, name, prefix) ?? ''
  if (typeof value !== 'string') throw invalid(`member ${prefix}${name} is not text`)
  return value
}

/** Standard or URL alphabet, with or without padding, as protobuf's JSON has it. */
function bytesMember(members: Members, name: string, prefix = ''): Uint8Array {
  const text = textMember(members, name, prefix)
  const standard = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  const padding = '='.repeat((4 - (standard.length % 4)) % 4)
  return decodeBase64Loose(standard + padding, `member ${prefix}${name}`)
}

/** What a client calls its key does not matter; clients send names that do not exist. That it is a name or number does. */
function assertAlgorithm(publicKey: Members): void {
  const value = member(publicKey, 'algorithm', 'publicKey.')
  if (value === undefined || typeof value === 'string' || typeof value === 'number') return
  throw invalid('member publicKey.algorithm is neither a name nor a number')
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
