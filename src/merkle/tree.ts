/** Size and root of a tree: what a checkpoint signs. */
export interface TreeHead {
  /** In leaves. */
  readonly treeSize: number
  /** 32 bytes. */
  readonly rootHash: Uint8Array
}

/** 256 hashes of one level (C2SP tlog-tiles); at the right edge fewer. Level 0 holds leaf hashes. */
export interface Tile {
  readonly level: number
  readonly tileIndex: number
  /** width × 32 bytes, 1 ≤ width ≤ 256. */
  readonly hashes: Uint8Array
}

/** Reads a tile as wide as it is now. @throws LogError `integrity` where there is none */
export type ReadTile = (level: number, tileIndex: number) => Uint8Array

/**
 * Reads a tile as wide as it is now; undefined where there is none. May give a tile wider than the tree size asked
 * about: tiles only ever grow to the right, so its beginning is what that smaller tree had.
 */
export type FetchTile = (level: number, tileIndex: number) => Promise<Uint8Array | undefined>

/** Extends a tree. Pure and synchronous: the storage engine brings exclusion and durability. */
export type Integrate = (
  treeSize: number,
  readTile: ReadTile,
  leafHashes: readonly Uint8Array[]
) => { readonly treeHead: TreeHead; readonly tiles: readonly Tile[] }
