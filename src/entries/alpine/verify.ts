import { type Apk, DEFAULT_MAX_APK_METADATA_BYTES, readApk } from '../../archive/apk.js'
import { decodeHex, encodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'
import { sha256 } from '../../keys/sha256.js'
import { hashData, verifyDigest } from '../../keys/verify.js'
import { parseX509Key } from '../../x509/x509-format.js'
import type { VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { sha256Value } from '../leaf.js'
import { alpineLeafValue, alpineSearchKeys } from './canonical.js'
import type { Alpine } from './parse.js'

/**
 * Checks the hash of the package, that its data are those its control files name, and the signature over these.
 *
 * A committed form has no package. Looked up, it is taken for an empty one, and its hash does not match: as in Rekor.
 */
export async function verifyAlpine(
  entry: Alpine,
  { maxApkMetadataBytes = DEFAULT_MAX_APK_METADATA_BYTES }: VerifyOptions
): Promise<VerifiedEntry> {
  const key = parseX509Key(entry.publicKey)
  const content = entry.content ?? new Uint8Array(0)
  const hash = sha256Value(content)
  if (entry.hash !== undefined && entry.hash.value !== hash.value) {
    throw new LogError('verification_failed', `SHA mismatch: ${hash.value} != ${entry.hash.value}`)
  }
  const apk = readApk(content, maxApkMetadataBytes)
  assertDatahash(apk)
  // abuild-sign knows SHA-1 only, and of a chain only the first certificate counts (rekor-v1 §7.1).
  await verifyDigest(key.publicKey, 'sha1', hashData('sha1', apk.control), apk.signature)
  return {
    leafValue: alpineLeafValue(key, hash, apk.pkginfo),
    searchKeys: alpineSearchKeys(key, hash)
  }
}

function assertDatahash({ pkginfo, data }: Apk): void {
  const expected = encodeHex(readDatahash(pkginfo.get('datahash') ?? ''))
  const computed = encodeHex(sha256(data))
  if (computed === expected) return
  throw new LogError(
    'verification_failed',
    `checksum for data.tar.gz (${computed}) does not match value from .PKGINFO (${expected})`
  )
}

function readDatahash(digits: string): Uint8Array {
  // Rekor answers with the digits it could read, however many: 64 are enough to tell.
  if (digits.length > 64) throw new LogError('invalid_request', 'parsing datahash: too many digits')
  try {
    return decodeHex(digits)
  } catch (err) {
    throw new LogError('invalid_request', `parsing datahash: ${(err as LogError).message}`, {
      cause: err
    })
  }
}
