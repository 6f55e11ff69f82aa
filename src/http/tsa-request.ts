import { decodeBase64Loose } from '../encoding/base64.js'
import { encodeInteger, parseDer } from '../encoding/der.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { rawJsonMember } from '../encoding/json-member.js'
import { decodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { TSA_MESSAGES } from '../tsa/client-messages.js'
import {
  checkMessageImprint,
  type MessageImprint,
  type TimestampHash
} from '../x509/message-imprint.js'
import type { TimestampRequest } from '../x509/timestamp-request.js'
import { RefusedRequest } from './refused-request.js'

/**
 * Upstream's cap: reading a decimal number takes time that grows with the square of its length. A request with every member
 * and a nonce of 256 bits takes 300 bytes.
 */
const MAX_JSON_BYTES = 1024

/** Upstream's cap, too. */
const MAX_OID_COMPONENTS = 128

/** Far beyond any arc in use: a UUID has 39. */
const MAX_OID_ARC_DIGITS = 39

const LABEL = 'timestamp request'

const HASHES: Readonly<Record<string, TimestampHash | 'sha1'>> = {
  sha1: 'sha1',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512'
}

/**
 * Reads a request in JSON: `artifactHash` (base64 of the digest), `hashAlgorithm`, and if there is need `certificates`, `nonce`
 * (a whole number of any size) and `tsaPolicyOID`. Other members are passed over; null is as good as absent.
 *
 * @throws RefusedRequest 400 for a body that is too large and for a policy that is no OID
 * @throws LogError `invalid_request`; `unsupported`, `verification_failed` as checkMessageImprint
 * @see ct-and-tsa §C1
 */
export function parseJsonTimestampRequest(body: Uint8Array): TimestampRequest {
  if (body.length > MAX_JSON_BYTES) throw new RefusedRequest(400, 400, TSA_MESSAGES.tooLarge)
  const text = decodeUtf8(body)
  const members = parseJson(text)
  if (!isJsonObject(members)) throw malformed('not a JSON object')
  const { certificates } = members
  if (!isAbsent(certificates) && typeof certificates !== 'boolean') {
    throw malformed('certificates is neither true nor false')
  }
  return {
    imprint: readImprint(members.hashAlgorithm, members.artifactHash),
    policyOid: readPolicy(members.tsaPolicyOID),
    nonce: isAbsent(members.nonce) ? undefined : readNonce(rawJsonMember(text, 'nonce') ?? ''),
    wantsCertificates: certificates === true,
    extensions: []
  }
}

function readImprint(hashAlgorithm: unknown, artifactHash: unknown): MessageImprint {
  if (typeof hashAlgorithm !== 'string') throw malformed('hashAlgorithm is not text')
  const name = hashAlgorithm.toLowerCase()
  const hash = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined
  if (hash === undefined) throw malformed(`unknown hash algorithm ${hashAlgorithm}`)
  if (typeof artifactHash !== 'string') throw malformed('artifactHash is not text')
  return checkMessageImprint(hash, decodeBase64Loose(artifactHash, 'artifactHash'), LABEL)
}

/** Content of the INTEGER. From its text: JSON.parse rounds what is above 2^53. */
function readNonce(text: string): Uint8Array {
  if (!/^-?\d+$/.test(text)) throw malformed('nonce is not a whole number')
  return parseDer(encodeInteger(BigInt(text))).content
}

/** Components are counted before anything is done for each of them. */
function readPolicy(value: unknown): string | undefined {
  if (isAbsent(value) || value === '') return undefined
  if (typeof value !== 'string') throw malformed('tsaPolicyOID is not text')
  let components = 1
  for (const character of value) if (character === '.') components++
  const arcs = components > MAX_OID_COMPONENTS ? [] : value.split('.')
  const [top = '', second = ''] = arcs
  const isOid =
    arcs.length >= 2 &&
    arcs.every((arc) => /^(0|[1-9]\d*)$/.test(arc) && arc.length <= MAX_OID_ARC_DIGITS) &&
    (top === '2' || (/^[01]$/.test(top) && Number(second) < 40))
  if (!isOid) throw new RefusedRequest(400, 400, TSA_MESSAGES.policyForm)
  return value
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `${LABEL}: ${problem}`)
}
