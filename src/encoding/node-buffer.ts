/** What we use of Node's Buffer: text and bytes converted in native code, small results in memory that they share. */
export interface NodeBuffer {
  from(text: string, encoding: NativeEncoding): Uint8Array
  from(
    memory: ArrayBufferLike,
    byteOffset: number,
    byteLength: number
  ): { toString(encoding: NativeEncoding): string }
}

type NativeEncoding = 'base64' | 'hex' | 'utf8'

/**
 * Node's Buffer where there is one. Browsers have none, and need none: whoever asks has a way of its own that gives the same,
 * at several times the cost.
 *
 * @param scope global names; tests bring others
 */
export function nodeBuffer(scope: object = globalThis): NodeBuffer | undefined {
  const found: unknown = Reflect.get(scope, 'Buffer')
  return typeof found === 'function' ? (found as unknown as NodeBuffer) : undefined // Node's, by its name
}

/** The same memory as a plain Uint8Array, whose `slice` copies. */
export function plainBytes({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
