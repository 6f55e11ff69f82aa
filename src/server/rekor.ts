import type { Logger } from 'pino'
import { defaultPublicUrl } from '../config/parse.js'
import { batchLimits, type Config } from '../config/schema.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { LogError } from '../errors.js'
import { announceAdded, announceGenerations } from '../front/announcement.js'
import { createBodyPool } from '../http/body-pool.js'
import type { BodyReader } from '../http/body-task.js'
import { nativeProblem } from '../keys/native-crypto.js'
import type { TransparencyLog } from '../log/contract.js'
import { type CountedLog, countWaiting, timeWrites } from '../log/instruments.js'
import { createSuccession, type Succession } from '../log/succession.js'
import type { EntryVerifier, VerifySettings } from '../rekor/entry-verifier.js'
import { createRekorGeneration, type RekorGeneration } from '../rekor/generation.js'
import { openRekorLog, type OpenRekorLogOptions } from '../rekor/open-rekor-log.js'
import { checkpointNameOf } from '../rekor/signing.js'
import { createRekorService, type RekorService } from '../rekor/service.js'
import { openTreeViews } from '../rekor/tree-views.js'
import { createQuickVerifier } from '../rekor/quick-verifier.js'
import { createVerifyPool } from '../rekor/verify-pool.js'
import { createInProcessVerifier } from '../rekor/verify-task.js'
import type { LogStore, TreeRecord } from '../store/log-store.js'
import { type Foundation, heartbeatOf } from './foundation.js'
import { createEventSink } from './log-events.js'
import { openInThread } from './log-thread.js'

// What waits to be verified is bounded apart from what waits to be written: these are whole requests.
const MAX_QUEUED_TASKS = 1000
const MAX_QUEUED_TASK_BYTES = 256 * 1024 * 1024
const VERIFY_TIMEOUT_MS = 20_000
/** Longer than between bodies that come steadily. A thread that ends gives back what its largest body needed. */
const BODY_THREAD_IDLE_MS = 10_000

/** The Rekor log with what is needed to replace it. */
export interface OpenRekor {
  readonly generations: Succession<RekorGeneration>
  /** Opens what the database says is the log now, after holding it against configuration and key. */
  readonly reopen: () => Promise<RekorGeneration>
  /** Leaves that were handed in and are not published yet. */
  readonly waiting: CountedLog['waiting']
}

/** Opens the Rekor log. */
export async function openRekor(foundation: Foundation): Promise<OpenRekor> {
  let counted: CountedLog | undefined
  const { announcement } = foundation
  const reopen = async (): Promise<RekorGeneration> => {
    counted = countWaiting(await openActiveTree(foundation))
    const trees = await openTreeViews({
      database: foundation.database,
      log: counted.log,
      readAttestations: foundation.config.rekor.attestations.enabled
    })
    const generation = createRekorGeneration(trees, counted.log)
    return announcement === undefined ? generation : announceAdded(generation, announcement)
  }
  const succession = createSuccession(await reopen())
  const generations =
    announcement === undefined ? succession : announceGenerations(succession, announcement)
  foundation.closers.push(() => generations.current.log.close())
  return {
    generations,
    reopen,
    waiting: () => counted?.waiting() ?? { leaves: 0, bytes: 0 }
  }
}

function openActiveTree({
  config,
  options,
  paths,
  database,
  thread,
  metrics
}: Foundation): Promise<TransparencyLog> {
  const { logger, now, monotonicMs } = options
  const times = { onCommit: metrics.committed, onPublish: metrics.published }
  const onEvent = createEventSink(metrics, logger)
  const { hostname } = config.log
  const common = { hostname, limits: batchLimits(config), heartbeatMs: heartbeatOf(config) }
  const open: OpenRekorLogOptions = {
    ...common,
    database,
    signerOf: (tree) => readTreeSigner(paths, tree, readPassphrase(config.log)),
    now,
    wrapStore: (store) => timeWrites(store, times, monotonicMs),
    onEvent
  }
  if (thread === undefined) return openRekorLog(open)
  const settings = { ...common, keys: paths.keys, passphrase: readPassphrase(config.log) }
  const storeOf = (treeId: string): LogStore => database.logStore(treeId)
  return openRekorLog(open, () => openInThread(thread, settings, { storeOf, onEvent, times }))
}

/**
 * Some clients look for the name on a checkpoint in the URL of the log. Fatal where an operator wrote that URL down;
 * where it only follows from the address, a remark. Asked before anything is served; a command that opens a tree with another
 * name must get past it.
 *
 * @throws LogError `conflict`
 */
export function assertPublicUrl(config: Config, record: TreeRecord, logger: Logger): void {
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

/** What answers for the log. Not a part of the core: its threads are of no use to whoever only rotates keys. */
export function openRekorService(
  foundation: Foundation,
  { generations }: Pick<OpenRekor, 'generations'>,
  verifier = openVerifier(foundation)
): RekorService {
  const { database, metrics, options } = foundation
  return createRekorService({
    generations,
    database,
    verifier,
    observer: metrics,
    monotonicMs: options.monotonicMs
  })
}

/**
 * What checks the signatures of entries: a pool of threads, or this one. Where signatures over digests are checked natively,
 * small entries are checked here, with their signatures beside.
 */
export function openVerifier({ config, options, closers, checks }: Foundation): EntryVerifier {
  const { verifyWorkers } = config.rekor
  const settings = verifySettings(config)
  const problem = nativeProblem()
  if (problem !== undefined) options.logger.warn({ problem }, 'signatures are verified slowly')
  const quick = createInProcessVerifier(settings, checks)
  if (verifyWorkers === 0) {
    options.logger.warn('rekor.verifyWorkers is 0: an entry that takes long holds up everybody')
    return quick
  }
  const pool = createVerifyPool({
    workers: verifyWorkers,
    maxQueuedTasks: MAX_QUEUED_TASKS,
    maxQueuedBytes: MAX_QUEUED_TASK_BYTES,
    taskTimeoutMs: VERIFY_TIMEOUT_MS,
    settings
  })
  closers.push(() => pool.close())
  return problem === undefined ? createQuickVerifier(quick, pool) : pool
}

/**
 * What reads large request bodies; undefined where everything is done on the main thread. Threads of their own, fewer than those of
 * small entries, because each holds several times what it reads.
 */
export function openBodies({ config, closers }: Foundation): BodyReader | undefined {
  const { verifyWorkers } = config.rekor
  if (verifyWorkers === 0) return undefined
  const pool = createBodyPool({
    workers: Math.ceil(verifyWorkers / 2),
    maxQueuedTasks: MAX_QUEUED_TASKS,
    taskTimeoutMs: VERIFY_TIMEOUT_MS,
    maxBodyBytes: config.maxRequestBodyBytes,
    idleMs: BODY_THREAD_IDLE_MS,
    settings: verifySettings(config)
  })
  closers.push(() => pool.close())
  return pool.read
}

/** What configuration allows of entries. */
export function verifySettings({ rekor }: Config): VerifySettings {
  const { entryTypes, clientAlgorithms, attestations } = rekor
  return {
    enabledKinds: entryTypes,
    clientAlgorithms,
    maxAttestationBytes: attestations.enabled ? attestations.maxBytes : 0,
    maxApkMetadataBytes: rekor.maxApkMetadataBytes,
    maxJarMetadataBytes: rekor.maxJarMetadataBytes
  }
}
