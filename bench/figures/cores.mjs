// The same server on one core, two, and so on, each with the numbers of threads that make sense there: taskset holds it there. The
// generator may run on all of them.
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { lineChart } from '../chart.mjs'
import { measureLevel } from '../measure.mjs'
import { sampleLog } from '../sample.mjs'
import { markdownTable, perSecond, ratio, time } from '../table.mjs'
import { readLoads } from './reads.mjs'
import { uploadLoad, verificationLimit } from './uploads.mjs'

const CONNECTIONS = 64
const SAMPLES = 500
/** Threads begin to answer some time after the server does. */
const START_MS = 2000

export async function cores(bench) {
  if (!(await hasTaskset())) {
    return {
      title: 'Cores',
      data: { skipped: 'no taskset' },
      text: 'Left out: there is no taskset here.',
      wishes: [],
      charts: {}
    }
  }
  const counts = [1, 2, 4, 8, 16, 32].filter((count) => count <= availableParallelism())
  const rows = []
  for (const count of counts) {
    const cpus = `0-${count - 1}`
    const limit = verificationLimit(await bench.measureLimits(count, cpus))
    for (const threads of threadsOn(count)) {
      const where = `server with ${threads} threads on ${count} cores`
      const args = ['--http-threads', String(threads)]
      const measured = await bench.withServer({ cpus, args }, async (server) => {
        await setTimeout(START_MS)
        bench.tell(`uploads, ${where}`)
        const uploads = await measureLevel(bench, server, uploadLoad(server, CONNECTIONS))
        bench.tell(`reads, ${where}`)
        const sample = await sampleLog(server, SAMPLES)
        const [byIndex] = readLoads(server, sample)
        return { uploads, reads: await measureLevel(bench, server, byIndex) }
      })
      rows.push({ cores: count, threads, limit, ...measured })
    }
  }
  return {
    title: `Cores, uploads at ${CONNECTIONS} connections, reads by index at 16`,
    data: { rows },
    text: [
      markdownTable([
        [
          'cores of the server',
          'threads',
          'uploads',
          'limit: decode and verify',
          'ratio',
          'reads by index'
        ],
        ...rows.map(({ cores: count, threads, uploads, limit, reads }) => [
          String(count),
          String(threads),
          `${perSecond(uploads.perSecond)}/s, p99 ${time(uploads.p99Ms)}`,
          `${perSecond(limit)}/s`,
          ratio(uploads.perSecond / limit),
          `${perSecond(reads.perSecond)}/s, p99 ${time(reads.p99Ms)}`
        ])
      ]),
      '',
      `The generator needs a core of its own beside that: on this machine with ${availableParallelism()} cores the last rows share ` +
        'them with it.'
    ].join('\n'),
    wishes: [],
    charts: { 'rates-over-cores': chart(rows) }
  }
}

/** One for all, one that writes the log and one that answers, one more than there are cores, since the first often waits. */
function threadsOn(count) {
  return [...new Set([1, 2, count + 1])].sort((a, b) => a - b)
}

async function hasTaskset() {
  try {
    await promisify(execFile)('taskset', ['--version'])
    return true
  } catch {
    return false
  }
}

function chart(rows) {
  const counts = [...new Set(rows.map((row) => row.cores))]
  const best = (count, valueOf) =>
    Math.max(...rows.filter((row) => row.cores === count).map(valueOf))
  const alone = (count, valueOf) =>
    valueOf(rows.find((row) => row.cores === count && row.threads === 1))
  const seriesOf = (valueOf) => [
    { name: 'ours, best number of threads', values: counts.map((count) => best(count, valueOf)) },
    { name: 'ours, one thread', values: counts.map((count) => alone(count, valueOf)) }
  ]
  return lineChart({
    title: 'Rates over cores',
    xLabel: 'cores of the server',
    xs: counts,
    panels: [
      {
        label: 'uploads per second, 64 connections',
        series: [
          ...seriesOf(({ uploads }) => uploads.perSecond),
          {
            name: 'limit',
            values: counts.map((count) => best(count, ({ limit }) => limit)),
            dashed: true
          }
        ]
      },
      {
        label: 'reads by index per second, 16 connections',
        series: seriesOf(({ reads }) => reads.perSecond)
      }
    ]
  })
}
