import { closeSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { createDesk, type Desk, type DeskServices } from './desk.js'
import type { ThreadSettings, ToMain, ToThread } from './messages.js'
import { createOutbox, type Outbox } from '../log/outbox.js'
import { descriptorOf, type SocketAddon } from '../http/sockets.js'

export interface FrontThreadsOptions {
  /** Threads beside the main one, at least 1. */
  readonly threads: number
  readonly settings: ThreadSettings
  readonly services: Omit<DeskServices, 'serve'>
  /** The server of the main thread. It answers whatever the others do not, and everything while there are none. */
  readonly server: Server
  readonly addon: SocketAddon
  /** Told of a thread that died, and why if that is known. */
  readonly onDeath: (err: unknown) => void
  /** Tests bring their own. */
  readonly workerUrl?: URL
  /** Node's options for the threads; without it those of this process. */
  readonly execArgv?: readonly string[]
}

/** What a thread is doing. */
export interface FrontThreadState {
  readonly isReady: boolean
  /** Open now. */
  readonly connections: number
  /** Given to it since it began. */
  readonly taken: number
}

/** Threads that answer requests in front of the one that writes the log. */
export interface FrontThreads {
  state(): readonly FrontThreadState[]
  /** Waits until everything that threads have counted is in the metrics. */
  collect(): Promise<void>
  /** Ends connections, answered or not. */
  cut(): void
  /** Gives no more connections away, waits until those there are have been answered, and ends the threads. */
  close(): Promise<void>
}

/** Keeps a thread that cannot even start from being started in a tight loop. */
const RESTART_DELAY_MS = 1000

/** A thread that is busy for longer than this is left out of one reading of the metrics. */
const COLLECT_MS = 1000

/**
 * The young generation is what a request lives in: with room for more of them at once, fewer are copied when it is collected. The
 * old one holds what was loaded and what is being proved; large bodies never come here.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 64, maxOldGenerationSizeMb: 512 }

interface Slot {
  readonly worker: Worker
  readonly outbox: Outbox<ToThread>
  readonly desk: Desk
  isReady: boolean
  connections: number
  taken: number
  /** Descriptors that were sent to it and that it has not claimed yet. */
  readonly unclaimed: Set<number>
  /** Called when it has told what it counted. */
  readonly collecting: Map<number, () => void>
  /** Called when it has stopped, or died. */
  onOver: (() => void) | undefined
}

/** Starts the threads. Until they are ready the main thread goes on alone. */
export function startFrontThreads(options: FrontThreadsOptions): FrontThreads {
  const { server, addon, settings } = options
  const slots = new Set<Slot>()
  let isClosing = false
  let lastId = 0

  const listeners = server.listeners('connection') as ((connection: Duplex) => void)[] // of node:http
  const serveHere = (connection: Duplex): void => {
    for (const listener of listeners) listener.call(server, connection)
  }
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (!give(socket)) serveHere(socket)
  })

  /** Gives a connection to the thread that has fewest. @returns whether there was one to take it */
  function give(socket: Socket): boolean {
    const slot = isClosing ? undefined : leastBusy()
    const descriptor = slot === undefined ? undefined : descriptorOf(socket)
    if (slot === undefined || descriptor === undefined) return false
    let copy: number
    try {
      copy = addon.duplicate(descriptor)
    } catch {
      return false // as many descriptors as this process may have: those who close theirs make room
    }
    slot.unclaimed.add(copy)
    slot.connections++
    slot.taken++
    slot.outbox.send({ type: 'connection', descriptor: copy })
    socket.destroy() // closes our descriptor; the connection goes on with the other
    return true
  }

  /** Of those with fewest connections, the one that was given fewest. */
  function leastBusy(): Slot | undefined {
    let best: Slot | undefined
    for (const slot of slots) {
      if (!slot.isReady) continue
      const order = best === undefined ? -1 : slot.connections - best.connections
      if (best === undefined || order < 0 || (order === 0 && slot.taken < best.taken)) best = slot
    }
    return best
  }

  function start(): void {
    const { workerUrl = new URL('./worker.js', import.meta.url) } = options
    const { execArgv = process.execArgv } = options
    const worker = new Worker(workerUrl, {
      workerData: settings,
      execArgv: [...execArgv],
      resourceLimits: RESOURCE_LIMITS
    })
    const outbox = createOutbox<ToThread>(
      (items, transfer) => worker.postMessage(items, transfer),
      // After all that is answered in this turn, and before the next batch is written.
      (flush) => process.nextTick(flush)
    )
    const slot: Slot = {
      worker,
      outbox,
      desk: createDesk({ ...options.services, serve: serveHere }, outbox),
      isReady: false,
      connections: 0,
      taken: 0,
      unclaimed: new Set(),
      collecting: new Map(),
      onOver: undefined
    }
    slots.add(slot)
    worker.on('message', (items: readonly ToMain[]) => {
      for (const item of items) receive(slot, item)
    })
    worker.on('error', (err) => over(slot, err))
    worker.on('exit', () => over(slot, undefined))
  }

  function receive(slot: Slot, item: ToMain): void {
    if (slot.desk.receive(item)) return
    switch (item.type) {
      case 'ready':
        slot.isReady = true
        break
      case 'claimed':
        slot.unclaimed.delete(item.descriptor)
        break
      case 'left':
        slot.connections--
        break
      case 'observed':
        slot.collecting.get(item.id ?? 0)?.()
        break
      case 'stopped':
        retire(slot)
        break
      default:
    }
  }

  /** A thread ended that was not told to; both `error` and `exit` come for one death. */
  function over(slot: Slot, err: unknown): void {
    if (!retire(slot)) return
    options.onDeath(err)
    if (slot.isReady && !isClosing) start()
    else setTimeout(() => isClosing || start(), RESTART_DELAY_MS).unref()
  }

  /** Takes a thread out of service. @returns whether it was in service */
  function retire(slot: Slot): boolean {
    if (!slots.delete(slot)) return false
    slot.desk.close()
    void slot.worker.terminate()
    for (const done of slot.collecting.values()) done()
    for (const descriptor of slot.unclaimed) closeQuietly(descriptor)
    slot.onOver?.()
    return true
  }

  for (let i = 0; i < options.threads; i++) start()

  return {
    state: () =>
      [...slots].map(({ isReady, connections, taken }) => ({ isReady, connections, taken })),
    async collect() {
      await Promise.all([...slots].filter(({ isReady }) => isReady).map(collectFrom))
    },
    cut() {
      for (const { outbox } of slots) outbox.send({ type: 'cut' })
    },
    async close() {
      isClosing = true
      await Promise.all([...slots].map(stop))
    }
  }

  function collectFrom(slot: Slot): Promise<void> {
    return new Promise((resolve) => {
      const id = ++lastId
      const done = (): void => {
        clearTimeout(timer)
        slot.collecting.delete(id)
        resolve()
      }
      const timer = setTimeout(done, COLLECT_MS)
      slot.collecting.set(id, done)
      slot.outbox.send({ type: 'observe', id })
    })
  }

  function stop(slot: Slot): Promise<void> {
    if (!slot.isReady) {
      retire(slot)
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      slot.onOver = resolve
      slot.outbox.send({ type: 'stop' })
    })
  }
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor)
  } catch {
    // Nothing can be done about it.
  }
}
