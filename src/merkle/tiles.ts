import { LogError } from '../errors.js'
import type { Subtree } from './compact-range.js'

/** Hashes in a full tile, and levels of the tree that one tile level stands for (2^8 = 256). */
export const TILE_WIDTH = 256
export const TILE_HEIGHT = 8

/** Deepest tile level a path may name. Sizes within safe integers never get past level 6. */
const MAX_TILE_LEVEL = 63

/** Which tile, and how much of it exists. */
export interface TileRef {
  readonly level: number
  readonly tileIndex: number
  /** Hashes, 1 to 256. */
  readonly width: number
}

/** Where a tile keeps what is below a subtree: `slots` hashes from `firstSlot` on; a power of two. */
export interface TileSlots {
  readonly level: number
  readonly tileIndex: number
  readonly firstSlot: number
  readonly slots: number
}

/** Whether `value` is a size of a tree we can count: 0 to 2^53 − 1. */
export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** Hashes that exist at a tile level in a tree of this size, over all its tiles. */
export function levelWidth(level: number, treeSize: number): number {
  return Math.floor(treeSize / TILE_WIDTH ** level)
}

/** Width of one tile in a tree of this size, 0 to 256; 0 means that there is no such tile. */
export function tileWidth(level: number, tileIndex: number, treeSize: number): number {
  const width = levelWidth(level, treeSize) - tileIndex * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, width))
}

/** Tiles that a tree of this size consists of, level by level from the leaves, left to right. */
export function* tilesOfTree(treeSize: number): Generator<TileRef, undefined> {
  for (let level = 0; levelWidth(level, treeSize) > 0; level++) {
    const tiles = Math.ceil(levelWidth(level, treeSize) / TILE_WIDTH)
    for (let tileIndex = 0; tileIndex < tiles; tileIndex++) {
      yield { level, tileIndex, width: tileWidth(level, tileIndex, treeSize) }
    }
  }
}

/**
 * The partial tiles of a tree of this size, from the leaves up: at most one a level. Together they hold what the root
 * is made of, because a full tile is one hash of the level above.
 */
export function rightEdge(treeSize: number): readonly TileRef[] {
  const edge: TileRef[] = []
  for (let level = 0; levelWidth(level, treeSize) > 0; level++) {
    const tileIndex = Math.floor(levelWidth(level, treeSize) / TILE_WIDTH)
    const width = tileWidth(level, tileIndex, treeSize)
    if (width > 0) edge.push({ level, tileIndex, width })
  }
  return edge
}

/** Where the hashes are from which a subtree's own is computed: always within one tile. */
export function locateSubtree({ height, index }: Subtree): TileSlots {
  const level = Math.floor(height / TILE_HEIGHT)
  const slots = 2 ** (height % TILE_HEIGHT)
  const subtreesPerTile = TILE_WIDTH / slots
  return {
    level,
    tileIndex: Math.floor(index / subtreesPerTile),
    firstSlot: (index % subtreesPerTile) * slots,
    slots
  }
}

/**
 * Path of a tile below the log's prefix, such as `tile/0/x001/234.p/7`. A width of 256 has no suffix.
 * @see C2SP tlog-tiles, "Merkle Tree"
 */
export function formatTilePath({ level, tileIndex, width }: TileRef): string {
  const digits = String(tileIndex)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const grouped = padded.replace(/\d{3}(?=\d)/g, 'x$&/')
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`
  return `tile/${level}/${grouped}${partial}`
}

const TILE_PATH = /^tile\/(\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/

/** Longest path: level and width of two and three digits, a 16-digit index. A bound for the expression above. */
const MAX_TILE_PATH_LENGTH = 64

/**
 * Tile that a path names. Only one spelling passes.
 * @throws LogError `not_found`: where no tile can be, none is
 */
export function parseTilePath(path: string): TileRef {
  const match = path.length <= MAX_TILE_PATH_LENGTH ? TILE_PATH.exec(path) : null
  const [, level = '', groups = '', width = String(TILE_WIDTH)] = match ?? []
  const ref: TileRef = {
    level: Number(level),
    tileIndex: Number(groups.replace(/[x/]/g, '')),
    width: Number(width)
  }
  const possible =
    match !== null &&
    ref.level <= MAX_TILE_LEVEL &&
    Number.isSafeInteger(ref.tileIndex) &&
    ref.width >= 1 &&
    ref.width <= TILE_WIDTH
  if (!possible || formatTilePath(ref) !== path) {
    throw new LogError(
      'not_found',
      `not the path of a tile: ${path.slice(0, MAX_TILE_PATH_LENGTH)}`
    )
  }
  return ref
}
