import t from 'tap'
import { isLogError } from '../../src/errors.js'
import { readEntries } from '../../src/merkle/entry-range.js'
import {
  type FetchResource,
  type TileReader,
  openTileReader
} from '../../src/merkle/tile-reader.js'
import { refusalText } from '../helpers/refusals.js'
import { sha256 } from '../helpers/rfc6962.js'
import { type StaticLog, staticLogs } from '../helpers/static-log.js'

const logs = staticLogs()

function open(
  log: StaticLog,
  fetchResource: FetchResource = log.fetchResource
): Promise<TileReader> {
  return openTileReader({ treeHead: log.treeHead, fetchResource, sha256 })
}

/** Entries, which are numbers in the test tree, with commas between them, and how many came at a time. */
async function collect(
  reader: TileReader,
  start: number,
  end: number,
  parallel?: number
): Promise<{ entries: string; runs: number[] }> {
  const entries: string[] = []
  const runs: number[] = []
  for await (const { leafIndex, leafValues, leafHashes } of readEntries(
    reader,
    { start, end },
    parallel
  )) {
    runs.push(leafValues.length)
    entries.push(...leafValues.map((leafValue) => Buffer.from(leafValue).toString()))
    const want = leafValues.map((_, i) => logs.reference.mth(leafIndex + i, leafIndex + i + 1))
    if (!Buffer.concat(want).equals(leafHashes)) throw new Error(`hashes from ${leafIndex}`)
  }
  return { entries: entries.join(), runs }
}

t.test('every entry of a range once and in order', async (t) => {
  const ranges = [
    // size, start, end, runs
    [1000, 0, 1000, [256, 256, 256, 232]],
    [1000, 255, 257, [1, 1]],
    [1000, 300, 301, [1]],
    [1000, 256, 512, [256]],
    [1000, 999, 1000, [1]],
    [1000, 500, 500, []],
    [1000, 1000, 1000, []],
    [767, 1, 767, [255, 256, 255]],
    [1, 0, 1, [1]],
    [70000, 65500, 65600, [36, 64]]
  ] as const
  for (const [size, start, end, runs] of ranges) {
    const reader = await open(logs.at(size))
    for (const parallel of [undefined, 1, 2, 100, 0, NaN]) {
      const got = await collect(reader, start, end, parallel)
      const entries = Array.from({ length: end - start }, (_, i) => start + i).join()
      t.strictSame(got, { entries, runs }, `${start} to ${end} of ${size}, ${parallel} at a time`)
    }
  }
  const nothing = await openTileReader({
    treeHead: { treeSize: 0, rootHash: sha256() },
    fetchResource: async () => undefined
  })
  t.strictSame(await collect(nothing, 0, 0), { entries: '', runs: [] })
})

t.test('ranges the tree does not have', async (t) => {
  const reader = await open(logs.at(1000))
  for (const [start, end] of [
    [0, 1001],
    [-1, 5],
    [5, 4],
    [0.5, 2],
    [0, NaN],
    [0, Infinity]
  ] as const) {
    t.equal(
      await refusalText(() => collect(reader, start, end)),
      `invalid_request: no entries ${start} to ${end} at size 1000`
    )
  }
})

t.test('up to a forged bundle everything is given, after it nothing', async (t) => {
  const log = logs.at(1000)
  for (const [bad, given] of [
    ['tile/entries/000', 0],
    ['tile/0/001', 256],
    ['tile/entries/002', 512]
  ] as const) {
    const forged = (log.resources.get(bad) ?? new Uint8Array(0)).with(3, 1)
    const reader = await open(log, log.forged(new Map([[bad, forged]])))
    let count = 0
    let code = ''
    try {
      for await (const { leafValues } of readEntries(reader, { start: 0, end: 1000 })) {
        count += leafValues.length
      }
    } catch (err) {
      if (isLogError(err)) code = err.code
    }
    t.strictSame([count, code], [given, 'integrity'], bad)
  }
})

t.test('fetches as many bundles at the same time as it is told', async (t) => {
  const log = logs.at(70000)
  for (const parallel of [1, 3, 8]) {
    let underWay = 0
    let most = 0
    const reader = await open(log, async (path, maxBytes) => {
      if (!path.startsWith('tile/entries/')) return log.fetchResource(path, maxBytes)
      underWay++
      most = Math.max(most, underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay--
      return log.resources.get(path)
    })
    t.equal((await collect(reader, 0, 5000, parallel)).runs.length, 20)
    t.equal(most, parallel)
  }
})

t.test('who stops early hears nothing of what fails later', async (t) => {
  const log = logs.at(1000)
  const withheld = new Map([['tile/entries/001', undefined]])
  const reader = await open(log, log.forged(withheld))
  for await (const { leafIndex } of readEntries(reader, { start: 0, end: 1000 })) {
    t.equal(leafIndex, 0)
    break
  }
  await new Promise((resolve) => setImmediate(resolve))
})
