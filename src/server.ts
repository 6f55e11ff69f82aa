import type { FastifyPluginAsync } from 'fastify'
import type { RunningServer } from './cli/command.js'
import { defaultPublicUrl } from './config/parse.js'
import type { Address, Config } from './config/schema.js'
import { formatAddress } from './config/value.js'
import { readVersion } from './config/version.js'
import { equalBytes } from './encoding/bytes.js'
import { encodeHex } from './encoding/hex.js'
import { encodeUtf8 } from './encoding/text.js'
import { createApp } from './http/app.js'
import {
  loadCtContract,
  loadFulcioContract,
  loadRekorV1Contract,
  loadTrustContract,
  loadTsaContract
} from './http/contract.js'
import { ctV1 } from './http/ct-v1.js'
import { fulcio } from './http/fulcio.js'
import {
  LISTEN_BACKLOG,
  explainListening,
  portOf,
  startListening,
  takeTogether,
  stopListening
} from './http/listening.js'
import { createMetricsServer } from './http/metrics-listener.js'
import type { FamilyContract } from './http/no-route.js'
import type { Health } from './http/server-pages.js'
import type { TransparencyLog } from './log/contract.js'
import { trust as trustRoutes } from './http/trust.js'
import { tsa } from './http/tsa.js'
import { hashData } from './keys/verify.js'
import { createMetrics, type Metrics } from './metrics.js'
import type { TreeView } from './rekor/tree-view.js'
import { listenForAdministration } from './server/admin-socket.js'
import { createBootstrap } from './server/bootstrap.js'
import { closeAll, closeOnce, type Closers, closeWithin } from './server/closing.js'
import { type Core, openCore } from './server/core.js'
import type { ServerOptions } from './server/foundation.js'
import { openFront } from './server/front.js'
import { assertPublicUrl, openBodies, openRekorService, openVerifier } from './server/rekor.js'
import { calendarProblem, type CalendarEntry } from './trust/expiry.js'
import type { TufRepository } from './tuf/contract.js'
import { renderBootstrapPage } from './web/bootstrap.js'
import { renderHomePage } from './web/home.js'

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

/** A request for a timestamp takes a hundred bytes; upstream's own limit. */
const MAX_TIMESTAMP_REQUEST_BYTES = 1024 * 1024

async function composeServer(
  config: Config,
  options: ServerOptions,
  closers: Closers
): Promise<RunningServer> {
  const { logger, now } = options
  const contract = loadRekorV1Contract()
  const metrics = createMetrics({
    version: readVersion(),
    paths: [contract, loadTsaContract(), loadTrustContract()].flatMap(({ operations }) =>
      operations.map(({ path }) => path)
    ),
    now
  })
  const core = await openCore(config, options, metrics, closers)
  const { authority, certificates, timestamps, trust, logs, calendar } = core
  assertPublicUrl(config, core.rekorLog.generations.current.log.record, logger)
  // Before the first request where that is possible: whoever signs with this server must find it in what clients believe.
  if (config.listen.port !== 0) await trust?.publish(config.publicUrl)
  const { generations } = core.rekorLog
  const verifier = openVerifier(core.foundation)
  const rekor = openRekorService(core.foundation, core.rekorLog, verifier)
  const bodies = openBodies(core.foundation)
  const app = await createApp({
    logger,
    contract,
    rekor,
    enabledOperations: config.rekor.endpoints,
    maxRequestBodyBytes: config.maxRequestBodyBytes,
    ...(bodies === undefined ? {} : { bodies }),
    health: () => healthOf(logs(), calendar(), now(), config.healthMaxAgeMs),
    homePage: () => homePage(generations.current.active, trust !== undefined),
    onRequestDone: metrics.apiRequest,
    ...furtherApis(core)
  })
  const front = openFront(core, app.server, verifier)
  // Both at once: what comes in on open connections while we stop is answered, on whichever thread.
  closers.push(async () => {
    await Promise.all([front?.close(), app.close()])
  })
  const { listen, metricsListen } = config
  const scraped = {
    contentType: metrics.contentType,
    render: async () => {
      await front?.collect()
      return metrics.render()
    }
  }
  const metricsUrl =
    metricsListen === undefined ? undefined : await openMetrics(metricsListen, scraped, closers)
  await explainListening(listen, '--listen', () =>
    app.listen({ ...listen, backlog: LISTEN_BACKLOG })
  )
  takeTogether(app.server)

  const connections = {
    closeIdle: () => app.server.closeIdleConnections(),
    cut: () => {
      front?.cut()
      app.server.closeAllConnections()
    }
  }
  const { trees, active } = generations.current
  const { record, logId } = active
  const port = portOf(app.server)
  const publicUrl = publicUrlOf(config, port)
  if (config.listen.port === 0) await trust?.publish(publicUrl)
  closers.push(
    await listenForAdministration(core.foundation.paths.adminSocket, core.administration, logger)
  )
  return {
    publicUrl,
    listenUrl: defaultPublicUrl({ ...listen, port }),
    metricsUrl,
    treeId: record.treeId,
    origin: record.origin,
    logId: encodeHex(logId),
    keyStartSeconds: keyStart(trees, logId),
    hasAuthority: authority !== undefined,
    issuers: authority?.authority.issuers().length ?? 0,
    hasTimestamps: timestamps !== undefined,
    rootSha256: trust === undefined ? undefined : rootHash(trust.repository()),
    ctLogId: certificates === undefined ? undefined : encodeHex(certificates.ct.active.logId),
    threads: () => front?.state() ?? [],
    close: closeOnce(() => closeWithin(config.shutdownMs, connections, closers))
  }
}

