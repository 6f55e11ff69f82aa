import { encodeUtf8 } from '../../encoding/text.js'
import { isLogError, LogError } from '../../errors.js'
import { type CheckData, checkDataHere } from '../../keys/check-queue.js'
import type { CurveName, PublicKey } from '../../keys/public-key.js'
import type { HashName } from '../../keys/verify.js'
import { CLIENT_MESSAGES } from '../client-messages.js'

const CURVE_HASHES: Readonly<Record<CurveName, HashName>> = {
  'P-224': 'sha224',
  'P-256': 'sha256',
  'P-384': 'sha384',
  'P-521': 'sha512'
}

/** The hash a key signs with when nobody says otherwise; none for Ed25519. @see fulcio §11.2 */
export function defaultHash(key: PublicKey): HashName | undefined {
  if (key.type === 'ed25519') return undefined
  return key.type === 'rsa' ? 'sha256' : CURVE_HASHES[key.curve]
}

/**
 * Checks that whoever sent the key can sign with it: a signature over the UTF-8 bytes of the challenge as they are, RSA
 * PKCS#1 v1.5, ECDSA in DER or IEEE P1363, or pure Ed25519.
 *
 * @param checkData what checks the signature itself; on this thread unless it says otherwise
 * @throws LogError `verification_failed` with the message clients know
 * @see fulcio §11.2
 */
export async function verifyProofOfPossession(
  key: PublicKey,
  proof: Uint8Array,
  challenge: string,
  checkData: CheckData = checkDataHere
): Promise<void> {
  await verifyClientSignature(key, defaultHash(key), encodeUtf8(challenge), proof, checkData)
}

/** @throws LogError `verification_failed` with the message clients know */
export async function verifyClientSignature(
  key: PublicKey,
  hash: HashName | undefined,
  data: Uint8Array,
  signature: Uint8Array,
  checkData: CheckData = checkDataHere
): Promise<void> {
  try {
    // Ed25519 has no hash; whoever checks does not look at the one it is given.
    await checkData({ key, hashName: hash ?? 'sha512', data, signature })
  } catch (err) {
    // That OpenSSL failed says nothing of the signature.
    if (!isLogError(err) || err.code === 'internal') throw err
    throw badSignature(err.message, err)
  }
}

export function badSignature(reason: string, cause?: unknown): LogError {
  return new LogError('verification_failed', CLIENT_MESSAGES.signature, {
    cause,
    details: { reason }
  })
}
