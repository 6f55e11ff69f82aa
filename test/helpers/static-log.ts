import type { FetchResource } from '../../src/merkle/tile-reader.js'
import type { TreeHead } from '../../src/merkle/tree.js'
import { type ReferenceTree, at, referenceTree } from './rfc6962.js'
import { LARGEST_SIZE, decimalLeafHashes, tileTree } from './tile-tree.js'

/** A log as files: all resources of its tree at one size, by their path. Entry i is the ASCII decimal of i. */
export interface StaticLog {
  readonly treeHead: TreeHead
  readonly resources: ReadonlyMap<string, Uint8Array>
  /** Paths read since the last time it was emptied. */
  readonly reads: string[]
  readonly fetchResource: FetchResource
  /** The same log, with other bytes in some places; undefined for what is not served. */
  forged(changes: ReadonlyMap<string, Uint8Array | undefined>): FetchResource
}

export interface StaticLogs {
  readonly reference: ReferenceTree
  /** The log when it had this many entries, none above the largest size. */
  at(treeSize: number): StaticLog
}

/** Resources of one tile that is `width` wide: where the hashes or entries of a full one are, `.p/` is added here. */
export function staticPath(directory: string, index: number, width: number): string {
  const name =
    index < 1000
      ? String(index).padStart(3, '0')
      : `x${String(Math.floor(index / 1000)).padStart(3, '0')}/${String(index % 1000).padStart(3, '0')}`
  return `tile/${directory}/${name}${width === 256 ? '' : `.p/${width}`}`
}

/** The test tree as the files a log would serve, packed here without help from src. */
export function staticLogs(largestSize = LARGEST_SIZE): StaticLogs {
  const leafHashes = decimalLeafHashes(largestSize)
  const reference = referenceTree(leafHashes)
  const tree = tileTree()
  tree.add(leafHashes)

  const known = new Map<number, ReadonlyMap<string, Uint8Array>>()

  function resourcesAt(treeSize: number): ReadonlyMap<string, Uint8Array> {
    const resources = known.get(treeSize) ?? packResources(treeSize)
    known.set(treeSize, resources)
    return resources
  }

  // What is full stays the same at every larger size.
  const full = new Map<string, Uint8Array>()

  function pack(path: string, width: number, make: () => Uint8Array): Uint8Array {
    const bytes = full.get(path) ?? make()
    if (width === 256) full.set(path, bytes)
    return bytes
  }

  function packResources(treeSize: number): Map<string, Uint8Array> {
    const resources = new Map<string, Uint8Array>()
    const add = (directory: string, index: number, width: number, make: () => Uint8Array): void => {
      const path = staticPath(directory, index, width)
      resources.set(path, pack(path, width, make))
    }
    for (let level = 0, hashes = treeSize; hashes > 0; level++, hashes = Math.floor(hashes / 256)) {
      for (let index = 0; index * 256 < hashes; index++) {
        const width = Math.min(256, hashes - index * 256)
        // What a tree had at a smaller size is where the tiles of the large one begin.
        const tile = tree.tiles.get(`${level}/${index}`)
        if (tile === undefined) throw new Error(`no tile ${level}/${index}`)
        add(String(level), index, width, () => tile.slice(0, width * 32))
        if (level > 0) continue
        add('entries', index, width, () => bundle(index * 256, width, 2))
        add('entries-v1', index, width, () => bundle(index * 256, width, 4))
      }
    }
    return resources
  }

  return {
    reference,
    at(treeSize) {
      if (treeSize > largestSize) throw new Error(`no log of ${treeSize} entries`)
      const resources = resourcesAt(treeSize)
      const reads: string[] = []
      return {
        treeHead: { treeSize, rootHash: reference.mth(0, treeSize) },
        resources,
        reads,
        fetchResource: async (path) => {
          reads.push(path)
          return resources.get(path)
        },
        forged: (changes) => async (path) =>
          changes.has(path) ? changes.get(path) : resources.get(path)
      }
    }
  }
}

function bundle(first: number, width: number, lengthBytes: 2 | 4): Uint8Array {
  // No entry of the test tree is longer than 255 bytes: the other bytes of a length are 0.
  const parts = Array.from({ length: width }, (_, i) => {
    const entry = String(first + i)
    return `${'\0'.repeat(lengthBytes - 1)}${String.fromCharCode(entry.length)}${entry}`
  })
  return new Uint8Array(Buffer.from(parts.join(''), 'latin1'))
}

/** Every way to damage a tile that we try, but for single hashes: a name and other bytes. */
export function damagedTiles(
  log: StaticLog,
  path: string
): readonly (readonly [string, Uint8Array])[] {
  const tile = log.resources.get(path)
  if (tile === undefined) throw new Error(`no ${path}`)
  const others = [...log.resources].filter(([other]) => other !== path)
  const neighbours = others.filter(([other]) => /^tile\/\d/.test(other))
  const pick = (index: number): Uint8Array => at(neighbours, index % neighbours.length)[1]
  const swapped = tile.slice()
  swapped.set(tile.subarray(0, 32), tile.length - 32)
  swapped.set(tile.subarray(tile.length - 32), 0)
  const full = new Uint8Array(8192)
  full.set(tile)
  const damaged: [string, Uint8Array][] = [
    ['empty', new Uint8Array(0)],
    ['a hash short at the end', tile.slice(0, -32)],
    ['a hash short at the start', tile.slice(32)],
    ['a byte short', tile.slice(0, -1)],
    ['a byte long', Uint8Array.of(...tile, 0)],
    ['a hash too wide', Uint8Array.of(...tile, ...tile.subarray(0, 32))],
    ['as wide as a full one', full],
    ['twice', Uint8Array.of(...tile, ...tile)],
    ['zeros', new Uint8Array(tile.length)],
    ['first and last hash swapped', swapped],
    ['shifted by one hash', Uint8Array.of(...tile.subarray(32), ...tile.subarray(0, 32))]
  ]
  if (neighbours.length > 0) {
    damaged.push(['another tile', pick(0)], ['yet another tile', pick(1)])
    damaged.push(['the tile of the highest level', pick(neighbours.length - 1)])
    const other = new Uint8Array(tile.length)
    other.set(pick(neighbours.length - 1).subarray(0, tile.length))
    damaged.push(['another tile, as wide as this one', other])
  }
  return damaged.filter(([, bytes]) => !Buffer.from(bytes).equals(tile))
}
