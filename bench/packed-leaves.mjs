// Leaves on their way from one thread to another, as two blocks of bytes that change hands instead of being copied.

/** @param leaves [{ leafValue, leafHash, searchKeys }]; search keys are ASCII */
export function packLeaves(leaves) {
  const texts = leaves.map(({ searchKeys }) => Buffer.from(searchKeys.join('\n')))
  const sizes = new Uint32Array(leaves.length * 2)
  leaves.forEach(({ leafValue }, i) => sizes.set([leafValue.length, texts[i].length], i * 2))
  const blocks = leaves.flatMap(({ leafValue, leafHash }, i) => [leafHash, leafValue, texts[i]])
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0))
  let at = 0
  for (const block of blocks) {
    bytes.set(block, at)
    at += block.length
  }
  return { sizes, bytes }
}

const HASH_BYTES = 32

export function unpackLeaves({ sizes, bytes }) {
  const leaves = []
  let at = 0
  const take = (length) => bytes.subarray(at, (at += length))
  for (let i = 0; i < sizes.length; i += 2) {
    leaves.push({
      leafHash: take(HASH_BYTES),
      leafValue: take(sizes[i]),
      searchKeys: Buffer.from(take(sizes[i + 1]))
        .toString('latin1')
        .split('\n')
    })
  }
  return leaves
}
