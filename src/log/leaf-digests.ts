/**
 * Eight bytes for each leaf of a tree, into which everything that the index tables hold about it is XORed. What a leaf
 * says goes in once and what the tables hold goes in once: all zero at the end means that they agree. The tables are
 * read in their own order and memory stays at 8 bytes a leaf.
 */
export class LeafDigests {
  readonly #words: Uint32Array

  constructor(leaves: number) {
    this.#words = new Uint32Array(2 * leaves)
  }

  /** @param bytes folded to 8: the XOR of their 8-byte pieces. A multiple of 8 long */
  xor(leafIndex: number, bytes: Uint8Array): void {
    const words = this.#words
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let offset = 0; offset < bytes.length; offset += 4) {
      const at = 2 * leafIndex + ((offset / 4) % 2)
      words[at] = (words[at] ?? 0) ^ view.getUint32(offset)
    }
  }

  /** First leaf about which the two sides disagree. */
  firstDifference(): number | undefined {
    const at = this.#words.findIndex((word) => word !== 0)
    return at < 0 ? undefined : Math.floor(at / 2)
  }
}
