import { concatBytes } from '../../src/encoding/bytes.js'

// CBOR written out by hand, good and bad, without the library that reads it.

export const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6 } as const

/** Initial byte and argument. @param width bytes of the argument; by default as few as possible */
export function head(
  major: number,
  argument: number | bigint,
  width = widthOf(argument)
): Uint8Array {
  if (width === 0) return Uint8Array.of((major << 5) | Number(argument))
  const digits = argument.toString(16).padStart(2 * width, '0')
  const info = 24 + Math.log2(width)
  return Uint8Array.of((major << 5) | info, ...Buffer.from(digits, 'hex'))
}

function widthOf(argument: number | bigint): number {
  if (argument < 24) return 0
  if (argument < 1 << 8) return 1
  if (argument < 1 << 16) return 2
  return argument < 2 ** 32 ? 4 : 8
}

export function int(value: number | bigint): Uint8Array {
  return value < 0 ? head(MAJOR.negative, -1n - BigInt(value)) : head(MAJOR.uint, value)
}

export function bstr(bytes: Uint8Array | string, width?: number): Uint8Array {
  const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  return concatBytes(head(MAJOR.bytes, content.length, width), content)
}

export function tstr(text: string, width?: number): Uint8Array {
  const content = Buffer.from(text)
  return concatBytes(head(MAJOR.text, content.length, width), content)
}

export function array(...items: readonly Uint8Array[]): Uint8Array {
  return concatBytes(head(MAJOR.array, items.length), ...items)
}

/** @param entries key, value, key, value, … */
export function map(...entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(head(MAJOR.map, entries.length / 2), ...entries)
}

export function tag(number: number, content: Uint8Array): Uint8Array {
  return concatBytes(head(MAJOR.tag, number), content)
}

export const NULL = Uint8Array.of(0xf6)
export const UNDEFINED = Uint8Array.of(0xf7)
export const FLOAT = Uint8Array.of(0xf9, 0x3c, 0x00) // 1.0
