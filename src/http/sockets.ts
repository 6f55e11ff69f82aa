import { createRequire } from 'node:module'
import type { Server, Socket } from 'node:net'

/** What `native/src/sockets.c` exports. */
export interface SocketAddon {
  /** A further descriptor of the same connection. It is not inherited by other programs. @throws Error what the system says */
  duplicate(descriptor: number): number
  /** Descriptor of a connection that waits at a socket that listens; -1 where none can be taken now. */
  accept(listening: number): number
}

export type LoadedSocketAddon =
  | { readonly addon: SocketAddon; readonly problem?: never }
  | { readonly addon?: never; readonly problem: string }

/** The same way from src/front as from dist/front. */
const ADDON = '../../native/build/Release/sigstead_sockets.node'

/**
 * Loads what gives us descriptors of connections.
 *
 * @param load as `require` of this module; tests bring their own
 * @returns the addon, or in a few words why there is none
 */
export function loadSocketAddon(
  load: (path: string) => unknown = createRequire(import.meta.url)
): LoadedSocketAddon {
  try {
    return { addon: load(ADDON) as SocketAddon } // built with this very interface
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException // what `require` throws
    if (code === 'MODULE_NOT_FOUND') {
      return { problem: 'the native addon was not built; npm run build:native says why' }
    }
    return { problem: `the native addon does not load: ${message.split('\n')[0]}` }
  }
}

/** Descriptor of a connection, or of a server that listens; undefined where the system has none, or it is not one of the system. */
export function descriptorOf(socket: Socket | Server): number | undefined {
  // Not documented, and there since Node 0.x: libuv has descriptors on every system but Windows, where it is absent or -1.
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: number } | null }
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined
}
