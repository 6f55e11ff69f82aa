import { canonicalize } from '@tufjs/canonical-json'
import { Key } from '@tufjs/models'
import { encodeHex } from '../encoding/hex.js'
import { decodeSinglePem, encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { type EcdsaPublicKey, parsePublicKey } from '../keys/public-key.js'
import { hashData } from '../keys/verify.js'

// P-256 and nothing else: it is what every client verifies alike (rekor-v2-and-tiles §4.3).
const KEY_TYPE = 'ecdsa'
const SCHEME = 'ecdsa-sha2-nistp256'
const PEM_LABEL = 'PUBLIC KEY'

/**
 * Key object of a public key, with its id: hex SHA-256 of the canonical JSON of the object.
 *
 * @param spki SubjectPublicKeyInfo, DER
 * @throws LogError `invalid_request` when malformed, `unsupported` unless it is ECDSA on P-256
 * @see TUF specification section 4.2
 */
export function keyFromSpki(spki: Uint8Array): Key {
  return keyOf(parseP256(spki))
}

function keyOf({ spki }: EcdsaPublicKey): Key {
  const keyVal = { public: encodePem(PEM_LABEL, spki) }
  const object = { keytype: KEY_TYPE, scheme: SCHEME, keyval: keyVal }
  const keyID = encodeHex(hashData('sha256', encodeUtf8(canonicalize(object))))
  return new Key({ keyID, keyType: KEY_TYPE, scheme: SCHEME, keyVal })
}

/** Id of a public key given as SubjectPublicKeyInfo. @throws LogError as keyFromSpki */
export function tufKeyId(spki: Uint8Array): string {
  return keyFromSpki(spki).keyID
}

/**
 * Public key of a key object, which must be just as keyFromSpki makes it.
 *
 * @throws LogError `invalid_request`, `unsupported`
 */
export function publicKeyOf(key: Key): EcdsaPublicKey {
  const pem = key.keyVal.public
  if (key.keyType !== KEY_TYPE || key.scheme !== SCHEME || pem === undefined) {
    throw new LogError('unsupported', `key ${key.keyID} is not of scheme ${SCHEME}`)
  }
  const publicKey = parseP256(decodeSinglePem(encodeUtf8(pem), PEM_LABEL))
  if (!keyOf(publicKey).equals(key)) {
    throw new LogError('invalid_request', `key ${key.keyID} has another id or more members`)
  }
  return publicKey
}

function parseP256(spki: Uint8Array): EcdsaPublicKey {
  const key = parsePublicKey(spki)
  if (key.type !== 'ecdsa' || key.curve !== 'P-256') {
    throw new LogError('unsupported', 'keys of the TUF repository are ECDSA on P-256')
  }
  return key
}
