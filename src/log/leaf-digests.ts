/** Words of a leaf. */
const WORDS = 2

/** Bytes of a hash that is mixed: that of a search key. */
const MIXED_BYTES = 16

/** Bytes of the secret that hashes are mixed with. */
export const SECRET_BYTES = 8

/** Digests of the leaves of a tree as several threads share them. */
export interface DigestMemory {
  readonly words: SharedArrayBuffer
  readonly known: SharedArrayBuffer
  readonly secret: Uint8Array
}

/**
 * Eight bytes for each leaf of a tree, into which everything that the index tables hold about it is XORed. What a leaf
 * says goes in once and what the tables hold goes in once: all zero at the end means that they agree. The tables are
 * read in their own order and memory stays at 9 bytes a leaf.
 *
 * Where all search keys of a leaf are known from the leaf itself, their hashes are mixed with a secret of this run before
 * they go in. Then not even somebody who writes to the tables as he likes can put other rows in the place of theirs,
 * which would be easy with a plain XOR.
 *
 * Leaves are written by one thread each; the tables may be read by several.
 */
export class LeafDigests {
  readonly #words: Int32Array
  /** 1 where hashes of search keys are mixed. */
  readonly #known: Uint8Array
  readonly #key0: number
  readonly #key1: number
  readonly memory: DigestMemory

  constructor(memory: DigestMemory) {
    this.memory = memory
    this.#words = new Int32Array(memory.words)
    this.#known = new Uint8Array(memory.known)
    const secret = new DataView(memory.secret.buffer, memory.secret.byteOffset, SECRET_BYTES)
    this.#key0 = secret.getInt32(0)
    this.#key1 = secret.getInt32(4)
  }

  /** @param bytes folded to 8: the XOR of their 8-byte pieces. A multiple of 8 long */
  xor(leafIndex: number, bytes: Uint8Array, from = 0, to = bytes.length): void {
    let left = 0
    let right = 0
    for (let at = from; at < to; at += 8) {
      left ^= wordAt(bytes, at)
      right ^= wordAt(bytes, at + 4)
    }
    this.#add(leafIndex, left, right)
  }

  /** From now on the search keys of this leaf are mixed: all of them are known. */
  setKnown(leafIndex: number): void {
    this.#known[leafIndex] = 1
  }

  /** The hash of a search key, 16 bytes at `from`: mixed where all of the leaf's are known, else folded. */
  xorSearchKey(leafIndex: number, bytes: Uint8Array, from = 0): void {
    if (this.#known[leafIndex] === 0) this.xor(leafIndex, bytes, from, from + MIXED_BYTES)
    else this.#mix(leafIndex, bytes, from)
  }

  /** HalfSipHash-2-4 with 8 bytes of result, without the block that ends messages of different length. */
  #mix(leafIndex: number, bytes: Uint8Array, from: number): void {
    const k0 = this.#key0
    const k1 = this.#key1
    let v0 = k0
    let v1 = k1 ^ 0xee
    let v2 = k0 ^ 0x6c796765
    let v3 = k1 ^ 0x74656462
    let left = 0
    let word = 0
    for (let round = 0; round < MIXING_ROUNDS; round++) {
      if (round < 8) {
        if (round % 2 === 0) {
          word = wordAt(bytes, from + 2 * round)
          v3 ^= word
        }
      } else if (round === 8) {
        v2 ^= 0xee
      } else if (round === 12) {
        left = v1 ^ v3
        v1 ^= 0xdd
      }
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      if (round < 8 && round % 2 === 1) v0 ^= word
    }
    this.#add(leafIndex, left, v1 ^ v3)
  }

  #add(leafIndex: number, left: number, right: number): void {
    Atomics.xor(this.#words, WORDS * leafIndex, left)
    Atomics.xor(this.#words, WORDS * leafIndex + 1, right)
  }

  /** Forgets what these leaves said: they will be read again. */
  clear(start: number, end: number): void {
    this.#words.fill(0, WORDS * start, WORDS * end)
    this.#known.fill(0, start, end)
  }

  /** First leaf about which the two sides disagree. */
  firstDifference(): number | undefined {
    const at = this.#words.findIndex((word) => word !== 0)
    return at < 0 ? undefined : Math.floor(at / WORDS)
  }
}

/** Two for each of four words, four for each half of the result. */
const MIXING_ROUNDS = 16

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  )
}

/** @param secret SECRET_BYTES that nobody knew who wrote to the tables */
export function createLeafDigests(leaves: number, secret: Uint8Array): LeafDigests {
  return new LeafDigests({
    words: new SharedArrayBuffer(4 * WORDS * leaves),
    known: new SharedArrayBuffer(leaves),
    secret
  })
}
