// One server after the other over logs of growing size.
import { closeSync, cpSync, openSync, readSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildLog } from '../bulk.mjs'
import { lineChart } from '../chart.mjs'
import { median } from '../latencies.mjs'
import { measureLevel } from '../measure.mjs'
import { residentBytes, withFolder } from '../processes.mjs'
import { sampleLog } from '../sample.mjs'
import { runSigstead } from '../server.mjs'
import { count, fixed, markdownTable, megabytes, perSecond, time, verdicts } from '../table.mjs'
import { readLoads } from './reads.mjs'
import { uploadLoad } from './uploads.mjs'

const CONNECTIONS = 64
const SAMPLES = 2000
const READS = ['by index', 'by UUID', 'by artifact hash (index/retrieve)']
const STARTS = 3
/** A check that would take longer is left out, and the largest size that was checked speaks for it. */
const LONGEST_VERIFY_MS = 600_000
/** What took less says nothing of what a larger one takes. */
const SECONDS_TO_GUESS_BY = 10
/** A kept log up to this size is measured on a copy, so that it stays as large as it says. */
const COPY_UP_TO = 1_000_000
const WANTED_FACTOR = 1.3

export async function growth(bench) {
  const rows = []
  for (const size of bench.sizes) rows.push(await measureSize(bench, size, rows.at(-1)))
  return report(rows)
}

function measureSize(bench, size, before) {
  return withFolder(bench.directory, async (scratch) => {
    const home = join(bench.keep ?? scratch, String(size))
    bench.tell(`a log of ${count(size)} entries`)
    const built = await buildLog(home, size, (done, rate) =>
      bench.tell(`  ${count(done)} entries, ${count(rate)}/s`)
    )
    const isCopied = bench.keep !== undefined && size <= COPY_UP_TO
    const dataDir = isCopied ? join(scratch, 'copy') : built.dataDir
    if (isCopied) cpSync(built.dataDir, dataDir, { recursive: true })
    // First the starts: the one of a newer version brings a kept log up to date, without which verify refuses it.
    const startSeconds = await timeStarts(bench, dataDir)
    const diskBytes = bytesOf(dataDir)
    readAll(dataDir)
    const verify = await timeVerify(bench, dataDir, size, before?.verify)
    const { leafBytes, seconds: buildSeconds } = built
    const served = await measureServed(bench, dataDir)
    return { size, leafBytes, buildSeconds, startSeconds, diskBytes, verify, ...served }
  })
}

async function timeStarts(bench, dataDir) {
  const seconds = []
  for (let start = 0; start < STARTS; start++) {
    seconds.push(await bench.withServer({ dataDir }, async (server) => server.startSeconds))
  }
  return median(seconds)
}

function measureServed(bench, dataDir) {
  return bench.withServer({ dataDir }, async (server) => {
    bench.tell('  reads')
    const sample = await sampleLog(server, SAMPLES)
    const reads = []
    for (const load of readLoads(server, sample).filter(({ name }) => READS.includes(name))) {
      reads.push(await measureLevel(bench, server, load))
    }
    bench.tell('  uploads')
    const uploads = await measureLevel(bench, server, uploadLoad(server, CONNECTIONS))
    return { reads, uploads, resident: residentBytes(server.pid) }
  })
}

