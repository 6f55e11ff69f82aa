import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { socketPath } from '../config/socket-path.js'
import { parseJson } from '../encoding/json.js'
import { isLogError, LogError } from '../errors.js'
import type { Administration } from '../site/administration.js'
import { MAX_ADMIN_REQUEST_BYTES, runAdminOperation } from '../site/admin-protocol.js'

/**
 * Listens for the operator's commands on a socket in the data directory, which nobody else can open: folder and socket are
 * the owner's alone. Whoever calls this holds the lock of the directory, so that a socket that is there is a dead one's.
 *
 * @returns how to stop
 */
export async function listenForAdministration(
  path: string,
  administration: Administration,
  logger: Logger
): Promise<() => Promise<void>> {
  const reachable = socketPath(path)
  if (reachable === undefined) {
    logger.warn(
      { path },
      'the path of the admin socket is too long: commands need a stopped server'
    )
    return async () => undefined
  }
  rmSync(reachable, { force: true })
  /** Operations that are being done, until their answers are on their way. */
  const underWay = new Set<Promise<void>>()
  let isStopping = false
  const perform = async (request: IncomingMessage, body: Uint8Array): Promise<unknown> => {
    if (isStopping) throw new LogError('conflict', 'the server is stopping')
    return runAdminOperation(administration, (request.url ?? '').slice(1), parseJson(body))
  }
  const server = createServer((request, response) => {
    void readBody(request).then(
      (body) => {
        const answered = answer(response, perform(request, body), logger)
        underWay.add(answered)
        void answered.then(() => underWay.delete(answered))
      },
      (err: unknown) => {
        // Whoever went away in the middle needs no answer.
        if (isLogError(err)) void answer(response, Promise.reject(err), logger)
        else response.destroy()
      }
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(reachable, resolve)
  })
  chmodSync(reachable, 0o600)
  return async () => {
    isStopping = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await Promise.all(underWay)
    // Somebody may have connected and said nothing, or half of something.
    server.closeAllConnections()
    await closed
  }
}

/** Sends what an operation gives. Settles when that is on its way, or nobody is there any more. */
async function answer(
  response: ServerResponse,
  operation: Promise<unknown>,
  logger: Logger
): Promise<void> {
  let value: unknown
  try {
    value = { result: await operation }
  } catch (err) {
    if (!isLogError(err)) logger.error({ err }, 'an admin command failed')
    const message = err instanceof Error ? err.message : String(err)
    value = { error: { code: isLogError(err) ? err.code : 'internal', message } }
  }
  if (response.destroyed) return
  response.setHeader('content-type', 'application/json')
  response.setHeader('connection', 'close')
  await new Promise<void>((resolve) => {
    response.on('close', resolve)
    response.end(JSON.stringify(value), resolve)
  })
}

/** Reads all of it even where it is too long: whoever is still sending does not see the answer. */
async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length <= MAX_ADMIN_REQUEST_BYTES) chunks.push(chunk)
  }
  if (request.method !== 'POST') throw new LogError('invalid_request', 'requests are POST')
  if (length > MAX_ADMIN_REQUEST_BYTES) {
    throw new LogError('too_large', `a request has at most ${MAX_ADMIN_REQUEST_BYTES} bytes`)
  }
  return Buffer.concat(chunks)
}
