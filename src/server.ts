import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { RunningServer } from './cli/command.js'
import { assertLogDirectory, type DataPaths, dataPaths } from './config/data-dir.js'
import { defaultPublicUrl } from './config/parse.js'
import { type Address, type Config, batchLimits } from './config/schema.js'
import { readPassphrase, readTreeSigner } from './config/secrets.js'
import { formatAddress } from './config/value.js'
import { readVersion } from './config/version.js'
import { equalBytes } from './encoding/bytes.js'
import { encodeHex } from './encoding/hex.js'
import { LogError, isLogError } from './errors.js'
import { createApp } from './http/app.js'
import { loadRekorV1Contract } from './http/contract.js'
import { explainListening, portOf, startListening, stopListening } from './http/listening.js'
import { createMetricsServer } from './http/metrics-listener.js'
import type { Health } from './http/server-pages.js'
import type { TransparencyLog } from './log/contract.js'
import { type CountedLog, countWaiting, timeWrites } from './log/instruments.js'
import type { LogEvent } from './log/sequencer.js'
import { createMetrics, type Metrics } from './metrics.js'
import type { EntryVerifier, VerifySettings } from './rekor/entry-verifier.js'
import { openRekorLog } from './rekor/open-rekor-log.js'
import { createRekorService } from './rekor/service.js'
import { checkpointNameOf } from './rekor/signing.js'
import type { TreeView } from './rekor/tree-view.js'
import { openTreeViews } from './rekor/tree-views.js'
import { createVerifyPool } from './rekor/verify-pool.js'
import { createInProcessVerifier } from './rekor/verify-task.js'
import type { Database, TreeRecord } from './store/log-store.js'
import { openDatabase } from './store/sqlite/open-database.js'
import { renderHomePage } from './web/home.js'

export interface ServerOptions {
  readonly logger: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds that only ever grow, for measuring. */
  readonly monotonicMs: () => number
}

/** An idle log proves itself this often, or three times within the age that health allows. */
const HEARTBEAT_MS = 5000

// What waits to be verified is bounded apart from what waits to be written: these are whole requests.
const MAX_QUEUED_TASKS = 1000
const MAX_QUEUED_TASK_BYTES = 256 * 1024 * 1024
const VERIFY_TIMEOUT_MS = 20_000

/** What is left for the last batch once no connection is open any more. */
const CLOSE_LOG_MS = 5000

/** How often a stopping server looks for connections that have nothing to do. */
const SWEEP_MS = 20

/** Things to close, in the order they were opened. */
type Closers = (() => Promise<void>)[]

/**
 * Introduces the parts to each other: opens the database, checks that key, origin and sizes are those of what was
 * published before, opens the log, and listens.
 *
 * @throws LogError with a sentence that says what to do; nothing stays open then
 */
export async function startServer(config: Config, options: ServerOptions): Promise<RunningServer> {
  const closers: Closers = []
  try {
    return await composeServer(config, options, closers)
  } catch (err) {
    await closeAll(closers)
    throw err
  }
}

async function composeServer(
  config: Config,
  options: ServerOptions,
  closers: Closers
): Promise<RunningServer> {
  const { logger, now, monotonicMs } = options
  const contract = loadRekorV1Contract()
  const metrics = createMetrics({
    version: readVersion(),
    paths: contract.operations.map(({ path }) => path)
  })
  const { database, log, waiting } = await openLog(config, options, metrics, closers)
  const trees = await openTreeViews({
    database,
    log,
    readAttestations: config.rekor.attestations.enabled
  })
  metrics.watchLog(() => ({
    queuedLeaves: waiting().leaves,
    queuedBytes: waiting().bytes,
    treeSizes: new Map(
      trees.map(({ record, checkpoint }) => [record.treeId, checkpoint().treeHead.treeSize])
    ),
    checkpointAgeSeconds: (now() - log.freshTimeMs) / 1000
  }))

  const verifier = openVerifier(config, closers)
  const rekor = createRekorService({
    trees,
    log,
    database,
    verifier,
    observer: metrics,
    monotonicMs
  })
  const app = await createApp({
    logger,
    contract,
    rekor,
    enabledOperations: config.rekor.endpoints,
    maxRequestBodyBytes: config.maxRequestBodyBytes,
    health: () => healthOf(log, now(), config.healthMaxAgeMs),
    homePage: () => homePage(trees),
    onRequestDone: metrics.apiRequest
  })
  const { listen, metricsListen } = config
  const metricsUrl =
    metricsListen === undefined ? undefined : await openMetrics(metricsListen, metrics, closers)
  closers.push(async () => app.close())
  await explainListening(listen, '--listen', () => app.listen({ ...listen }))

  const { record, logId } = activeTree(trees)
  const port = portOf(app.server)
  return {
    publicUrl: publicUrlOf(config, port),
    listenUrl: defaultPublicUrl({ ...listen, port }),
    metricsUrl,
    treeId: record.treeId,
    origin: record.origin,
    logId: encodeHex(logId),
    keyStartSeconds: keyStart(trees, logId),
    close: closeOnce(() => closeWithin(config.shutdownMs, app, closers))
  }
}

