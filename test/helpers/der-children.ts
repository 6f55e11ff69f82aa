/**
 * Elements inside a DER element, each whole. Written for tests alone, so that what they compare does not come out of the code
 * they test.
 */
export function derChildren(element: Uint8Array): Buffer[] {
  const bytes = Buffer.from(element)
  const found: Buffer[] = []
  for (let at = extent(bytes, 0).start; at < bytes.length;) {
    const { end } = extent(bytes, at)
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

/** An element. @param tag as it is written, class and all */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function extent(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = bytes.readUInt8(at + 1)
  const more = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + more
  return { start, end: start + (more === 0 ? first : bytes.readUIntBE(at + 2, more)) }
}
