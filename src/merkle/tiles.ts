import { LogError } from '../errors.js'
import type { Subtree } from './compact-range.js'

/** Hashes in a full tile, and levels of the tree that one tile level stands for (2^8 = 256). */
export const TILE_WIDTH = 256
export const TILE_HEIGHT = 8

/** Deepest tile level a path may name. Sizes within safe integers never get past level 6. */
const MAX_TILE_LEVEL = 63

/** Most of a wrong path that a message repeats. */
export const MAX_SHOWN_PATH = 64

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
 * Whether a tree of this size has the tile, at least as wide as asked for. A narrower one is the beginning of it: what some
 * earlier size had, and to be served for ever. The bundle of entries at the same place is there when the tile of level 0 is.
 */
export function hasTile({ level, tileIndex, width }: TileRef, treeSize: number): boolean {
  return width <= tileWidth(level, tileIndex, treeSize)
}

/**
 * Tiles at the width they have at `secondSize` that a reader needs to check the root at that size, to compute the root at
 * `firstSize` and to build the consistency proof between them, with every tile in between that leads up to the root. Level by
 * level from the leaves, left to right; at most two a level.
 *
 * @param firstSize may be 0: then what makes up the root at `secondSize`
 * @throws LogError `invalid_request` unless these are sizes, the first not larger than the second
 */
export function tilesForConsistency(firstSize: number, secondSize: number): readonly TileRef[] {
  if (!isTreeSize(firstSize) || !isTreeSize(secondSize) || firstSize > secondSize) {
    throw new LogError('invalid_request', `no tree grows from ${firstSize} to ${secondSize}`)
  }
  const needed = new Map<string, TileRef>()
  for (const ref of rightEdge(secondSize)) needed.set(tileKey(ref), ref)
  // What was at the right edge has become full, or still is there and maybe wider. A full tile has one above it.
  for (const edge of rightEdge(firstSize)) {
    let { level, tileIndex } = edge
    for (let key = tileKey(edge); !needed.has(key); key = tileKey({ level, tileIndex })) {
      needed.set(key, { level, tileIndex, width: TILE_WIDTH })
      level++
      tileIndex = Math.floor(tileIndex / TILE_WIDTH)
    }
  }
  return [...needed.values()].sort((a, b) => a.level - b.level || a.tileIndex - b.tileIndex)
}

/** Names a tile among those of one tree. */
export function tileKey({ level, tileIndex }: Pick<TileRef, 'level' | 'tileIndex'>): string {
  return `${level}/${tileIndex}`
}

/** Where a tile is within its level, and how much of it is meant: the part of a path that bundles have too. */
export type TilePosition = Pick<TileRef, 'tileIndex' | 'width'>

/** `<N>[.p/<W>]`, such as `x001/234.p/7`. A width of 256 has no suffix. */
export function formatTilePosition({ tileIndex, width }: TilePosition): string {
  const digits = String(tileIndex)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const grouped = padded.replace(/\d{3}(?=\d)/g, 'x$&/')
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`
  return `${grouped}${partial}`
}

const TILE_POSITION = /^((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/

/** Longest position is 34 characters: an index of 16 digits, a width of three. A bound for the expression above. */
const MAX_POSITION_LENGTH = 48

/** What `<N>[.p/<W>]` names. Only one spelling passes; undefined for any other. */
export function parseTilePosition(text: string): TilePosition | undefined {
  const match = text.length <= MAX_POSITION_LENGTH ? TILE_POSITION.exec(text) : null
  const [, groups = '', width = String(TILE_WIDTH)] = match ?? []
  const position = { tileIndex: Number(groups.replace(/[x/]/g, '')), width: Number(width) }
  const possible =
    match !== null &&
    Number.isSafeInteger(position.tileIndex) &&
    position.width >= 1 &&
    position.width <= TILE_WIDTH
  return possible && formatTilePosition(position) === text ? position : undefined
}

/**
 * Path of a tile below the log's prefix, such as `tile/0/x001/234.p/7`.
 * @see C2SP tlog-tiles, "Merkle Tree"
 */
export function formatTilePath({ level, tileIndex, width }: TileRef): string {
  return `tile/${level}/${formatTilePosition({ tileIndex, width })}`
}

const TILE_LEVEL = /^tile\/(0|[1-9]\d?)\//

/**
 * Tile that a path names. Only one spelling passes.
 * @throws LogError `not_found`: where no tile can be, none is
 */
export function parseTilePath(path: string): TileRef {
  const [prefix = '', level = ''] = TILE_LEVEL.exec(path) ?? []
  const position = prefix === '' ? undefined : parseTilePosition(path.slice(prefix.length))
  if (position === undefined || Number(level) > MAX_TILE_LEVEL) {
    throw new LogError('not_found', `not the path of a tile: ${path.slice(0, MAX_SHOWN_PATH)}`)
  }
  return { level: Number(level), ...position }
}
