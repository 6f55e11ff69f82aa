import { hash } from 'node:crypto'

/** 32 bytes of SHA-256 of `message`, by OpenSSL: under half the time of the portable one at a tree node's 65 bytes. */
export function sha256(message: Uint8Array): Uint8Array {
  const digest = hash('sha256', message, 'buffer')
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
}