/** So that logs of all sizes lie in memory alike, and not only what was just made or copied. */
function readAll(dataDir) {
  const buffer = Buffer.allocUnsafe(1 << 22)
  for (const entry of readdirSync(dataDir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const descriptor = openSync(join(entry.parentPath, entry.name), 'r')
    while (readSync(descriptor, buffer) > 0);
    closeSync(descriptor)
  }
}

/** The file, its write-ahead log and everything else in the folder. */
function bytesOf(dataDir) {
  return readdirSync(dataDir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

/** @param earlier of a smaller log, by which to guess how long this one takes */
async function timeVerify(bench, dataDir, size, earlier) {
  // A small one takes as long as its start.
  const isGuessable = earlier !== undefined && earlier.seconds > SECONDS_TO_GUESS_BY
  const expectedMs = isGuessable ? (size / earlier.perSecond) * 1000 : 0
  if (earlier?.isGuess === true || expectedMs > LONGEST_VERIFY_MS) {
    bench.tell(`  verify would take about ${fixed(expectedMs / 60_000, 0)} minutes: left out`)
    return { perSecond: earlier.perSecond, isGuess: true }
  }
  bench.tell('  verify')
  const started = performance.now()
  const output = await runSigstead(['verify', '--data-dir', dataDir], {
    timeout: 2 * LONGEST_VERIFY_MS
  })
  const seconds = (performance.now() - started) / 1000
  if (!output.includes('all good')) throw new Error(`verify says:\n${output}`)
  return { perSecond: size / seconds, seconds, isGuess: false }
}

function report(rows) {
  const [first] = rows
  const last = rows.at(-1)
  const factor = (pick) => pick(last) / pick(first)
  const slowestRead = Math.max(...last.reads.map((read, i) => read.p50Ms / first.reads[i].p50Ms))
  const slowestTail = Math.max(...last.reads.map((read, i) => read.p99Ms / first.reads[i].p99Ms))
  return {
    title: 'Growth',
    data: { rows },
    text: [
      markdownTable([
        ['entries', ...rows.map(({ size }) => count(size))],
        [
          `appended at ${CONNECTIONS} connections`,
          ...rows.map(
            ({ uploads }) => `${perSecond(uploads.perSecond)}/s, p99 ${time(uploads.p99Ms)}`
          )
        ],
        ...READS.map((name, i) => [
          `read ${name}`,
          ...rows.map(
            ({ reads }) =>
              `${perSecond(reads[i].perSecond)}/s, p50 ${time(reads[i].p50Ms)}, p99 ${time(reads[i].p99Ms)}`
          )
        ]),
        ['start until /healthz', ...rows.map(({ startSeconds }) => `${fixed(startSeconds, 2)} s`)],
        [
          'RSS after load, at most',
          ...rows.map(({ resident }) => `${megabytes(resident.now)}, ${megabytes(resident.peak)}`)
        ],
        ['leaf bytes', ...rows.map(({ leafBytes }) => megabytes(leafBytes))],
        ['disk', ...rows.map(({ diskBytes }) => megabytes(diskBytes))],
        [
          'disk over leaf bytes',
          ...rows.map(({ diskBytes, leafBytes }) => `${fixed(diskBytes / leafBytes, 2)} ×`)
        ],
        [
          'verify',
          ...rows.map(({ verify }) =>
            verify.isGuess ? 'not timed' : `${perSecond(verify.perSecond)} entries/s`
          )
        ],
        [
          'built here at',
          ...rows.map(({ size, buildSeconds }) => `${perSecond(size / buildSeconds)}/s`)
        ]
      ]),
      ...(rows.some(({ verify }) => verify.isGuess)
        ? [
            '',
            `verify was not timed where it would have taken more than ${LONGEST_VERIFY_MS / 60_000} minutes.`
          ]
        : [])
    ].join('\n'),
    wishes: verdicts([
      [
        `append rate of the smallest over that of the largest, at most ${WANTED_FACTOR}`,
        1 / factor(({ uploads }) => uploads.perSecond),
        { atMost: WANTED_FACTOR }
      ],
      [
        `read latency p50, largest over smallest log, at most ${WANTED_FACTOR}`,
        slowestRead,
        { atMost: WANTED_FACTOR }
      ],
      [
        `read latency p99, largest over smallest log, at most ${WANTED_FACTOR}`,
        slowestTail,
        { atMost: WANTED_FACTOR }
      ],
      ['start in seconds at the largest, at most 2', last.startSeconds, { atMost: 2 }],
      ['RSS in MB at the largest, at most 400', last.resident.peak / 1e6, { atMost: 400 }],
      [
        'disk over leaf bytes at the largest, at most 2',
        last.diskBytes / last.leafBytes,
        { atMost: 2 }
      ],
      [
        'verified entries/s at the largest that was timed, at least 50,000',
        last.verify.perSecond,
        50_000
      ]
    ]),
    charts: { 'growth-over-log-size': chart(rows) }
  }
}

function chart(rows) {
  const ofReads = (i, pick) => rows.map(({ reads }) => pick(reads[i]))
  return lineChart({
    title: 'Append rate and read latency over log size',
    xLabel: 'entries in the log',
    xs: rows.map(({ size }) => size),
    panels: [
      {
        label: `appended per second, ${CONNECTIONS} connections`,
        series: [{ name: 'uploads', values: rows.map(({ uploads }) => uploads.perSecond) }]
      },
      {
        label: 'milliseconds until an entry is read, 16 connections',
        series: [
          { name: 'index, p50', values: ofReads(0, ({ p50Ms }) => p50Ms) },
          { name: 'index, p99', values: ofReads(0, ({ p99Ms }) => p99Ms) },
          { name: 'UUID, p50', values: ofReads(1, ({ p50Ms }) => p50Ms) },
          { name: 'UUID, p99', values: ofReads(1, ({ p99Ms }) => p99Ms) }
        ]
      }
    ]
  })
}