/** Opens the database and the log in it, after holding them against configuration and key. */
async function openLog(
  config: Config,
  { logger, now, monotonicMs }: ServerOptions,
  metrics: Metrics,
  closers: Closers
): Promise<CountedLog & { readonly database: Database }> {
  const paths = dataPaths(config.dataDir)
  assertLogDirectory(paths)
  const database = await openForWriting(paths)
  closers.push(() => database.close())
  const times = { onCommit: metrics.committed, onPublish: metrics.published }
  const opened = await openRekorLog({
    database,
    signerOf: (tree) => readTreeSigner(paths, tree, readPassphrase(config.log)),
    hostname: config.log.hostname,
    limits: batchLimits(config),
    now,
    heartbeatMs: Math.min(HEARTBEAT_MS, Math.ceil(config.healthMaxAgeMs / 3)),
    wrapStore: (store) => timeWrites(store, times, monotonicMs),
    onEvent: (event, { treeId }) => {
      tellMetrics(event, treeId, metrics)
      tellOperator(event, treeId, logger)
    }
  })
  closers.push(() => opened.close())
  assertPublicUrl(config, opened.record, logger)
  return { ...countWaiting(opened), database }
}

async function openForWriting(paths: DataPaths): Promise<Database> {
  try {
    return await openDatabase({ path: paths.database, mode: 'write' })
  } catch (err) {
    if (!isLogError(err, 'integrity')) throw err
    throw new LogError('integrity', `${err.message}. Restore the newest complete backup`, {
      cause: err
    })
  }
}

function tellMetrics(event: LogEvent, treeId: string, metrics: Metrics): void {
  if (event.type === 'published') {
    metrics.batch({ treeId, newLeaves: event.leaves, published: true })
  } else if (event.type === 'failed') {
    metrics.batch({ treeId, newLeaves: 0, published: false })
  }
}

function tellOperator(event: LogEvent, treeId: string, logger: Logger): void {
  switch (event.type) {
    case 'published': {
      const { leaves, duplicates, treeSize, durationMs } = event
      const ms = Math.round(durationMs * 1000) / 1000
      logger.debug({ treeId, leaves, duplicates, treeSize, ms }, 'batch published')
      return
    }
    case 'failed':
      logger.error({ treeId, leaves: event.leaves, err: event.error }, 'batch failed')
      return
    case 'stopped':
      logger.fatal({ treeId, err: event.error }, 'the log has stopped: run sigstead verify')
  }
}

/**
 * Some clients look for the name on a checkpoint in the URL of the log. Fatal where an operator wrote that URL down;
 * where it only follows from the address, a remark.
 *
 * @throws LogError `conflict`
 */
function assertPublicUrl(config: Config, record: TreeRecord, logger: Logger): void {
  const { publicUrl, listen } = config
  const name = checkpointNameOf(record)
  if (publicUrl.includes(name)) return
  const problem =
    `the checkpoints of this log are signed as ${name}, which does not occur in its public URL ` +
    `${publicUrl}: sigstore-js will not accept them`
  if (publicUrl === defaultPublicUrl(listen)) {
    logger.warn(`${problem}; set --public-url to a URL with ${name} in it`)
    return
  }
  throw new LogError(
    'conflict',
    `${problem}. Set --public-url to a URL with ${name} in it, or open a new tree with ` +
      'sigstead shard rotate --log-hostname'
  )
}

