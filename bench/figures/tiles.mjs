// Tiles as files over HTTP, where the server serves them.
import { join } from 'node:path'
import { buildLog } from '../bulk.mjs'
import { measureLevel } from '../measure.mjs'
import { getBytes } from '../requests.mjs'
import { markdownTable, perSecond, ratio, time, verdicts } from '../table.mjs'
import { measureFloor } from './reads.mjs'
import { details } from './uploads.mjs'

const CONNECTIONS = 16
const TILE_LEAVES = 256
/** Where the tiles of a Rekor log may lie. */
const PREFIXES = ['/api/v2', '']

export async function tiles(bench) {
  bench.tell(`building a log of ${bench.entries} entries`)
  const { dataDir } = await buildLog(join(bench.folder, 'log'), bench.entries)
  return await bench.withServer({ dataDir }, async (server) => {
    const prefix = await findPrefix(server)
    if (prefix === undefined) {
      return {
        title: 'Tiles',
        data: { skipped: 'the server serves no tiles' },
        text: 'Left out: this server serves no tiles.',
        wishes: [],
        charts: {}
      }
    }
    return measureTiles(bench, server, prefix)
  })
}

async function findPrefix({ url }) {
  for (const prefix of PREFIXES) {
    const { status, headers } = await fetch(`${url}${prefix}/tile/0/000`)
    if (status === 200 && !headers.get('content-type')?.includes('json')) return prefix
  }
  return undefined
}

async function measureTiles(bench, server, prefix) {
  const full = Math.max(1, Math.floor(bench.entries / TILE_LEAVES))
  const load = {
    name: 'tiles',
    connections: CONNECTIONS,
    status: 200,
    cycle: full,
    make: (turn) => getBytes(server.authority, `${prefix}/tile/0/${pathOf(turn % full)}`)
  }
  const limit = await measureFloor(bench, server, load)
  const level = await measureLevel(bench, server, load)
  return {
    title: `Tiles, ${CONNECTIONS} connections`,
    data: { levels: [level], limit },
    text: [
      markdownTable([
        ['', 'ours', 'limit: bare node:http', 'ratio'],
        [
          'full tiles',
          `${perSecond(level.perSecond)}/s, p50 ${time(level.p50Ms)}, p99 ${time(level.p99Ms)}`,
          `${perSecond(limit)}/s`,
          ratio(level.perSecond / limit)
        ]
      ]),
      '',
      details([level], 'what')
    ].join('\n'),
    wishes: verdicts([['tiles/s, at least 10,000', level.perSecond, 10_000]]),
    charts: {}
  }
}

/** C2SP tlog-tiles: groups of three digits, all but the last with an x. */
function pathOf(index) {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  return padded.replace(/\d{3}(?=\d)/g, 'x$&/')
}