async function openMetrics(
  address: Address,
  metrics: Pick<Metrics, 'contentType' | 'render'>,
  closers: Closers
): Promise<string> {
  const server = createMetricsServer(metrics)
  await explainListening(address, '--metrics-listen (or off)', () =>
    startListening(server, address)
  )
  closers.push(() => stopListening(server))
  return `http://${formatAddress({ host: address.host, port: portOf(server) })}`
}

/** The APIs beside Rekor's, each with its document. */
function furtherApis({ foundation, authority, certificates, timestamps, trust, issuers }: Core): {
  readonly plugins: readonly FastifyPluginAsync[]
  readonly families: readonly FamilyContract[]
} {
  const { config, metrics } = foundation
  const plugins: FastifyPluginAsync[] = []
  const families: FamilyContract[] = []
  if (authority !== undefined) {
    const contract = loadFulcioContract()
    const onRequestDone = metrics.fulcio.apiRequest
    plugins.push((app) => fulcio(app, { contract, authority: authority.authority, onRequestDone }))
    families.push({ family: 'fulcio', contract })
  }
  if (certificates !== undefined) {
    const contract = loadCtContract()
    plugins.push((app) => ctV1(app, { contract, ct: certificates.ct }))
    families.push({ family: 'ct', contract })
  }
  if (timestamps !== undefined) {
    const contract = loadTsaContract()
    plugins.push((app) =>
      tsa(app, {
        contract,
        authority: timestamps.timestamps,
        maxRequestBodyBytes: Math.min(MAX_TIMESTAMP_REQUEST_BYTES, config.maxRequestBodyBytes),
        successStatus: 200,
        onRequestDone: metrics.timestamps.apiRequest
      })
    )
    families.push({ family: 'tsa', contract })
  }
  if (trust !== undefined) {
    const contract = loadTrustContract()
    plugins.push((app) =>
      trustRoutes(app, {
        contract,
        tufFile: trust.tufFile,
        bootstrap: createBootstrap(trust, issuers),
        renderPage: renderBootstrapPage,
        onRequestDone: metrics.apiRequest
      })
    )
    families.push({ family: 'trust', contract })
  }
  return { plugins, families }
}

/** Hex SHA-256 of root.json: what people compare. */
function rootHash({ roots }: TufRepository): string {
  return encodeHex(hashData('sha256', encodeUtf8(roots.at(-1) ?? '')))
}

/**
 * Healthy only while the write path of every log proved itself lately: see TransparencyLog.freshTimeMs. What is near its end
 * makes it degraded, and stops nobody.
 */
function healthOf(
  logs: readonly TransparencyLog[],
  calendar: readonly CalendarEntry[],
  nowMs: number,
  maxAgeMs: number
): Health {
  // What exactly failed is in the server's log; strangers ask here.
  if (logs.some(({ failure }) => failure !== undefined)) {
    return { isHealthy: false, reason: 'the log has stopped' }
  }
  const ageMs = nowMs - Math.min(...logs.map(({ freshTimeMs }) => freshTimeMs))
  if (ageMs <= maxAgeMs) {
    const problem = calendarProblem(calendar)
    return { isHealthy: true, ...(problem === undefined ? {} : { degraded: problem }) }
  }
  const reason = `no proof for ${Math.round(ageMs / 1000)} s that the log can be written`
  return { isHealthy: false, reason }
}

function homePage({ record, checkpoint }: TreeView, hasBootstrap: boolean): string {
  return renderHomePage({
    version: readVersion(),
    origin: record.origin,
    treeId: record.treeId,
    entries: record.offset + checkpoint().treeHead.treeSize,
    hasBootstrap
  })
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
