import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject } from '../encoding/json.js'
import { LogError } from '../errors.js'
import {
  encodeDigitallySigned,
  LOG_ID_BYTES,
  parseDigitallySigned,
  type SignedCertificateTimestamp
} from './sct.js'

/** A timestamp as `add-chain` and `add-pre-chain` answer with it, and as it goes beside a certificate. */
export interface SctJson {
  readonly sct_version: 0
  /** Base64 of the log ID. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** Base64. */
  readonly extensions: string
  /** Base64 of DigitallySigned. */
  readonly signature: string
}

/** @see RFC 6962 section 4.1 */
export function renderSctJson(sct: SignedCertificateTimestamp): SctJson {
  return {
    sct_version: 0,
    id: encodeBase64(sct.logId),
    timestamp: sct.timestampMs,
    extensions: encodeBase64(sct.extensions),
    signature: encodeBase64(encodeDigitallySigned(sct.signature))
  }
}

/**
 * Reads the answer of a log. Members it does not know are passed over; nothing is verified (see verifySct).
 *
 * @throws LogError `invalid_request` that names the member, `unsupported` for another version or algorithm
 */
export function parseSctJson(json: JsonValue): SignedCertificateTimestamp {
  if (!isJsonObject(json)) throw malformed('not an object')
  const { sct_version: version, timestamp } = json
  if (typeof version !== 'number') throw malformed('sct_version is not a number')
  if (version !== 0) throw new LogError('unsupported', `sct: version ${version}`)
  if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw malformed('timestamp is not a number of milliseconds')
  }
  const logId = readBytes(json, 'id')
  if (logId.length !== LOG_ID_BYTES) throw malformed(`id is not ${LOG_ID_BYTES} bytes`)
  return {
    logId,
    timestampMs: timestamp,
    extensions: readBytes(json, 'extensions'),
    signature: parseDigitallySigned(readBytes(json, 'signature'))
  }
}

function readBytes(
  json: { readonly [member: string]: JsonValue | undefined },
  member: 'id' | 'extensions' | 'signature'
): Uint8Array {
  const text = json[member]
  if (typeof text !== 'string') throw malformed(`${member} is not a string`)
  return decodeBase64(text, `sct: ${member}`)
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `sct: ${problem}`)
}
