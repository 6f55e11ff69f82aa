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
  const server = createServer((request, response) => {
    void answer(request, response, administration, logger)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(reachable, resolve)
  })
  chmodSync(reachable, 0o600)
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
    })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  administration: Administration,
  logger: Logger
): Promise<void> {
  let value: unknown
  try {
    if (request.method !== 'POST') throw new LogError('invalid_request', 'requests are POST')
    const body = await readBody(request)
    const operation = (request.url ?? '').slice(1)
    value = { result: await runAdminOperation(administration, operation, parseJson(body)) }
  } catch (err) {
    if (!isLogError(err)) logger.error({ err }, 'an admin command failed')
    const message = err instanceof Error ? err.message : String(err)
    value = { error: { code: isLogError(err) ? err.code : 'internal', message } }
  }
  response.setHeader('content-type', 'application/json')
  response.setHeader('connection', 'close')
  response.end(JSON.stringify(value))
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_ADMIN_REQUEST_BYTES) {
      throw new LogError('too_large', `a request has at most ${MAX_ADMIN_REQUEST_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
