import { hash } from 'node:crypto'
import { type NativeAddon, nativeAddon } from './native-addon.js'

/** Pieces of a Merkle tree in one crossing: `TreeHashes` of merkle. */
interface NativeTreeHashes {
  leaf(leafValue: Uint8Array): Uint8Array
  node(left: Uint8Array, right: Uint8Array): Uint8Array
  subtree(hashes: Uint8Array, first: number, count: number): Uint8Array
  chain(start: Uint8Array, siblings: readonly Uint8Array[], lefts: number): Uint8Array
}

const HASH_BYTES = 32

/** Most siblings of a chain: a tree within safe integers is no higher. */
const MAX_SIBLINGS = 53

/** Hashes live in slabs, since memory of their own takes ten times as long as to compute them. Whoever keeps one keeps 8 kB. */
const SLAB_BYTES = 8192
let slab = new ArrayBuffer(SLAB_BYTES)
let used = 0

/** Up to this length V8 keeps bytes in its own heap, and moves them out for native code the first time: 0.9 us. */
const MAX_BYTES_IN_HEAP = 64

/** Where arguments are put together. Over 64 bytes, so that it is never in V8's heap. */
const scratch = new Uint8Array((1 + MAX_SIBLINGS) * HASH_BYTES)

/**
 * SHA-256 by the native addon where there is one: 0.3 us for a node of a tree, and less where many are hashed in one crossing;
 * 2 us by `node:crypto`.
 */
export const sha256: {
  /** 32 bytes of SHA-256 of `message`. */
  (message: Uint8Array): Uint8Array
  /** Undefined where there is no addon. */
  readonly tree: NativeTreeHashes | undefined
} = Object.defineProperty(hashMessage, 'tree', { get: treeHashes }) as typeof hashMessage & {
  readonly tree: NativeTreeHashes | undefined // just defined
}

function hashMessage(message: Uint8Array): Uint8Array {
  const addon = nativeAddon()
  if (addon === undefined) {
    const digest = hash('sha256', message, 'buffer')
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
  }
  const output = nextOutput()
  addon.sha256(outOfHeap(message), output)
  return output
}

/** Of the addon that was asked for last. */
let made: { readonly addon: NativeAddon; readonly hashes: NativeTreeHashes } | undefined

function treeHashes(): NativeTreeHashes | undefined {
  const addon = nativeAddon()
  if (addon === undefined) return undefined
  if (made?.addon !== addon) made = { addon, hashes: hashesBy(addon) }
  return made.hashes
}

function hashesBy(addon: NativeAddon): NativeTreeHashes {
  return {
    leaf(leafValue) {
      const output = nextOutput()
      addon.hashLeaf(outOfHeap(leafValue), output)
      return output
    },
    node(left, right) {
      putHash(0, left)
      putHash(1, right)
      const output = nextOutput()
      addon.hashSubtree(scratch, 0, 2, output)
      return output
    },
    subtree(hashes, first, count) {
      const output = nextOutput()
      addon.hashSubtree(hashes, first, count, output)
      return output
    },
    chain(start, siblings, lefts) {
      putHash(0, start)
      for (let i = 0; i < siblings.length; i++) putHash(i + 1, siblings[i] as Uint8Array) // i is within them
      const output = nextOutput()
      addon.hashChain(scratch, siblings.length, lefts, output)
      return output
    }
  }
}

function nextOutput(): Uint8Array {
  if (used === SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES)
    used = 0
  }
  const output = new Uint8Array(slab, used, HASH_BYTES)
  used += HASH_BYTES
  return output
}

function outOfHeap(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_BYTES_IN_HEAP) return bytes
  scratch.set(bytes)
  return new Uint8Array(scratch.buffer, 0, bytes.length)
}

/** @throws RangeError for what is no hash, or one too many: the caller's mistake */
function putHash(place: number, bytes: Uint8Array): void {
  if (bytes.length !== HASH_BYTES) throw new RangeError(`a hash of ${bytes.length} bytes`)
  scratch.set(bytes, place * HASH_BYTES)
}
