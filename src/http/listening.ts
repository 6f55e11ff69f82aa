import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LogError } from '../errors.js'
import { acceptWaiting } from './accept-waiting.js'
import { loadSocketAddon } from './sockets.js'

export interface ListenAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

/**
 * Connections that may wait to be taken. With Node's 511, of a thousand that come at once some are dropped by the system and come
 * again after one second, three, or seven. The system has a limit of its own, 4,096 on Linux.
 */
export const LISTEN_BACKLOG = 4096

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use, perhaps by another server',
  EACCES: 'this user may not; ports below 1024 need a privilege',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host name cannot be resolved'
}

/**
 * Runs what starts to listen and turns its failure into a sentence.
 *
 * @param setting flag to choose another address with
 * @throws LogError `conflict`
 */
export async function explainListening<T>(
  { host, port }: ListenAddress,
  setting: string,
  start: () => Promise<T>
): Promise<T> {
  try {
    return await start()
  } catch (err) {
    const { code = '', message } = err as NodeJS.ErrnoException
    const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`
    throw new LogError(
      'conflict',
      `cannot listen on ${shown}: ${REASONS[code] ?? message}. Choose another address with ${setting}`,
      { cause: err }
    )
  }
}

/** Has a server take connections that come together together, where the addon is built. */
export function takeTogether(server: Server): void {
  const { addon } = loadSocketAddon()
  if (addon !== undefined) acceptWaiting(server, addon)
}

/** Starts a plain server. Rejects with what the system says. */
export function startListening(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Port of a server that listens; differs from the one asked for where that was 0. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port // TCP, and listening
}

/** Stops listening and ends the connections, busy or not. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
