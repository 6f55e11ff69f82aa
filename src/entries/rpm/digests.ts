import { createHash } from 'node:crypto'

import { bytesOf, firstInteger, firstText } from '../../archive/rpm-header.js'
import { HEADER_TAG, SIGNATURE_TAG, type RpmPackage } from '../../archive/rpm.js'
import { encodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'

interface Digest {
  /** As Rekor calls it. */
  readonly name: string
  /** As node:crypto calls it. */
  readonly algorithm: string
}

/** Algorithms of a payload digest, by their OpenPGP number. */
const PAYLOAD_DIGESTS: ReadonlyMap<bigint, Digest> = new Map([
  [1n, { name: 'MD5', algorithm: 'md5' }],
  [2n, { name: 'SHA-1', algorithm: 'sha1' }],
  [8n, { name: 'SHA-256', algorithm: 'sha256' }],
  [9n, { name: 'SHA-384', algorithm: 'sha384' }],
  [10n, { name: 'SHA-512', algorithm: 'sha512' }],
  [11n, { name: 'SHA-224', algorithm: 'sha224' }]
])

/**
 * Checks the digest of the header that the signature header has: SHA-256, without it SHA-1. Without either there is nothing
 * to check. An empty text counts as none.
 *
 * @throws LogError `verification_failed` | `invalid_request`
 */
export function assertHeaderDigest({ signatureHeader, header }: RpmPackage): void {
  const sha256 = firstText(signatureHeader, SIGNATURE_TAG.sha256)
  const sha1 = firstText(signatureHeader, SIGNATURE_TAG.sha1)
  if (sha256) {
    if (hexDigest('sha256', header.bytes) !== sha256) {
      throw mismatch('SHA-256 mismatch in signature header')
    }
  } else if (sha1 && hexDigest('sha1', header.bytes) !== sha1) {
    throw mismatch('SHA-1 mismatch in signature header')
  }
}

/**
 * Checks the digest of the payload in the header; without one of a known algorithm, the MD5 over header and payload in the
 * signature header. One of them there must be.
 *
 * @throws LogError `verification_failed` | `invalid_request`
 */
export function assertPayloadDigest(rpm: RpmPackage): void {
  const { header, signatureHeader } = rpm
  const expected = firstText(header, HEADER_TAG.payloadDigest)
  const number = firstInteger(header, HEADER_TAG.payloadDigestAlgorithm)
  const digest = number === undefined ? undefined : PAYLOAD_DIGESTS.get(number)
  if (expected !== undefined && digest !== undefined) {
    if (hexDigest(digest.algorithm, rpm.payload) !== expected) {
      throw mismatch(`payload ${digest.name} digest mismatch`)
    }
    return
  }
  const md5 = bytesOf(signatureHeader, SIGNATURE_TAG.md5)
  if (md5 === undefined) throw mismatch('no usable payload digest found')
  if (hexDigest('md5', rpm.headerAndPayload) !== encodeHex(md5)) {
    throw mismatch('md5 digest mismatch')
  }
}

function hexDigest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex')
}

function mismatch(problem: string): LogError {
  return new LogError('verification_failed', problem)
}
