// Requests for timestamps, RFC 3161 section 2.4.1, in DER.
import { randomBytes } from 'node:crypto'

const NONCE_BYTES = 8

// SEQUENCE { version 1, messageImprint { sha256, 32 bytes }, nonce, certReq TRUE }, all lengths fixed.
const BEFORE_DIGEST = Buffer.from('30430201013031300d060960864801650304020105000420', 'hex')
const BEFORE_NONCE = Buffer.from('0208', 'hex')
const AFTER_NONCE = Buffer.from('0101ff', 'hex')

/** A request that is like no other. @param digest SHA-256 of what is to be stamped */
export function makeTimestampRequest(digest) {
  const nonce = randomBytes(NONCE_BYTES)
  nonce[0] = (nonce[0] & 0x3f) | 0x40 // positive, and no shorter in DER
  return Buffer.concat([BEFORE_DIGEST, digest, BEFORE_NONCE, nonce, AFTER_NONCE])
}
