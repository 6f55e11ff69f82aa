import { LogError } from '../errors.js'
import {
  GENERAL_HEADER_LIMITS,
  parseRpmHeader,
  SIGNATURE_HEADER_LIMITS,
  take,
  type RpmHeader
} from './rpm-header.js'

/** The parts of an RPM package. They share memory with the file. */
export interface RpmPackage {
  /** Signatures and digests of the rest. Itself covered by none of them. */
  readonly signatureHeader: RpmHeader
  /** What the package is. */
  readonly header: RpmHeader
  /** The archive of its files, compressed: all that follows the header. */
  readonly payload: Uint8Array
  /** Both, as they follow each other. */
  readonly headerAndPayload: Uint8Array
}

/** Tags of the signature header. */
export const SIGNATURE_TAG = {
  /** OpenPGP signatures over the header: DSA or Ed25519, and RSA. */
  dsa: 267,
  rsa: 268,
  /** Digests over the header, in hex. */
  sha1: 269,
  sha256: 273,
  /** OpenPGP signature over header and payload, RSA. */
  pgp: 1002,
  /** MD5 over header and payload, binary. */
  md5: 1004,
  /** OpenPGP signature over header and payload, DSA or Ed25519. */
  gpg: 1005
} as const

/** Tags of the header. */
export const HEADER_TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  architecture: 1022,
  /** Digest over the payload, in hex. */
  payloadDigest: 5092,
  payloadDigestAlgorithm: 5093
} as const

const LEAD_BYTES = 96
const LEAD_MAGIC = 0xedabeedb

/**
 * Takes an RPM package apart. Digests and signatures are for the caller to check.
 *
 * ```
 * lead(96): magic(4) and what nobody reads any more
 * signature header, and zero to seven bytes after it
 * header
 * payload
 * ```
 *
 * @throws LogError `invalid_request`, with Rekor's text where it has one
 * @see rekor-v1 §8.6
 */
export function parseRpm(file: Uint8Array): RpmPackage {
  const lead = take(file, 0, LEAD_BYTES, 'lead')
  if (new DataView(lead.buffer, lead.byteOffset).getUint32(0) !== LEAD_MAGIC) {
    throw new LogError('invalid_request', 'file is not an RPM')
  }
  const signatureHeader = parseRpmHeader(file, LEAD_BYTES, SIGNATURE_HEADER_LIMITS)
  const signatureEnd = LEAD_BYTES + signatureHeader.bytes.length
  const padding = (8 - (signatureEnd % 8)) % 8
  take(file, signatureEnd, padding, 'header data')
  const headerOffset = signatureEnd + padding
  const header = parseRpmHeader(file, headerOffset, GENERAL_HEADER_LIMITS)
  return {
    signatureHeader,
    header,
    payload: file.subarray(headerOffset + header.bytes.length),
    headerAndPayload: file.subarray(headerOffset)
  }
}