function openVerifier(config: Config, closers: Closers): EntryVerifier {
  const { entryTypes, clientAlgorithms, attestations, verifyWorkers } = config.rekor
  const settings: VerifySettings = {
    enabledKinds: entryTypes,
    clientAlgorithms,
    maxAttestationBytes: attestations.enabled ? attestations.maxBytes : 0
  }
  if (verifyWorkers === 0) return createInProcessVerifier(settings)
  const pool = createVerifyPool({
    workers: verifyWorkers,
    maxQueuedTasks: MAX_QUEUED_TASKS,
    maxQueuedBytes: MAX_QUEUED_TASK_BYTES,
    taskTimeoutMs: VERIFY_TIMEOUT_MS,
    settings
  })
  closers.push(() => pool.close())
  return pool
}

async function openMetrics(address: Address, metrics: Metrics, closers: Closers): Promise<string> {
  const server = createMetricsServer(metrics)
  await explainListening(address, '--metrics-listen (or off)', () =>
    startListening(server, address)
  )
  closers.push(() => stopListening(server))
  return `http://${formatAddress({ host: address.host, port: portOf(server) })}`
}

/** Healthy only while the write path proved itself lately: see TransparencyLog.freshTimeMs. */
function healthOf(log: TransparencyLog, nowMs: number, maxAgeMs: number): Health {
  // What exactly failed is in the server's log; strangers ask here.
  if (log.failure !== undefined) return { isHealthy: false, reason: 'the log has stopped' }
  const ageMs = nowMs - log.freshTimeMs
  if (ageMs <= maxAgeMs) return { isHealthy: true }
  const reason = `no proof for ${Math.round(ageMs / 1000)} s that the log can be written`
  return { isHealthy: false, reason }
}

function homePage(trees: readonly TreeView[]): string {
  const { record, checkpoint } = activeTree(trees)
  return renderHomePage({
    version: readVersion(),
    origin: record.origin,
    treeId: record.treeId,
    entries: record.offset + checkpoint().treeHead.treeSize
  })
}

function activeTree(trees: readonly TreeView[]): TreeView {
  const active = trees.at(-1)
  if (active === undefined) throw new LogError('internal', 'a log without trees')
  return active
}

/** When the oldest tree was made that the key of the active one signs for. */
function keyStart(trees: readonly TreeView[], logId: Uint8Array): number {
  const signed = trees.filter((tree) => equalBytes(tree.logId, logId))
  return Math.min(...signed.map(({ record }) => record.createdTimeSeconds))
}

function publicUrlOf({ publicUrl, listen }: Config, port: number): string {
  const follows = publicUrl === defaultPublicUrl(listen)
  return follows ? defaultPublicUrl({ ...listen, port }) : publicUrl
}

/**
 * Stops in the reverse order of the start: nothing new is accepted, what was accepted is answered, the queue is
 * written and published, the store closed.
 *
 * @throws LogError `timeout` when connections had to be cut to be done in time
 */
async function closeWithin(limitMs: number, app: FastifyInstance, closers: Closers): Promise<void> {
  let cut = false
  let giveUp: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    giveUp = setTimeout(() => {
      reject(new LogError('timeout', 'the log could not be closed; the next start recovers it'))
    }, limitMs + CLOSE_LOG_MS)
  })
  const cutOff = setTimeout(() => {
    cut = true
    app.server.closeAllConnections()
  }, limitMs)
  // A connection whose last request was under way when the stop began is kept alive afterwards, and would be waited for.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
  try {
    await Promise.race([closeAll(closers), late])
  } finally {
    clearInterval(sweep)
    clearTimeout(cutOff)
    clearTimeout(giveUp)
  }
  if (cut) {
    throw new LogError(
      'timeout',
      `some requests were not answered within ${limitMs} ms; what the log had taken is published`
    )
  }
}

async function closeAll(closers: Closers): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}

function closeOnce(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () => (closed ??= close())
}
