import { relative } from 'node:path'

/** What fits into a socket address, with the zero at its end (unix(7): 108 on Linux, 104 elsewhere). */
const MAX_SOCKET_PATH_BYTES = 103

/** A path that can be listened on and connected to, relative where that is shorter; undefined when both are too long. */
export function socketPath(path: string): string | undefined {
  const candidates = [path, relative('.', path)]
  return candidates.find((candidate) => Buffer.byteLength(candidate) <= MAX_SOCKET_PATH_BYTES)
}
