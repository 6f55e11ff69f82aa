import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { pino } from 'pino'
import { createApp } from '../http/app.js'
import { loadRekorV1Contract } from '../http/contract.js'
import { createCheckQueue } from '../keys/check-queue.js'
import { createQuickVerifier } from '../rekor/quick-verifier.js'
import { createRekorService, type RekorObserver } from '../rekor/service.js'
import { createInProcessVerifier } from '../rekor/verify-task.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { createAnnouncement } from './announcement.js'
import { followFirst, followLog } from './followed-log.js'
import { createForwarder } from './forward.js'
import { createMainThread } from './main-thread.js'
import type { Observation, ThreadSettings, ToMain, ToThread } from './messages.js'
import { createOutbox } from '../log/outbox.js'

/** One side of the channel to the main thread. */
export interface Port {
  postMessage(items: readonly ToMain[], transfer: readonly ArrayBuffer[]): void
  on(event: 'message', listener: (items: readonly ToThread[]) => void): unknown
}

/** How often a stopping thread looks for connections that have nothing to do. */
const SWEEP_MS = 20

/** Observations are sent at the latest when there are so many: they are only wanted when somebody reads the metrics. */
const MAX_OBSERVATIONS = 1000

/** Answers requests on the connections that it is given, until it is told to stop. */
export async function serveConnections(port: Port, settings: ThreadSettings): Promise<void> {
  const outbox = createOutbox<ToMain>(
    (items, transfer) => port.postMessage(items, transfer),
    (flush) => setImmediate(flush)
  )
  const observations: Observation[] = []
  const sendObservations = (id?: number): void => {
    const list = observations.splice(0)
    outbox.send({ type: 'observed', list, ...(id === undefined ? {} : { id }) })
  }
  const observe = (observation: Observation): void => {
    if (observations.push(observation) >= MAX_OBSERVATIONS) sendObservations()
  }

  const database = await openDatabase({ path: settings.databasePath, mode: 'follow' })
  const mainThread = createMainThread(outbox)
  const log = await followLog({
    database,
    announcement: createAnnouncement(settings.announcement),
    mainThread,
    readAttestations: settings.readAttestations
  })
  const observer: RekorObserver = {
    newEntry: () => observe({ type: 'newEntry' }),
    indexLookup: (lookup) => observe({ type: 'indexLookup', ...lookup })
  }
  const rekor = createRekorService({
    generations: log.generations,
    database,
    verifier: createQuickVerifier(
      createInProcessVerifier(settings.verify, createCheckQueue()),
      mainThread.verifier
    ),
    observer,
    monotonicMs: () => performance.now()
  })
  const app = await createApp({
    logger: pino(
      { level: settings.logLevel },
      { write: (line: string) => outbox.send({ type: 'line', line }) }
    ),
    contract: loadRekorV1Contract(),
    rekor: followFirst(rekor, log.follow),
    enabledOperations: settings.enabledOperations,
    maxRequestBodyBytes: settings.maxRequestBodyBytes,
    onRequestDone: (request) => observe({ type: 'request', request })
  })
  const { server } = app
  let isStopping = false
  const forwarder = createForwarder(
    (item, transfer) => outbox.send(item, transfer),
    () => isStopping
  )
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    if (isAnsweredHere(request)) app.routing(request, response)
    else forwarder.forward(request, response)
  })
  // It never listens itself, and this is when Node begins to look for requests that take too long to come in.
  server.emit('listening')

  const connections = new Set<Socket>()
  function take(descriptor: number): void {
    // At once: what dies before it claims a connection leaves it to the main thread to close.
    port.postMessage([{ type: 'claimed', descriptor }], [])
    const socket = new Socket({
      fd: descriptor,
      readable: true,
      writable: true,
      allowHalfOpen: true
    })
    connections.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
      outbox.send({ type: 'left' })
    })
    server.emit('connection', socket)
  }

  function stop(): void {
    if (isStopping) return
    isStopping = true
    void app.close() // answers say from now on that their connection ends
    const sweep = setInterval(() => {
      server.closeIdleConnections()
      if (connections.size > 0) return
      clearInterval(sweep)
      sendObservations()
      outbox.send({ type: 'stopped' })
      void database.close()
    }, SWEEP_MS)
  }

  port.on('message', (items) => {
    for (const item of items) {
      if (mainThread.receive(item)) continue
      switch (item.type) {
        case 'connection':
          take(item.descriptor)
          break
        case 'observe':
          sendObservations(item.id)
          break
        case 'stop':
          stop()
          break
        case 'cut':
          for (const socket of connections) socket.destroy()
          break
        case 'tunnelOpen':
        case 'tunnelData':
        case 'tunnelRead':
        case 'tunnelEnd':
        case 'tunnelClose':
          forwarder.receive(item)
      }
    }
  })
  outbox.send({ type: 'ready' })
}

/**
 * Paths of which nothing but this API has any, in their usual spelling. The key of the log is asked of the main thread: see
 * followFirst.
 */
const PATHS_ANSWERED_HERE = /^\/api\/v1\/(?:log(?!\/publicKey)|index)(?:[/?][^%]*)?$/

/** Larger bodies are verified on other threads in any case, so they are not even parsed here. */
const MAX_BODY_BYTES = 16 * 1024

/** Whatever is not plainly one of the quick requests goes to the main thread, which answers all of them. */
export function isAnsweredHere({
  url = '',
  headers
}: Pick<IncomingMessage, 'url' | 'headers'>): boolean {
  if (!PATHS_ANSWERED_HERE.test(url) || headers['transfer-encoding'] !== undefined) return false
  const { 'content-length': length = '0' } = headers
  return /^\d{1,5}$/.test(length) && Number(length) <= MAX_BODY_BYTES
}
