// npm run bench [-- --seconds 5 --runs 3 --connections 1,8,64 --directory DIR]
// What is measured, and how, is in README.md beside this file.
import { execFile, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const main = join(here, '../dist/main.js')
const host = '127.0.0.1'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,8,64' },
    directory: { type: 'string', default: tmpdir() }
  }
})
const seconds = positive('seconds')
const runs = positive('runs')
const levels = values.connections.split(',').map(Number)
if (!levels.every((level) => Number.isSafeInteger(level) && level > 0)) {
  throw new Error('--connections takes counts separated by commas')
}

const limits = await measureLimits()
const folder = mkdtempSync(join(values.directory, 'sigstead-bench-'))
const generator = fork(join(here, 'load.mjs'))
const server = await startServer(join(folder, 'data'), await writeIssuers())
const results = {}
try {
  results.entries = await measure('entries', logSize)
  results.certificates = await measure('certificates', certificateLogSize)
} finally {
  generator.disconnect()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}
report()

/** All levels of one kind of request. The tree behind it must grow by exactly what was promised. */
async function measure(what, treeSize) {
  const sizeBefore = await treeSize()
  const measuredLevels = []
  let accepted = 0
  for (const connections of levels) {
    // The first run of a level says how many requests a run of it can use up, and warms everything.
    const warmUp = await sendFor(what, connections, 2, 20_000)
    accepted += warmUp.uploads
    const needed = Math.ceil((warmUp.uploads / warmUp.elapsedSeconds) * seconds * 2) + 1000
    const measured = []
    for (let run = 0; run < runs; run++) {
      const result = await sendFor(what, connections, seconds, needed)
      accepted += result.uploads
      measured.push(result)
    }
    measuredLevels.push(summary(connections, measured))
  }
  const grown = (await treeSize()) - sizeBefore
  if (grown !== accepted) throw new Error(`${accepted} ${what} were promised, ${grown} are there`)
  return measuredLevels
}

/** An issuer of tokens whose keys the server has in a file, so that it asks nobody. @returns name of the file */
async function writeIssuers() {
  const issuer = 'https://issuer.bench.example'
  const { keySet } = await ask({ identity: issuer })
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(keySet))
  const file = join(folder, 'issuers.json')
  writeFileSync(
    file,
    JSON.stringify({
      OIDCIssuers: {
        [issuer]: { IssuerURL: issuer, ClientID: 'sigstore', Type: 'email', JWKSFile: 'keys.json' }
      }
    })
  )
  return file
}

