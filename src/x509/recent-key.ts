import { type DerElement } from '../encoding/der.js'
import { createRecent } from '../encoding/recent.js'
import { type PublicKey, readPublicKey } from '../keys/public-key.js'

/**
 * A key that is certified is read with the request, the precertificate, the certificate and the log entry that is signed with it,
 * and loading one costs a tenth of verifying with it.
 */
const RECENT = createRecent<PublicKey>(1024)

/** RSA of 8192 bits takes some more; nearly all are of 91 bytes. */
const MAX_KEPT_BYTES = 1024

/** Reads a SubjectPublicKeyInfo; one that was read lately is not read again. @throws LogError as readPublicKey */
export function readRecentKey(element: DerElement): PublicKey {
  const { encoded } = element
  if (encoded.length > MAX_KEPT_BYTES) return readPublicKey(element)
  // Latin-1: every byte is one character, so no two keys become one.
  const name = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString('latin1')
  return RECENT.get(name, () => readPublicKey(element))
}
