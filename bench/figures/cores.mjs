// The same server on one core, two, and so on: taskset holds it there. The generator may run on all of them.
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { lineChart } from '../chart.mjs'
import { measureLevel } from '../measure.mjs'
import { sampleLog } from '../sample.mjs'
import { markdownTable, perSecond, ratio, time } from '../table.mjs'
import { readLoads } from './reads.mjs'
import { uploadLoad, verificationLimit } from './uploads.mjs'

const CONNECTIONS = 64
const SAMPLES = 500

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
    const limits = await bench.measureLimits(count, cpus)
    const measured = await bench.withServer({ cpus }, async (server) => {
      bench.tell(`uploads, server on ${count} cores`)
      const uploads = await measureLevel(bench, server, uploadLoad(server, CONNECTIONS))
      bench.tell(`reads, server on ${count} cores`)
      const sample = await sampleLog(server, SAMPLES)
      const [byIndex] = readLoads(server, sample)
      return { uploads, reads: await measureLevel(bench, server, byIndex) }
    })
    rows.push({ cores: count, limit: verificationLimit(limits), ...measured })
  }
  return {
    title: `Cores, uploads at ${CONNECTIONS} connections, reads by index at 16`,
    data: { rows },
    text: [
      markdownTable([
        ['cores of the server', 'uploads', 'limit: decode and verify', 'ratio', 'reads by index'],
        ...rows.map(({ cores: count, uploads, limit, reads }) => [
          String(count),
          `${perSecond(uploads.perSecond)}/s, p99 ${time(uploads.p99Ms)}`,
          `${perSecond(limit)}/s`,
          ratio(uploads.perSecond / limit),
          `${perSecond(reads.perSecond)}/s, p99 ${time(reads.p99Ms)}`
        ])
      ]),
      '',
      `The generator needs a core of its own beside that: on this machine with ${availableParallelism()} cores the last row shares ` +
        'them with it.'
    ].join('\n'),
    wishes: [],
    charts: { 'rates-over-cores': chart(rows) }
  }
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
  return lineChart({
    title: 'Rates over cores',
    xLabel: 'cores of the server',
    xs: rows.map((row) => row.cores),
    panels: [
      {
        label: 'uploads per second, 64 connections',
        series: [
          { name: 'ours', values: rows.map(({ uploads }) => uploads.perSecond) },
          { name: 'limit', values: rows.map(({ limit }) => limit), dashed: true }
        ]
      },
      {
        label: 'reads by index per second, 16 connections',
        series: [{ name: 'ours', values: rows.map(({ reads }) => reads.perSecond) }]
      }
    ]
  })
}