function positive(name) {
  const value = Number(values[name])
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} takes a positive number`)
  return value
}

async function measureLimits() {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(here, 'limits.mjs'),
    values.directory,
    '3'
  ])
  return JSON.parse(stdout)
}

async function startServer(dataDir, issuersFile) {
  await promisify(execFile)(process.execPath, [main, 'init', '--data-dir', dataDir])
  const port = await freePort()
  const log = openSync(join(folder, 'server.log'), 'w')
  const child = spawn(
    process.execPath,
    [
      ...[main, 'serve', '--data-dir', dataDir, '--ca-issuers-file', issuersFile],
      ...['--listen', `${host}:${port}`, '--metrics-listen', 'off']
    ],
    { stdio: ['ignore', log, log] }
  )
  const url = `http://${host}:${port}`
  for (let waitedMs = 0; ; waitedMs += 50) {
    if (child.exitCode !== null || waitedMs > 30_000) {
      child.kill('SIGKILL')
      throw new Error(`no server:\n${readFileSync(join(folder, 'server.log'), 'utf8')}`)
    }
    const answer = await fetch(`${url}/healthz`).catch(() => undefined)
    if (answer?.status === 200) break
    await sleep(50)
  }
  return {
    url,
    port,
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

async function freePort() {
  const listener = createServer().listen(0, host)
  await once(listener, 'listening')
  const { port } = listener.address()
  listener.close()
  await once(listener, 'close')
  return port
}

async function logSize() {
  const answer = await fetch(`${server.url}/api/v1/log`)
  return (await answer.json()).treeSize
}

async function certificateLogSize() {
  const answer = await fetch(`${server.url}/ct/v1/get-sth`)
  return (await answer.json()).tree_size
}

async function ask(task) {
  generator.send(task)
  const [result] = await once(generator, 'message')
  if (result.error !== undefined) throw new Error(result.error)
  return result
}

async function sendFor(what, connections, forSeconds, requests) {
  await ask({ what, prepare: requests })
  const cpuBefore = serverCpuSeconds()
  const result = await ask({ what, connections, seconds: forSeconds, host, port: server.port })
  const cpuAfter = serverCpuSeconds()
  const refused = Object.keys(result.statuses).filter(
    (status) => status !== (what === 'entries' ? '201' : '200')
  )
  if (refused.length > 0) throw new Error(`answers: ${JSON.stringify(result.statuses)}`)
  return {
    ...result,
    serverCpuSeconds: cpuBefore === undefined ? undefined : cpuAfter - cpuBefore
  }
}

/** User and system time of all the server's threads; undefined where there is no /proc. */
function serverCpuSeconds() {
  try {
    const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    // Fields 14 and 15 of proc(5), in ticks, which are hundredths of a second on every Linux Node runs on.
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}

function summary(connections, measured) {
  const median = (pick) => {
    const sorted = measured.map(pick).toSorted((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]
  }
  return {
    connections,
    uploadsPerSecond: median(({ uploads, elapsedSeconds }) => uploads / elapsedSeconds),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    serverCpuMsPerUpload: median(
      ({ serverCpuSeconds: cpu, uploads }) => ((cpu ?? NaN) * 1000) / uploads
    ),
    generatorCpuMsPerUpload: median(
      ({ generatorCpuSeconds: cpu, uploads }) => (cpu * 1000) / uploads
    ),
    runs: measured
  }
}

function report() {
  const cores = cpus()
  const machine = {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10)
  }
  const rows = limits.durableBatchesPerSecond * limits.rowsPerBatch
  const native = limits.nativeVerificationsPerSecond
  const lines = [
    `${machine.cores} cores, ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, ${machine.date}`,
    '',
    `native P-256 verifications   ${count(native)}/s per core (node:crypto, key decoding included)`,
    `noble P-256 verifications    ${count(limits.nobleVerificationsPerSecond)}/s per core`,
    `durable batches of ${limits.rowsPerBatch}        ${count(limits.durableBatchesPerSecond)}/s (${count(rows)} rows/s; SQLite, WAL, FULL)`,
    `native P-256 signatures      ${count(limits.nativeSignaturesPerSecond)}/s per core (node:crypto)`,
    '',
    ...table('uploads/s', results.entries, rows, native, 'of native limit'),
    '',
    `three signatures and two verifications, which a certificate cannot avoid: ${count(certificateLimit())}/s per core`,
    '',
    ...table('certs/s', results.certificates, rows, certificateLimit(), 'of that limit')
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  mkdirSync(join(here, 'results'), { recursive: true })
  const file = join(here, 'results', `${new Date().toISOString().replaceAll(':', '-')}.json`)
  writeFileSync(
    file,
    `${JSON.stringify({ machine, seconds, runs, limits, results }, undefined, 2)}\n`
  )
  process.stdout.write(`\n${file}\n`)
}

/** Token and proof are verified, precertificate, timestamp and certificate signed. */
function certificateLimit() {
  const { nativeSignaturesPerSecond: signs, nativeVerificationsPerSecond: verifies } = limits
  return 1 / (3 / signs + 2 / verifies)
}

function table(title, measuredLevels, rows, limit, ofLimit) {
  const head =
    `connections${title.padStart(11)}   p50 ms   p99 ms  server CPU ms  client CPU ms` +
    `${ofLimit.padStart(17)}  of durable rows`
  return [
    head,
    ...measuredLevels.map((result) =>
      [
        String(result.connections).padStart(11),
        count(result.uploadsPerSecond).padStart(11),
        result.p50Ms.toFixed(1).padStart(9),
        result.p99Ms.toFixed(1).padStart(9),
        result.serverCpuMsPerUpload.toFixed(2).padStart(15),
        result.generatorCpuMsPerUpload.toFixed(2).padStart(15),
        percent(result.uploadsPerSecond / limit).padStart(17),
        percent(result.uploadsPerSecond / rows).padStart(17)
      ].join('')
    )
  ]
}

function count(value) {
  return Math.round(value).toLocaleString('en')
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`
}
