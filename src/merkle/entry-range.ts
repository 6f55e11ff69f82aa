import { LogError } from '../errors.js'
import { HASH_BYTES } from './hash.js'
import type { EntryRun, TileReader } from './tile-reader.js'
import { TILE_WIDTH } from './tiles.js'

/** Bundles that are fetched at the same time. What they hold is in memory until it was taken. */
const DEFAULT_PARALLEL = 4

/**
 * Entries `start` up to and excluding `end`, in order, in runs as they come in bundles: each once, none left out.
 *
 * @param end not above the size of the tree
 * @param parallel bundles to fetch at the same time, at least 1
 * @throws LogError `invalid_request` when the tree has no such range; otherwise as TileReader, after everything before the bad
 *   bundle was handed out
 */
export async function* readEntries(
  reader: TileReader,
  { start, end }: { readonly start: number; readonly end: number },
  parallel: number = DEFAULT_PARALLEL
): AsyncGenerator<EntryRun, undefined> {
  const { treeSize } = reader.treeHead
  const possible = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end
  if (!possible || end > treeSize) {
    throw new LogError('invalid_request', `no entries ${start} to ${end} at size ${treeSize}`)
  }
  const underWay: Promise<EntryRun>[] = []
  const pastLast = Math.ceil(end / TILE_WIDTH)
  let next = Math.floor(start / TILE_WIDTH)
  for (let leafIndex = start; leafIndex < end;) {
    for (; next < pastLast && (underWay.length === 0 || underWay.length < parallel); next++) {
      const run = reader.entryBundle(next)
      run.catch(() => undefined) // it counts when its turn comes, if anybody still wants it
      underWay.push(run)
    }
    const run = await (underWay.shift() as Promise<EntryRun>) // there is a bundle before `end`
    yield cutRun(run, leafIndex, end)
    leafIndex = run.leafIndex + run.leafValues.length
  }
}

/** What of a run is within `start` up to and excluding `end`. */
function cutRun(run: EntryRun, start: number, end: number): EntryRun {
  const from = start - run.leafIndex
  const to = Math.min(run.leafValues.length, end - run.leafIndex)
  return {
    leafIndex: start,
    leafValues: run.leafValues.slice(from, to),
    leafHashes: run.leafHashes.slice(from * HASH_BYTES, to * HASH_BYTES)
  }
}
