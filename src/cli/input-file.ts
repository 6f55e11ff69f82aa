import { closeSync, openSync, readSync } from 'node:fs'
import { LogError } from '../errors.js'

const CHUNK_BYTES = 64 * 1024

/**
 * Bytes of a file that somebody names; a pipe will do.
 *
 * @throws LogError `invalid_request` when it cannot be read, `too_large` as soon as it is more than `maxBytes`
 */
export function readInput(fileName: string, maxBytes: number): Uint8Array {
  let descriptor: number | undefined
  try {
    descriptor = openSync(fileName, 'r')
    const chunks: Uint8Array[] = []
    let length = 0
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES)
      const count = readSync(descriptor, chunk)
      if (count === 0) return Uint8Array.from(Buffer.concat(chunks))
      length += count
      if (length > maxBytes) {
        throw new LogError('too_large', `${fileName} is larger than ${maxBytes} bytes`)
      }
      chunks.push(chunk.subarray(0, count))
    }
  } catch (err) {
    if (err instanceof LogError) throw err
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code}`
    throw new LogError(
      'invalid_request',
      `${fileName === '' ? 'a file without a name' : fileName} ${why}`,
      { cause: err }
    )
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
