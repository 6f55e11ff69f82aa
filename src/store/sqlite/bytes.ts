/** The same bytes as a plain Uint8Array: the driver gives Buffers, which stay at the edge. */
export function toBytes(blob: Uint8Array): Uint8Array {
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
}
