import { decodeUtf8 } from '../encoding/text.js'
import { parseJson } from '../encoding/json.js'
import { LogError, isLogError } from '../errors.js'

export interface HttpOptions {
  /** Base URL without slash at the end. */
  readonly baseUrl: string
  /** For the whole answer, connecting included. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
}

export interface Ask {
  readonly path: string
  readonly accept: string
  /** Sent as JSON by POST; without it the method is GET. */
  readonly body?: unknown
}

export const DEFAULT_TIMEOUT_MS = 30_000

/** Two thirds of it are one body of the largest size a server takes by default, as base64 in JSON. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** How much of a server's complaint is repeated. */
const MAX_MESSAGE_CHARS = 300

/**
 * Asks a server and reads its whole answer, bounded in time and size. Redirects are not followed: the address is part
 * of what the caller trusts.
 *
 * @throws LogError `not_found` for 404, `invalid_request` for other 4xx and `upstream` for 5xx, with the server's own
 *   message; `upstream` when there is no server, `timeout`, `too_large`
 */
export async function ask(options: HttpOptions, { path, accept, body }: Ask): Promise<Uint8Array> {
  const { baseUrl, timeoutMs = DEFAULT_TIMEOUT_MS, fetch = globalThis.fetch } = options
  const url = `${baseUrl}${path}`
  try {
    const response = await fetch(url, {
      headers: {
        accept,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs)
    })
    const bytes = await readBounded(response)
    if (!response.ok) throw refusal(response.status, bytes, url)
    return bytes
  } catch (err) {
    if (isLogError(err)) throw err
    if (err instanceof Error && err.name === 'TimeoutError') {
      throw new LogError('timeout', `no answer from ${url} within ${timeoutMs} ms`, { cause: err })
    }
    throw new LogError('upstream', `cannot reach ${url}: ${reasonOf(err)}`, { cause: err })
  }
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) {
      throw new LogError('too_large', `the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

function refusal(status: number, bytes: Uint8Array, url: string): LogError {
  const said = messageOf(bytes)
  const text = `${url} answered ${status}${said === undefined ? '' : `: ${said}`}`
  if (status === 404) return new LogError('not_found', text)
  return new LogError(status < 500 ? 'invalid_request' : 'upstream', text)
}

/** Rekor's `message`, made fit for one line of a terminal: it comes from a stranger. */
function messageOf(bytes: Uint8Array): string | undefined {
  try {
    const value = parseJson(decodeUtf8(bytes))
    if (typeof value !== 'object' || value === null || !('message' in value)) return undefined
    if (typeof value.message !== 'string') return undefined
    return value.message.replace(/\p{C}+/gu, ' ').slice(0, MAX_MESSAGE_CHARS)
  } catch {
    return undefined // not JSON: the status has to do
  }
}

/** fetch says "fetch failed" and keeps what happened in causes. */
function reasonOf(err: unknown): string {
  let reason = String(err)
  for (let each: unknown = err; each instanceof Error; each = each.cause) {
    reason = (each as NodeJS.ErrnoException).code ?? each.message
  }
  return reason
}
