// Reads of a log of 10,000 entries, 16 connections: entries with their proof, by index, by UUID and by hash; searches; the
// consistency proof; the log's own description.
import { join } from 'node:path'
import { buildLog } from '../bulk.mjs'
import { startFloor } from '../floor.mjs'
import { measureLevel } from '../measure.mjs'
import { sampleLog } from '../sample.mjs'
import { getBytes, postBytes } from '../requests.mjs'
import { markdownTable, perSecond, ratio, time, verdicts } from '../table.mjs'
import { details } from './uploads.mjs'

const CONNECTIONS = 16
const SAMPLES = 2000

/**
 * @param sample as sampleLog gives it
 * @returns loads by name; each of them goes round
 */
export function readLoads({ authority }, { size, entries }) {
  const at = (turn) => entries[turn % entries.length]
  const json = (path, body) => postBytes(authority, path, JSON.stringify(body))
  const makers = {
    'by index': (turn) => getBytes(authority, `/api/v1/log/entries?logIndex=${at(turn).logIndex}`),
    'by UUID': (turn) => getBytes(authority, `/api/v1/log/entries/${at(turn).uuid}`),
    'by leaf hash (log/entries/retrieve)': (turn) =>
      json('/api/v1/log/entries/retrieve', { entryUUIDs: [at(turn).uuid.slice(-64)] }),
    'by artifact hash (index/retrieve)': (turn) =>
      json('/api/v1/index/retrieve', { hash: at(turn).artifactHash }),
    'consistency proof': (turn) => {
      // Halves, quarters and so on lie on the edges of tiles: take what comes.
      const firstSize = 1 + ((turn * 7919) % (size - 1))
      return getBytes(authority, `/api/v1/log/proof?firstSize=${firstSize}&lastSize=${size}`)
    },
    'log info': () => getBytes(authority, '/api/v1/log')
  }
  return Object.entries(makers).map(([name, make]) => ({
    name,
    connections: CONNECTIONS,
    status: 200,
    make,
    cycle: SAMPLES
  }))
}

const OTHERS = {
  'by index': '236/s, p50 64 ms',
  'by UUID': '168/s',
  'consistency proof': '292/s',
  'log info': '520/s'
}

const WANTED = {
  'by index': 5000,
  'by UUID': 5000,
  'by leaf hash (log/entries/retrieve)': 5000,
  'consistency proof': 4000
}

export async function reads(bench) {
  bench.tell(`building a log of ${bench.entries} entries`)
  const { dataDir } = await buildLog(join(bench.folder, 'log'), bench.entries)
  return await bench.withServer({ dataDir }, async (server) => {
    const sample = await sampleLog(server, SAMPLES)
    const levels = []
    for (const load of readLoads(server, sample)) {
      bench.tell(`reads: ${load.name}`)
      const floor = await measureFloor(bench, server, load)
      levels.push({ ...(await measureLevel(bench, server, load)), limit: floor })
    }
    return report(levels, bench.entries)
  })
}

/** What plain node:http does with the same requests, when it answers with as many bytes and knows nothing else. */
export async function measureFloor(bench, server, load) {
  const request = load.make(0)
  const floor = await startFloor(server, request)
  try {
    const make = (turn) => replaceHost(load.make(turn), server.authority, floor.authority)
    const { perSecond: rate } = await measureLevel({ ...bench, runs: 1 }, floor, { ...load, make })
    return rate
  } finally {
    await floor.stop()
  }
}

function replaceHost(request, from, to) {
  return Buffer.from(request.toString('latin1').replace(`Host: ${from}`, `Host: ${to}`), 'latin1')
}

function report(levels, entries) {
  return {
    title: `Reads, ${entries.toLocaleString('en')} entries, ${CONNECTIONS} connections`,
    data: { levels },
    text: [
      markdownTable([
        ['', 'ours', 'limit: bare node:http', 'ratio', 'Rekor 1.5.3'],
        ...levels.map((level) => [
          level.name,
          `${perSecond(level.perSecond)}/s, p50 ${time(level.p50Ms)}, p99 ${time(level.p99Ms)}`,
          `${perSecond(level.limit)}/s`,
          ratio(level.perSecond / level.limit),
          OTHERS[level.name] ?? ''
        ])
      ]),
      '',
      details(levels, 'what')
    ].join('\n'),
    wishes: verdicts(
      levels
        .filter(({ name }) => WANTED[name] !== undefined)
        .map(({ name, perSecond: rate }) => [
          `reads/s ${name}, at least ${WANTED[name].toLocaleString('en')}`,
          rate,
          WANTED[name]
        ])
    ),
    charts: {}
  }
}
