import { LogError } from '../../errors.js'

/** Places of one tree: low 40 bits of an id. */
export const PLACES = 2 ** 40
/** Tiles of one level: low 32 bits. A tile covers 256 leaves, so level 0 of a full tree needs exactly these. */
const TILES_PER_LEVEL = 2 ** 32

/** Trees that one database can number: tree keys stay below this, ids below 2^53. */
export const MAX_TREE_KEY = 8191

/** Row id of a leaf. @throws LogError `invalid_request` beyond 2^40 leaves */
export function leafIdOf(treeKey: number, leafIndex: number): number {
  assertPlace(leafIndex, PLACES)
  return treeKey * PLACES + leafIndex
}

/** Where the rows of a tree begin; those of the next tree end them. */
export function firstIdOf(treeKey: number): number {
  return treeKey * PLACES
}

export function treeKeyOf(id: number): number {
  return Math.floor(id / PLACES)
}

export function leafIndexOf(leafId: number): number {
  return leafId % PLACES
}

/** Row id of a tile. @throws LogError `invalid_request` beyond what 2^40 leaves need */
export function tileIdOf(treeKey: number, level: number, tileIndex: number): number {
  assertPlace(level, PLACES / TILES_PER_LEVEL)
  assertPlace(tileIndex, TILES_PER_LEVEL)
  return treeKey * PLACES + level * TILES_PER_LEVEL + tileIndex
}

export function tilePlaceOf(tileId: number): {
  readonly level: number
  readonly tileIndex: number
} {
  const place = tileId % PLACES
  return { level: Math.floor(place / TILES_PER_LEVEL), tileIndex: place % TILES_PER_LEVEL }
}

function assertPlace(value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= limit) {
    throw new LogError('invalid_request', `${value} is not between 0 and ${limit - 1}`)
  }
}
