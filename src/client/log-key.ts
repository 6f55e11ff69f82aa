import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { decodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { type PublicKey, parsePublicKey } from '../keys/public-key.js'
import { hashData, verifyData } from '../keys/verify.js'

/** A key that signs for a log, and the id by which entries name it. */
export interface LogKey {
  readonly publicKey: PublicKey
  /** 32 bytes: SHA-256 over the SubjectPublicKeyInfo. */
  readonly logId: Uint8Array
  /** @throws LogError `verification_failed` */
  verify(message: Uint8Array, signature: Uint8Array): Promise<void>
}

/**
 * Every public key of a PEM text: a log that changed its key has one for each.
 * @throws LogError `invalid_request` when there is none or one is unreadable, `unsupported`
 */
export function parseLogKeys(pem: Uint8Array): readonly LogKey[] {
  const keys: LogKey[] = []
  for (let found = decodePem(pem); found !== undefined; found = decodePem(found.rest)) {
    const { type, bytes } = found.block
    if (type !== 'PUBLIC KEY') {
      throw new LogError('invalid_request', `PEM block is ${type}, expected PUBLIC KEY`)
    }
    keys.push(logKeyOf(parsePublicKey(bytes)))
  }
  if (keys.length === 0) throw new LogError('invalid_request', 'no PEM block, expected PUBLIC KEY')
  return keys
}

/** The key with this id. @throws LogError `verification_failed` when it is not among them */
export function selectLogKey(keys: readonly LogKey[], logId: Uint8Array): LogKey {
  const key = keys.find((each) => equalBytes(each.logId, logId))
  if (key === undefined) {
    throw new LogError(
      'verification_failed',
      `signed by log ${encodeHex(logId)}, but the given key is of ` +
        `${keys.map((each) => encodeHex(each.logId)).join(', ')}`
    )
  }
  return key
}

function logKeyOf(publicKey: PublicKey): LogKey {
  return {
    publicKey,
    logId: hashData('sha256', publicKey.spki),
    verify: (message, signature) => verifyData(publicKey, 'sha256', message, signature)
  }
}
