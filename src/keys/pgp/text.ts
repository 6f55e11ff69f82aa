const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Text of bytes that ought to be UTF-8 and, in old keys, often are Latin-1: what cannot be read becomes U+FFFD. For
 * names and messages only; what is signed and stored stays bytes.
 */
export function readText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
