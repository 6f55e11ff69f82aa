import type { Database } from '../store/log-store.js'
import type { HashRange } from '../store/store-audit.js'
import { badThing } from './check-error.js'
import type { LeafDigests } from './leaf-digests.js'

/** The tables that lead to leaves, and what they are called in messages. */
export const TABLES = {
  leafHashIndex: 'leaf hash index',
  submission: 'table of submissions',
  searchIndex: 'search index'
} as const

/** Those that are read by hash. */
export type IndexName = 'leafHashIndex' | 'searchIndex'

/** A tree whose leaves were checked. */
export interface IndexedTree {
  readonly treeId: string
  readonly treeSize: number
  readonly digests: LeafDigests
}

/**
 * Puts the rows of a part of an index into the digests of the leaves that they lead to.
 *
 * @param onRows is told how many rows more are done
 * @returns how many rows there are
 * @throws LogError `integrity` for a row that leads nowhere
 */
export async function checkIndex(
  { audit }: Database,
  index: IndexName,
  range: HashRange,
  trees: readonly IndexedTree[],
  onRows: (more: number) => void
): Promise<number> {
  const pages = index === 'leafHashIndex' ? audit.leafHashes(range) : audit.searchRows(range)
  let rows = 0
  for await (const page of pages) {
    const { count, leafIndexes, hashes, hashBytes } = page
    const treesOfPage = page.treeIds.map((id) => trees.find(({ treeId }) => treeId === id))
    for (let i = 0; i < count; i++) {
      const number = page.trees[i] as number // as many
      const leafIndex = leafIndexes[i] as number
      const tree = treesOfPage[number]
      if (tree === undefined || leafIndex >= tree.treeSize) {
        throw strayRow(index, page.treeIds[number], leafIndex)
      }
      const from = i * hashBytes
      if (index === 'searchIndex') tree.digests.xorSearchKey(leafIndex, hashes, from)
      else tree.digests.xor(leafIndex, hashes, from, from + hashBytes)
    }
    rows += count
    onRows(count)
  }
  return rows
}

/** The finding about a row that leads nowhere. */
export function strayRow(
  what: keyof typeof TABLES,
  treeId: string | undefined,
  leafIndex: number
): Error {
  const problem = `a row of the ${TABLES[what]} points to leaf ${leafIndex} of tree ${treeId}, which is not there`
  return badThing(what, { ...(treeId === undefined ? {} : { treeId }), index: leafIndex }, problem)
}
