import type { Duplex } from 'node:stream'
import type { Succession } from '../log/succession.js'
import type { EntryVerifier } from '../rekor/entry-verifier.js'
import type { RekorGeneration } from '../rekor/generation.js'
import { leafOf } from './main-thread.js'
import type { AddItem, Observation, ToMain, ToThread } from './messages.js'
import type { Outbox } from '../log/outbox.js'
import { sendableError } from '../encoding/sent-error.js'
import { TunnelEnd, type TunnelItem } from './tunnel.js'

/** What threads ask of the main one. */
export interface DeskServices {
  readonly generations: Pick<Succession<RekorGeneration>, 'use'>
  readonly verifier: EntryVerifier
  readonly observe: (observation: Observation) => void
  /** Takes a whole line of the log. */
  readonly writeLine: (line: string) => void
  /** Answers the requests that come on a connection. */
  readonly serve: (connection: Duplex) => void
}

/** Does for one thread what only the main one may do. */
export interface Desk {
  /** @returns whether it was for the desk */
  receive(item: ToMain): boolean
  /** The thread is gone: so are those who asked. */
  close(): void
}

export function createDesk(services: DeskServices, outbox: Pick<Outbox<ToThread>, 'send'>): Desk {
  const tunnels = new Map<number, TunnelEnd>()
  let isClosed = false

  function send(item: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    if (!isClosed) outbox.send(item, transfer)
  }

  async function add(item: AddItem): Promise<void> {
    const { id } = item
    try {
      await services.generations.use(async ({ log }) => {
        if (log.record.treeId !== item.treeId) {
          send({ type: 'moved', id })
          return
        }
        const { inclusionPromise, ...added } = await log.add(leafOf(item))
        send({
          type: 'added',
          id,
          ...added,
          // What is part of a larger piece of memory would be sent with all of it.
          inclusionPromise: Uint8Array.from(inclusionPromise)
        })
      })
    } catch (err) {
      send({ type: 'refused', id, error: sendableError(err) })
    }
  }

  async function answer(id: number, work: () => Promise<ToThread>): Promise<void> {
    try {
      send(await work())
    } catch (err) {
      send({ type: 'refused', id, error: sendableError(err) })
    }
  }

  function openTunnel(item: TunnelItem & { readonly type: 'tunnelOpen' }): void {
    const end = new TunnelEnd(item.tunnel, item, send)
    tunnels.set(item.tunnel, end)
    end.once('close', () => tunnels.delete(item.tunnel))
    services.serve(end)
  }

  return {
    receive(item) {
      switch (item.type) {
        case 'add':
          void add(item)
          return true
        case 'verify': {
          const { id, proposed, purpose, byteLength } = item
          void answer(id, async () => {
            const leaf = await services.verifier.verifyEntry(proposed, purpose, byteLength)
            return { type: 'verified', id, leaf }
          })
          return true
        }
        case 'keyHash': {
          const { id, format, content } = item
          void answer(id, async () => {
            return { type: 'keyHashed', id, hash: await services.verifier.keyHash(format, content) }
          })
          return true
        }
        case 'observed':
          item.list.forEach(services.observe)
          return item.id === undefined
        case 'line':
          services.writeLine(item.line)
          return true
        case 'tunnelOpen':
          openTunnel(item)
          return true
        case 'tunnelData':
        case 'tunnelRead':
        case 'tunnelEnd':
        case 'tunnelClose':
          tunnels.get(item.tunnel)?.receive(item)
          return true
        default:
          return false
      }
    },
    close() {
      isClosed = true
      for (const end of tunnels.values()) end.closedByOther()
    }
  }
}
