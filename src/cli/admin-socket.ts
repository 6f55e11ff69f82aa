import { request } from 'node:http'
import { connect } from 'node:net'
import { socketPath } from '../config/socket-path.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { ERROR_CODES, isLogError, LogError } from '../errors.js'
import type { Administration } from '../site/administration.js'
import type { AdminOperation } from '../site/admin-protocol.js'

/** A rotation may wait for a large batch, and a command for another command. */
const TIMEOUT_MS = 120_000

/**
 * Talks to the server that runs on a data directory.
 * @returns undefined when none does
 */
export async function connectAdministration(path: string): Promise<Administration | undefined> {
  const reachable = socketPath(path)
  if (reachable === undefined) return undefined
  const call = async <Result>(operation: AdminOperation, members: object): Promise<Result> =>
    // What the server of this very version answers has the shape of its own contract.
    (await ask(reachable, operation, members)) as Result
  if (!(await isListened(reachable))) return undefined
  return {
    status: () => call('status', {}),
    rotate: (rotation) => call('rotate', rotation),
    cancelRotation: () => call('cancelRotation', {}),
    draftRoot: (draft) => call('draftRoot', draft),
    publishRoot: (draft, confirmation) => call('publishRoot', { draft, confirmation }),
    draftTargets: () => call('draftTargets', {}),
    publishTargets: (draft) => call('publishTargets', { draft })
  }
}

/** Whether a server is there; a dead one leaves its socket behind. */
function isListened(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (err: NodeJS.ErrnoException) => {
      if (err.code === 'ENOENT' || err.code === 'ECONNREFUSED') resolve(false)
      else reject(new LogError('internal', `${path} cannot be reached: ${err.code ?? err.message}`))
    })
  })
}

async function ask(path: string, operation: AdminOperation, members: object): Promise<unknown> {
  const answer = parseJson(await post(path, operation, JSON.stringify(members)))
  if (!isJsonObject(answer) || !('result' in answer || isJsonObject(answer.error))) {
    throw new LogError('internal', 'the server gave no answer')
  }
  const { error, result } = answer
  if (!isJsonObject(error)) return result
  const code = ERROR_CODES.find((known) => known === error.code) ?? 'internal'
  throw new LogError(code, String(error.message))
}

function post(path: string, operation: AdminOperation, body: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: path, path: `/${operation}`, method: 'POST', timeout: TIMEOUT_MS },
      (response) => {
        const chunks: Uint8Array[] = []
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks)))
        response.on('error', (err) => reject(gone(err)))
      }
    )
    asked.on('timeout', () =>
      asked.destroy(
        new LogError('timeout', `the server did not answer within ${TIMEOUT_MS / 1000} s`)
      )
    )
    asked.on('error', (err) => reject(isLogError(err) ? err : gone(err)))
    asked.end(body)
  })
}

/** Whether it did what it was asked to, nobody knows. */
function gone(cause: Error): LogError {
  return new LogError(
    'upstream',
    `the server is gone: ${cause.message}. Look at sigstead status before you try again`,
    { cause }
  )
}
