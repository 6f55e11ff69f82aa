// npm run bench [-- --all | --only FIGURE,… ] [further options]
// What is measured, and how, is in README.md beside this file.
import { execFile } from 'node:child_process'
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { certificates } from './figures/certificates.mjs'
import { cores } from './figures/cores.mjs'
import { growth } from './figures/growth.mjs'
import { hostile } from './figures/hostile.mjs'
import { keyless } from './figures/keyless.mjs'
import { mixed } from './figures/mixed.mjs'
import { reads } from './figures/reads.mjs'
import { tiles } from './figures/tiles.mjs'
import { timestamps } from './figures/timestamps.mjs'
import { uploads } from './figures/uploads.mjs'
import { verify } from './figures/verify.mjs'
import { chooseGenerator } from './generator.mjs'
import { watch, withFolder } from './processes.mjs'
import { initDataDir, startServer } from './server.mjs'
import { verdictLines } from './table.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

/** In the order of a report; the longest last. */
const FIGURES = {
  uploads,
  reads,
  tiles,
  certificates,
  timestamps,
  keyless,
  mixed,
  hostile,
  cores,
  verify,
  growth
}
const SHORT = ['uploads', 'certificates']
const LIMIT_SECONDS = 2
/** A run of the short bench, and of what was asked for by name. */
const SHORT_SECONDS = 2
const RUN_SECONDS = 5
/** Of statfs(2). */
const TMPFS = 0x01021994

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
    seconds: { type: 'string' },
    runs: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,8,64,2000' },
    entries: { type: 'string', default: '10000' },
    sizes: { type: 'string', default: '10000,100000,1000000,10000000' },
    keep: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    generator: { type: 'string' },
    charts: { type: 'string', default: join(here, 'results') }
  }
})

const names = chosen()
const isShort = !values.all && values.only === undefined
values.seconds ??= String(isShort ? SHORT_SECONDS : RUN_SECONDS)
const seconds = counts('seconds')[0]
const runs = counts('runs')[0]
const generator = await chooseGenerator(values.generator)

let knownLimits
const bench = {
  seconds,
  runs,
  connections: counts('connections'),
  entries: counts('entries')[0],
  sizes: counts('sizes'),
  keep: values.keep,
  directory: values.directory,
  generator,
  /** What all cores do at once, measured once. */
  limits: () => (knownLimits ??= measureLimits(availableParallelism())),
  measureLimits,
  withServer,
  tell: (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
}

const started = new Date()
const loadBefore = loadavg()[0]
const results = {}
const machine = describeMachine()
process.stdout.write(`${headLines().join('\n')}\n`)
for (const name of names) await withFolder(values.directory, (folder) => report(name, folder))
process.stdout.write(`\n${writeResults()}\n`)

/** Measures and prints one figure. One that fails says so and leaves the others alone. */
async function report(name, folder) {
  try {
    const { title, data, text, wishes, charts = {} } = await FIGURES[name]({ ...bench, folder })
    results[name] = { ...data, wishes }
    const lines = verdictLines(wishes)
    const parts = [`\n### ${title}\n`, text, ...(lines.length > 0 ? ['', ...lines] : [])]
    process.stdout.write(`${parts.join('\n')}\n`)
    writeCharts(charts)
  } catch (err) {
    results[name] = { failed: err.message }
    process.stdout.write(`\n### ${name}\n\nFailed: ${err.message}\n`)
    process.stderr.write(`${err.stack}\n`)
    process.exitCode = 1
  }
}

function chosen() {
  if (values.all) return Object.keys(FIGURES)
  const wanted = values.only?.split(',') ?? SHORT
  const unknown = wanted.filter((name) => FIGURES[name] === undefined)
  if (unknown.length > 0) {
    throw new Error(`--only takes ${Object.keys(FIGURES).join(', ')}, not ${unknown.join(', ')}`)
  }
  return wanted
}

/** Ascending counts, each once. */
function counts(name) {
  const given = [...new Set(values[name].split(',').map(Number))].toSorted((a, b) => a - b)
  if (!given.every((count) => Number.isSafeInteger(count) && count > 0)) {
    throw new Error(`--${name} takes whole numbers above 0`)
  }
  return given
}

/** @param cpuList as taskset takes it */
async function measureLimits(threads, cpuList) {
  bench.tell(`what ${threads} threads do that only sign, or only verify`)
  const command = [
    ...[process.execPath, join(here, 'limits.mjs'), values.directory],
    ...[String(Math.min(LIMIT_SECONDS, seconds)), String(threads)]
  ]
  const [file, ...args] = cpuList === undefined ? command : ['taskset', '-c', cpuList, ...command]
  const running = promisify(execFile)(file, args)
  watch(running.child)
  return JSON.parse((await running).stdout)
}

/** Runs `work` with a server that is stopped afterwards; over a new log unless there is a `dataDir`. */
function withServer({ dataDir, args, cpus: cpuList }, work) {
  return withFolder(values.directory, async (own) => {
    if (dataDir === undefined) await initDataDir(join(own, 'data'))
    const server = await startServer({
      dataDir: dataDir ?? join(own, 'data'),
      logFile: join(own, 'server.log'),
      args,
      cpus: cpuList
    })
    try {
      return await work(server)
    } finally {
      await server.stop()
    }
  })
}

function describeMachine() {
  const all = cpus()
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
    date: started.toISOString().slice(0, 10)
  }
}

function headLines() {
  const { cpu, cores: number, memoryGiB, kernel, node, date } = machine
  return [
    `${date}, ${number} cores, ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}.`,
    `Generator on the same machine: ${generator.description}. ${runs} runs of ${seconds} s after a warm-up, medians.`,
    ...(loadBefore > 1
      ? [
          `Load of the machine before it began: ${loadBefore.toFixed(1)}. These figures are worth little.`
        ]
      : [])
  ]
}

function writeCharts(charts) {
  mkdirSync(values.charts, { recursive: true })
  for (const [name, svg] of Object.entries(charts)) {
    const file = join(values.charts, `${name}.svg`)
    writeFileSync(file, svg)
    process.stdout.write(`\n${file}\n`)
  }
}

function writeResults() {
  mkdirSync(join(here, 'results'), { recursive: true })
  const file = join(here, 'results', `${started.toISOString().replaceAll(':', '-')}.json`)
  const load = [loadBefore, loadavg()[0]]
  const content = { machine, load, generator: generator.description, seconds, runs, results }
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`)
  return file
}
