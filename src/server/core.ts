import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import type { Config } from '../config/schema.js'
import type { TransparencyLog } from '../log/contract.js'
import { createCheckQueue } from '../keys/check-queue.js'
import { createAnnouncement } from '../front/announcement.js'
import type { Metrics } from '../metrics.js'
import type { Administration } from '../site/administration.js'
import { readIssuers } from '../site/circumstances.js'
import type { LiveServices } from '../trust/gaps.js'
import { createAdministration, logsOf } from './administration.js'
import { type OpenAuthority, openAuthority } from './authority.js'
import { type Calendar, createCalendar } from './calendar.js'
import { type CertificateLog, openCertificateLog } from './certificate-log.js'
import type { Closers } from './closing.js'
import { openForWriting } from './database.js'
import type { Foundation, ServerOptions } from './foundation.js'
import { openRekor, type OpenRekor } from './rekor.js'
import { openTimestampAuthority, type OpenTimestamps } from './timestamps.js'
import { openTrust, type OpenTrust } from './trust.js'

/** What has keys, open. */
export interface Parts {
  readonly foundation: Foundation
  readonly rekorLog: OpenRekor
  readonly certificates: CertificateLog | undefined
  readonly authority: OpenAuthority | undefined
  readonly timestamps: OpenTimestamps | undefined
}

/** Every service of one data directory, open, without a listener. */
export interface Core extends Parts {
  /** What clients are told of all this; nothing where there is no TUF repository. */
  readonly trust: OpenTrust | undefined
  /** Whose ID tokens are believed. */
  readonly issuers: readonly string[]
  /** Everything that can expire. */
  readonly calendar: Calendar
  readonly administration: Administration
  /** The logs that are being written now. */
  readonly logs: () => readonly TransparencyLog[]
}

/**
 * Opens the database, checks that key, origin and sizes are those of what was published before, and opens what
 * configuration says is on.
 *
 * @param closers filled with what must be closed, also when it throws
 * @param options.canMissKeys for work on a stopped server: TUF keys may be missing that a server needs
 * @throws LogError with a sentence that says what to do
 */
export async function openCore(
  config: Config,
  options: ServerOptions,
  metrics: Metrics,
  closers: Closers,
  { canMissKeys }: { readonly canMissKeys?: boolean } = {}
): Promise<Core> {
  const paths = dataPaths(config.dataDir)
  assertLogDirectory(paths)
  const { database, thread } = await openForWriting(paths, options.writer)
  closers.push(() => database.close())
  const checks = createCheckQueue()
  const foundation: Foundation = {
    config,
    options,
    paths,
    database,
    thread,
    metrics,
    closers,
    checks,
    announcement: config.http.threads > 1 ? createAnnouncement() : undefined
  }
  const rekorLog = await openRekor(foundation)
  const certificates = config.ct.enabled ? await openCertificateLog(foundation) : undefined
  const authority = config.ca.enabled ? await openAuthority(foundation, certificates) : undefined
  const timestamps = config.tsa.enabled ? await openTimestampAuthority(foundation) : undefined
  const logs = (): readonly TransparencyLog[] => logsOf({ rekorLog, certificates })
  watchLogs(foundation, rekorLog, certificates, logs)
  const parts = { foundation, rekorLog, certificates, authority, timestamps }
  const identity = authority?.issuers ?? (await readIssuers(config))
  const trust = config.tuf.enabled
    ? await openTrust(foundation, identity, () => liveServices(parts), { canMissKeys })
    : undefined
  const calendar = createCalendar(parts, trust)
  metrics.watchExpiry(calendar)
  const site = { config, paths, database, world: options }
  return {
    ...parts,
    trust,
    issuers: identity.issuers.map(({ issuerUrl }) => issuerUrl),
    calendar,
    administration: createAdministration({ parts, trust, site }, calendar),
    logs
  }
}

/** What every service signs with now. */
function liveServices({
  foundation,
  rekorLog,
  certificates,
  authority,
  timestamps
}: Parts): LiveServices {
  const { options } = foundation
  return {
    nowSeconds: Math.floor(options.now() / 1000),
    rekorKeys: [rekorLog.generations.current.log.record.publicKey],
    ctKeys: certificates === undefined ? [] : [certificates.ct.active.publicKey],
    certificateChains: authority === undefined ? [] : [authority.current().chain.der],
    timestampChains: timestamps === undefined ? [] : [timestamps.chain()]
  }
}

function watchLogs(
  { metrics, options }: Foundation,
  { generations, waiting }: OpenRekor,
  certificates: CertificateLog | undefined,
  logs: Core['logs']
): void {
  metrics.watchLog(() => ({
    queuedLeaves: waiting().leaves,
    queuedBytes: waiting().bytes,
    treeSizes: new Map([
      ...generations.current.trees.map(({ record, checkpoint }) => {
        return [record.treeId, checkpoint().treeHead.treeSize] as const
      }),
      ...(certificates === undefined ? [] : [sizeOf(certificates.generations.current.log)])
    ]),
    checkpointAgeSeconds:
      (options.now() - Math.min(...logs().map(({ freshTimeMs }) => freshTimeMs))) / 1000
  }))
}

function sizeOf(log: TransparencyLog): readonly [string, number] {
  return [log.record.treeId, log.checkpoint().treeHead.treeSize]
}
