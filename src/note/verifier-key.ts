import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { concatBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { KEY_ID_BYTES, keyIdOf } from './key-id.js'
import { isKeyName } from './signed-note.js'

/** What a key signs, and with which algorithm. */
export type VerifierKeyType =
  | 'ed25519'
  /** As Rekor v1 logs sign. */
  | 'ecdsa'
  /** Timestamped, by a witness: cosignature/v1. */
  | 'ed25519-cosignature'
  /** Likewise after the quantum computer. Nothing here verifies it yet. */
  | 'ml-dsa-44-cosignature'

/** Public half of a key that signs notes, under its name. */
export interface VerifierKey {
  /** No white space, no plus sign. For a log the origin, mostly. */
  readonly name: string
  readonly type: VerifierKeyType
  /** 4 bytes, computed from the rest. */
  readonly keyId: Uint8Array
  /** The 32 bytes of an Ed25519 key, the 1312 bytes of an ML-DSA key, the SubjectPublicKeyInfo DER of an ECDSA key. */
  readonly publicKey: Uint8Array
}

interface KeyTypeForm {
  /** First byte of the key in its text. */
  readonly number: number
  /** Where all keys are of one length. */
  readonly bytes?: number
}

/** @see C2SP signed-note, section on signature types */
const FORMS: Readonly<Record<VerifierKeyType, KeyTypeForm>> = {
  ed25519: { number: 0x01, bytes: 32 },
  ecdsa: { number: 0x02 },
  'ed25519-cosignature': { number: 0x04, bytes: 32 },
  'ml-dsa-44-cosignature': { number: 0x06, bytes: 1312 }
}
const TYPES = Object.keys(FORMS) as readonly VerifierKeyType[] // its keys are these

/** Longest text of a key that we read. One of ML-DSA takes 1,800 characters. */
const MAX_TEXT_LENGTH = 4096

/**
 * A key with its ID: the first four bytes of SHA-256(name || 0x0A || type || key). Rekor's ECDSA keys are hashed without name and
 * type (keyIdOf).
 *
 * @throws LogError `invalid_request` when the name cannot be one, or the key is not as long as such keys are
 * @see C2SP signed-note, tlog-cosignature
 */
export function createVerifierKey(
  name: string,
  type: VerifierKeyType,
  publicKey: Uint8Array
): VerifierKey {
  if (!isKeyName(name)) throw malformed('bad key name')
  const { number, bytes } = FORMS[type]
  if (publicKey.length !== (bytes ?? publicKey.length) || publicKey.length === 0) {
    throw malformed(`key of ${publicKey.length} bytes`)
  }
  const keyId =
    type === 'ecdsa'
      ? keyIdOf(publicKey)
      : sha256(concatBytes(encodeUtf8(`${name}\n`), Uint8Array.of(number), publicKey)).slice(
          0,
          KEY_ID_BYTES
        )
  return { name, type, keyId, publicKey }
}

/** Text of a key, known as vkey: `<name>+<key id, hex>+<base64 of type and key>`. */
export function formatVerifierKey({ name, type, keyId, publicKey }: VerifierKey): string {
  const typed = concatBytes(Uint8Array.of(FORMS[type].number), publicKey)
  return `${name}+${encodeHex(keyId)}+${encodeBase64(typed)}`
}

/**
 * Reads the text of a key; only one spelling passes, with the right key ID. Whether the bytes are a key, who verifies with it
 * finds out.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` when it signs in another way
 * @see C2SP signed-note, section on verifier keys
 */
export function parseVerifierKey(text: string): VerifierKey {
  if (text.length > MAX_TEXT_LENGTH) throw malformed(`longer than ${MAX_TEXT_LENGTH} characters`)
  // Base64 may have plus signs in it, a name may not.
  const [, name, keyId, base64] = /^([^+]*)\+([^+]*)\+(.*)$/su.exec(text) ?? []
  if (name === undefined || keyId === undefined || base64 === undefined) {
    throw malformed('not <name>+<key id>+<key>')
  }
  const typed = decodeBase64(base64, 'verifier key: key')
  const type = TYPES.find((candidate) => FORMS[candidate].number === typed[0])
  if (type === undefined) {
    throw new LogError('unsupported', `verifier key: type ${typed[0] ?? 'missing'}`)
  }
  const key = createVerifierKey(name, type, typed.slice(1))
  const want = encodeHex(key.keyId)
  if (keyId !== want) throw malformed(`key id ${JSON.stringify(keyId)}, want "${want}"`)
  return key
}

/**
 * The key as what a witness cosigns with. Many policies give a witness's key as one that signs notes without a time; the same
 * 32 bytes then have another ID on the signature lines.
 *
 * @throws LogError `unsupported` for a key that cannot cosign
 */
export function cosignatureKey(key: VerifierKey): VerifierKey {
  if (key.type === 'ed25519') {
    return createVerifierKey(key.name, 'ed25519-cosignature', key.publicKey)
  }
  if (key.type === 'ecdsa') {
    throw new LogError('unsupported', 'verifier key: an ECDSA key does not cosign')
  }
  return key
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `verifier key: ${problem}`)
}
