import { constants, verify } from 'node:crypto'
import type { JsonValue } from '../../encoding/canonical-json.js'
import { decodeHex, encodeHex } from '../../encoding/hex.js'
import { isJsonObject } from '../../encoding/json.js'
import { olpcJson } from '../../encoding/olpc-json.js'
import { decodePem } from '../../encoding/pem.js'
import { encodeUtf8 } from '../../encoding/text.js'
import { LogError } from '../../errors.js'
import { labelled } from '../../keys/pgp/failure.js'
import {
  ecdsaPublicKey,
  ed25519PublicKey,
  parsePublicKey,
  type PublicKey
} from '../../keys/public-key.js'
import { sha256 } from '../../keys/sha256.js'
import { arrayMember, type JsonObject, objectMember, textMember } from './members.js'

/** Below this Go refuses to verify. In bits. */
const MIN_RSA_BITS = 1024
const MAX_HASH_ALGORITHMS = 16

export interface TufKey {
  readonly publicKey: PublicKey
  /**
   * Id computed from the key object. Keys that have the same are one, whatever ids the root gives them: those are not looked
   * at, as in Rekor.
   */
  readonly id: string
}

/** Reader of the public key of each key type. */
const READERS: ReadonlyMap<string, (text: string) => PublicKey> = new Map([
  ['ed25519', readEd25519],
  ['ecdsa', readEcdsa],
  ['ecdsa-sha2-nistp256', readEcdsa],
  ['rsa', (text) => readPem(text, 'rsa')]
])

/**
 *     { keytype, scheme, keyid_hash_algorithms?: […], keyval: { public } }
 *
 * The public key is PEM for ECDSA (any curve) and RSA, hex for Ed25519 and, in old metadata, for ECDSA on P-256.
 *
 * @throws LogError `invalid_request`, `unsupported`
 * @see TUF specification section 4.2
 */
export function readKey(value: JsonValue): TufKey {
  if (value === null) throw invalid('tuf root contains nil key')
  if (!isJsonObject(value)) throw invalid('tuf: a key must be an object')
  const type = textMember(value, 'keytype')
  const read = READERS.get(type)
  if (read === undefined) throw new LogError('unsupported', 'invalid key')
  try {
    const id = computeId(value, type)
    return { publicKey: read(textMember(objectMember(value, 'keyval') ?? {}, 'public')), id }
  } catch (err) {
    throw labelled('tuf: error unmarshalling key', err)
  }
}

/** Of its known members only. */
function computeId(key: JsonObject, type: string): string {
  const algorithms = arrayMember(key, 'keyid_hash_algorithms', MAX_HASH_ALGORITHMS)
  const object = {
    keytype: type,
    scheme: textMember(key, 'scheme'),
    ...(algorithms.length === 0 ? {} : { keyid_hash_algorithms: algorithms }),
    keyval: objectMember(key, 'keyval')
  }
  return encodeHex(sha256(encodeUtf8(olpcJson(object))))
}

function readEd25519(text: string): PublicKey {
  const raw = decodeHex(text)
  if (raw.length === 32) return ed25519PublicKey(raw)
  throw invalid(`tuf: unexpected public key length for ed25519 key, expected 32, got ${raw.length}`)
}

function readEcdsa(text: string): PublicKey {
  return /^[0-9a-fA-F]*$/.test(text)
    ? ecdsaPublicKey('P-256', decodeHex(text))
    : readPem(text, 'ecdsa')
}

/** The first block; what stands around it is not looked at, as in Go. */
function readPem(text: string, type: PublicKey['type']): PublicKey {
  const block = decodePem(encodeUtf8(text))?.block
  if (block === undefined) throw invalid('invalid PEM value')
  if (block.type !== 'PUBLIC KEY') throw invalid(`invalid block type: ${block.type}`)
  const key = parsePublicKey(block.bytes)
  if (key.type !== type) throw invalid('invalid public key')
  return key
}

/** Whether this is a signature over `message`: pure Ed25519, ECDSA in DER, RSASSA-PSS with any salt; the last two over SHA-256. */
export function isGoodSignature(
  { publicKey }: TufKey,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  const { keyObject: key } = publicKey
  if (publicKey.type === 'ed25519') return verify(null, message, key, signature)
  if (publicKey.type === 'ecdsa') {
    return verify('sha256', message, { key, dsaEncoding: 'der' }, signature)
  }
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const saltLength = constants.RSA_PSS_SALTLEN_AUTO
  return (
    publicKey.modulus.toString(2).length >= MIN_RSA_BITS &&
    verify('sha256', message, { key, padding, saltLength }, signature)
  )
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
