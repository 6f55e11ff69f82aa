import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import {
  type BundleFormat,
  STANDARD_BUNDLES,
  decodeEntryBundle,
  formatBundlePath,
  maxBundleBytes
} from './entry-bundle.js'
import { HASH_BYTES, type Sha256, hashLeaf, portableSha256 } from './hash.js'
import { hashTileSlots, rootHashAtSize } from './tile-hashes.js'
import {
  TILE_WIDTH,
  type TilePosition,
  type TileRef,
  formatTilePath,
  isTreeSize,
  rightEdge,
  tileKey,
  tileWidth
} from './tiles.js'
import type { FetchTile, TreeHead } from './tree.js'

/**
 * Gets a resource of a log: its bytes after any content encoding is undone, undefined where there is none (404). Nobody writes
 * to them later. What it throws reaches whoever asked for the tile. Full tiles and bundles never change: it may keep them, since
 * what it gives is checked each time.
 *
 * @param path below the log's prefix
 * @param maxBytes of the longest answer that can be right: nobody needs to read on after that
 */
export type FetchResource = (path: string, maxBytes: number) => Promise<Uint8Array | undefined>

export interface TileReaderOptions {
  /** What a checkpoint says whose signatures were verified: all trust comes from here. */
  readonly treeHead: TreeHead
  readonly fetchResource: FetchResource
  /** How this log packs entries. The standard way unless told otherwise. */
  readonly bundles?: BundleFormat
  readonly sha256?: Sha256
}

/** Neighbouring entries of a tree, all of them proved to be where they are. */
export interface EntryRun {
  /** Of the first of them. */
  readonly leafIndex: number
  /** At least one. Views of the bundle they came in: who keeps one of them for long makes a copy. */
  readonly leafValues: readonly Uint8Array[]
  /** As many hashes, 32 bytes each. */
  readonly leafHashes: Uint8Array
}

/**
 * Reads the tiles and entries of one tree at one size from somebody who is not trusted. What it hands out leads up to the
 * root of the tree head; what does not is an error:
 *
 * - `integrity`: what was served is not what the tree head commits to. `details.path` says where.
 * - `not_found`: the tree has it and the log does not serve it. It may be there again later.
 * - whatever `fetchResource` throws.
 *
 * Nothing that failed is remembered: asking again fetches again.
 */
export interface TileReader {
  readonly treeHead: TreeHead
  /**
   * A tile exactly as wide as it is at this tree's size; undefined where the tree has none. Good for everything that takes a
   * FetchTile: roots of earlier sizes and proofs come out right, whoever serves the tiles.
   */
  readonly tile: FetchTile
  /**
   * All entries of a bundle that are in this tree.
   * @throws LogError also `invalid_request` where the tree has none
   */
  entryBundle(tileIndex: number): Promise<EntryRun>
}

/** Full tiles that are remembered: 8 KiB each. Those above the leaves are needed again for every tile below them. */
const KEPT_TILES = 64

/**
 * A reader of the tree at this head, once the tiles at its right edge (at most one a level) were found to make up the root.
 * Every other tile is full and one hash of the tile above it.
 *
 * @throws LogError `integrity`, `not_found` (see TileReader), `invalid_request` for an impossible size
 * @see C2SP tlog-tiles, "Merkle Tree"
 */
