import { LogError } from '../errors.js'

/**
 * New ID of a tree: a positive int63 in decimal (rekor-v1 §3.2). Random, so that no two logs in the world share one.
 *
 * @param randomBytes unpredictable
 */
export function randomTreeId(randomBytes: (length: number) => Uint8Array): string {
  const bytes = randomBytes(8)
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) >> 1n
  if (value === 0n) throw new LogError('internal', 'the source of randomness gave only zeros')
  return value.toString()
}
