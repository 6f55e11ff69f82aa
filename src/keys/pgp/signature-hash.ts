import { createHash } from 'node:crypto'

import { encodeUint32 } from './packets.js'
import type { SignaturePacket } from './signature-packet.js'

/**
 * What the signature is made over, in pieces: salt (v6), what was signed, the hashed part of the signature, trailer.
 * @see RFC 9580 section 5.2.4
 */
export function hashedPieces(
  { salt, hashedPart, version }: SignaturePacket,
  signed: Uint8Array
): readonly Uint8Array[] {
  return [salt, signed, hashedPart, Uint8Array.of(version, 0xff), encodeUint32(hashedPart.length)]
}

/** First two bytes of the digest. */
export function hashTagOf(signature: SignaturePacket, signed: Uint8Array): Uint8Array {
  const hash = createHash(signature.hashName)
  for (const piece of hashedPieces(signature, signed)) hash.update(piece)
  return new Uint8Array(hash.digest().subarray(0, 2))
}
