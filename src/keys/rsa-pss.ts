import { constants, verify } from 'node:crypto'
import type { RsaPublicKey } from './public-key.js'

/**
 * Whether this is a signature of RSASSA-PSS with SHA-256 in all places and a salt of 32 bytes, as PS256 wants it. Of
 * whatever length the key is.
 *
 * @see RFC 8017 section 8.1.2, RFC 8230 section 2
 */
export function isGoodPs256(
  { keyObject }: RsaPublicKey,
  data: Uint8Array,
  signature: Uint8Array
): boolean {
  // OpenSSL answers false, and throws nothing, whatever numbers the key has.
  return verify(
    'sha256',
    data,
    {
      key: keyObject,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST
    },
    signature
  )
}