export async function openTileReader({
  treeHead,
  fetchResource,
  bundles = STANDARD_BUNDLES,
  sha256 = portableSha256
}: TileReaderOptions): Promise<TileReader> {
  const { treeSize } = treeHead
  const rootHash = new Uint8Array(treeHead.rootHash)
  if (!isTreeSize(treeSize)) throw new LogError('invalid_request', `no tree size: ${treeSize}`)

  const edge = await fetchEdge(treeSize, fetchResource)
  const got = await rootHashAtSize(
    treeSize,
    async (level, tileIndex) => edge.get(tileKey({ level, tileIndex })),
    sha256
  )
  if (!equalBytes(got, rootHash)) {
    const paths = rightEdge(treeSize).map(formatTilePath).join(', ') || 'no tiles'
    const problem = `${paths} lead to root ${encodeHex(got)} at size ${treeSize}, want ${encodeHex(rootHash)}`
    throw new LogError('integrity', problem, { details: { path: paths } })
  }

  // Full tiles by key, verified or about to be, the one used last at the end.
  const full = new Map<string, Promise<Uint8Array>>()

  /** A tile of the tree. Shared: nobody may write to it. */
  function verifiedTile(level: number, tileIndex: number): Promise<Uint8Array> {
    const key = tileKey({ level, tileIndex })
    const atEdge = edge.get(key)
    if (atEdge !== undefined) return Promise.resolve(atEdge)
    const known = full.get(key)
    const tile = known ?? fetchFullTile(level, tileIndex)
    full.delete(key)
    full.set(key, tile)
    if (known === undefined) {
      tile.catch(() => full.delete(key))
      for (const oldest of full.keys()) {
        if (full.size <= KEPT_TILES) break
        full.delete(oldest)
      }
    }
    return tile
  }

  async function fetchFullTile(level: number, tileIndex: number): Promise<Uint8Array> {
    const ref = { level, tileIndex, width: TILE_WIDTH }
    const above = verifiedTile(level + 1, Math.floor(tileIndex / TILE_WIDTH))
    const [hashes, parent] = await Promise.all([fetchTile(ref, fetchResource), above])
    const hash = hashTileSlots(hashes, { ...ref, firstSlot: 0, slots: TILE_WIDTH }, sha256)
    const want = hashAt(parent, tileIndex % TILE_WIDTH)
    if (!equalBytes(hash, want)) {
      const problem = `has root ${encodeHex(hash)}, the tile above says ${encodeHex(want)}`
      throw forged(formatTilePath(ref), problem)
    }
    return hashes
  }

  function widthOf(level: number, tileIndex: number): number {
    const possible = isTreeSize(level) && isTreeSize(tileIndex)
    return possible ? tileWidth(level, tileIndex, treeSize) : 0
  }

  return {
    treeHead: { treeSize, rootHash },
    async tile(level, tileIndex) {
      if (widthOf(level, tileIndex) === 0) return undefined
      return (await verifiedTile(level, tileIndex)).slice()
    },
    async entryBundle(tileIndex) {
      const width = widthOf(0, tileIndex)
      if (width === 0) {
        throw new LogError('invalid_request', `no bundle ${tileIndex} at size ${treeSize}`)
      }
      const position = { tileIndex, width }
      const [leafHashes, { path, leafValues }] = await Promise.all([
        verifiedTile(0, tileIndex),
        fetchBundle(bundles, position, fetchResource)
      ])
      leafValues.forEach((leafValue, i) => {
        const hash = hashLeaf(leafValue, sha256)
        const want = hashAt(leafHashes, i)
        if (!equalBytes(hash, want)) {
          const problem = `entry ${i} has leaf hash ${encodeHex(hash)}, the tree has ${encodeHex(want)}`
          throw forged(path, problem)
        }
      })
      return { leafIndex: tileIndex * TILE_WIDTH, leafValues, leafHashes: leafHashes.slice() }
    }
  }
}

/** Tiles at the right edge as they are served, by key. Only their lengths were looked at. */
async function fetchEdge(
  treeSize: number,
  fetchResource: FetchResource
): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map(
    await Promise.all(
      rightEdge(treeSize).map(
        async (ref) => [tileKey(ref), await fetchTile(ref, fetchResource)] as const
      )
    )
  )
}

/** A copy of the hashes of a tile. Its length is right; what is in it may be anything. */
async function fetchTile(ref: TileRef, fetchResource: FetchResource): Promise<Uint8Array> {
  const served = await fetchPosition(
    ref,
    (position) => formatTilePath({ ...ref, ...position }),
    ({ width }) => width * HASH_BYTES,
    fetchResource
  )
  const want = served.width * HASH_BYTES
  if (served.bytes.length !== want) {
    throw forged(served.path, `has ${served.bytes.length} bytes, want ${want}`)
  }
  return new Uint8Array(served.bytes.subarray(0, ref.width * HASH_BYTES)) // slice of a Buffer would be no copy
}

/** The first entries of a bundle. Their number is right; what is in them may be anything. */
async function fetchBundle(
  format: BundleFormat,
  position: TilePosition,
  fetchResource: FetchResource
): Promise<{ readonly path: string; readonly leafValues: readonly Uint8Array[] }> {
  const { path, width, bytes } = await fetchPosition(
    position,
    (at) => formatBundlePath(format, at),
    (at) => maxBundleBytes(format, at.width),
    fetchResource
  )
  try {
    const leafValues = decodeEntryBundle(format, bytes, width)
    return { path, leafValues: leafValues.slice(0, position.width) }
  } catch (err) {
    throw forged(path, (err as LogError).message, err) // decoding throws nothing else
  }
}

interface ServedResource {
  readonly path: string
  /** Hashes or entries that have to be in it: the width asked for, or 256 when only the full one is left. */
  readonly width: number
  readonly bytes: Uint8Array
}

/**
 * What is served at a position. A log may drop what is partial once it is full, and then the full one begins with it. Where
 * that one goes on after this tree's size, nothing can be said about the rest.
 */
async function fetchPosition(
  { tileIndex, width }: TilePosition,
  pathOf: (position: TilePosition) => string,
  maxBytesOf: (position: TilePosition) => number,
  fetchResource: FetchResource
): Promise<ServedResource> {
  const asked = { tileIndex, width }
  for (const position of width === TILE_WIDTH
    ? [asked]
    : [asked, { tileIndex, width: TILE_WIDTH }]) {
    const path = pathOf(position)
    const bytes = await fetchResource(path, maxBytesOf(position))
    if (bytes !== undefined) return { path, width: position.width, bytes }
  }
  const path = pathOf(asked)
  throw new LogError('not_found', `${path} is part of the tree and not served`, {
    details: { path }
  })
}

function hashAt(tile: Uint8Array, slot: number): Uint8Array {
  return tile.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES)
}

function forged(path: string, problem: string, cause?: unknown): LogError {
  return new LogError('integrity', `${path} ${problem}`, { cause, details: { path } })
}
