import { equalBytes } from '../encoding/bytes.js'
import { LogError } from '../errors.js'
import { readEcdsaSignature } from '../keys/ecdsa-signature.js'
import { type CheckData, checkDataHere } from '../keys/check-queue.js'
import type { PublicKey } from '../keys/public-key.js'
import { hashData } from '../keys/verify.js'
import { type CtSignedEntry, encodeMerkleTreeLeaf } from './merkle-tree-leaf.js'
import type { DigitallySigned, SignedCertificateTimestamp } from './sct.js'

/** Below this, Go's CT client takes no RSA key. In bytes. */
const MIN_RSA_MODULUS_BYTES = 256

/** ID of the log that has this key: 32 bytes. @see RFC 6962 section 3.2 */
export function logIdOf(publicKey: PublicKey): Uint8Array {
  return hashData('sha256', publicKey.spki)
}

/**
 * Checks that a timestamp is of the log with this key, and over this entry. Whether the log could be trusted at the time is
 * for the caller to say.
 *
 * @param entry what was submitted: see ctEntryOf and precertificateEntryOfCertificate
 * @param checkData what checks the signature itself; on this thread unless it says otherwise
 * @throws LogError `verification_failed` for the timestamp of another log, or a bad signature; `unsupported` when the key
 *   cannot be that of a log; `invalid_request` when a field does not fit
 */
export async function verifySct(
  sct: SignedCertificateTimestamp,
  entry: CtSignedEntry,
  publicKey: PublicKey,
  checkData: CheckData = checkDataHere
): Promise<void> {
  if (!equalBytes(sct.logId, logIdOf(publicKey))) {
    throw new LogError('verification_failed', 'sct: log id is not that of the log key')
  }
  const { timestampMs, extensions } = sct
  const signed = encodeMerkleTreeLeaf({ timestampMs, entry, extensions })
  await verifyDigitallySigned(sct.signature, signed, publicKey, checkData)
}

/**
 * Checks a signature of a certificate log: ECDSA on P-256 in DER or RSA PKCS#1 v1.5, over SHA-256.
 *
 * @param message see encodeTreeHeadSignatureInput, encodeMerkleTreeLeaf
 * @param checkData what checks the signature itself; on this thread unless it says otherwise
 * @throws LogError `verification_failed` when it is not good, `unsupported` when the key cannot be that of a log
 * @see RFC 6962 section 2.1.4
 */
export async function verifyDigitallySigned(
  { algorithm, signature }: DigitallySigned,
  message: Uint8Array,
  publicKey: PublicKey,
  checkData: CheckData = checkDataHere
): Promise<void> {
  assertCtLogKey(publicKey)
  if (publicKey.type !== algorithm) {
    throw new LogError(
      'verification_failed',
      `digitally signed: ${algorithm} signature, but the log has an ${publicKey.type} key`
    )
  }
  if (algorithm === 'ecdsa' && readEcdsaSignature(signature).encoding !== 'ASN.1') {
    throw new LogError('verification_failed', 'digitally signed: ECDSA signature is not DER')
  }
  await checkData({ key: publicKey, hashName: 'sha256', data: message, signature })
}

/** @throws LogError `unsupported` unless it is ECDSA on P-256 or RSA of 2048 bits and more */
export function assertCtLogKey(publicKey: PublicKey): void {
  const isFit =
    publicKey.type === 'ecdsa'
      ? publicKey.curve === 'P-256'
      : publicKey.type === 'rsa' && publicKey.modulusBytes >= MIN_RSA_MODULUS_BYTES
  if (!isFit) {
    throw new LogError(
      'unsupported',
      'key of a certificate log must be ECDSA P-256, or RSA of 2048 bits or more'
    )
  }
}
