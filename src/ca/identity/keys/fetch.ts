import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { rootCertificates } from 'node:tls'
import { concatBytes } from '../../../encoding/bytes.js'
import { isLogError, LogError } from '../../../errors.js'

/** Gets the body of an answer 200. Rejects with LogError `upstream` or `timeout`. */
export type FetchBytes = (address: string, options: FetchOptions) => Promise<Uint8Array>

export interface FetchOptions {
  /** A longer answer is refused when it reaches this. */
  readonly maximumBytes: number
  /** For everything together: redirects, headers, body. */
  readonly timeoutMs: number
  /** PEM of roots to trust besides those that Node brings; may be empty. */
  readonly certificateAuthority: string
}

/** Providers that redirect do it once, to a path with a slash more or less. */
const MAX_REDIRECTS = 3

const REDIRECTS: readonly (number | undefined)[] = [301, 302, 303, 307, 308]

/**
 * Fetches over http or https, TLS 1.2 at least. A redirect is followed to the same host only and never away from TLS, and
 * nothing that would identify this server is sent along. Addresses may be of a stranger's choosing: an issuer names where
 * its keys are.
 */
export function createFetch(): FetchBytes {
  return async (address, options) => {
    const signal = AbortSignal.timeout(options.timeoutMs)
    try {
      return await fetchFollowing(parseAddress(address), options, signal)
    } catch (err) {
      if (isLogError(err)) throw err
      if (signal.aborted) {
        throw new LogError('timeout', `${address} did not answer within ${options.timeoutMs} ms`, {
          cause: err
        })
      }
      throw new LogError('upstream', `${address}: ${(err as Error).message}`, { cause: err })
    }
  }
}

async function fetchFollowing(
  start: URL,
  options: FetchOptions,
  signal: AbortSignal
): Promise<Uint8Array> {
  let url = start
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send(url, options, signal)
    const { location } = response.headers
    if (!REDIRECTS.includes(response.statusCode) || location === undefined) {
      return readBody(url, response, options.maximumBytes)
    }
    response.destroy()
    const next = parseAddress(location, url)
    if (next.host !== url.host || (url.protocol === 'https:' && next.protocol !== 'https:')) {
      throw new LogError('upstream', `${url.href}: redirect to ${next.origin} blocked`)
    }
    url = next
  }
  throw new LogError('upstream', `${start.href}: more than ${MAX_REDIRECTS} redirects`)
}

function parseAddress(address: string, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new LogError('upstream', `${address} is not an http or https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new LogError('upstream', `${url.origin}: address with user information`)
  }
  return url
}

function send(
  url: URL,
  { certificateAuthority }: FetchOptions,
  signal: AbortSignal
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    signal,
    agent: false,
    headers: { accept: 'application/json', 'accept-encoding': 'identity', connection: 'close' }
  }
  const secure: RequestOptions = {
    ...options,
    minVersion: 'TLSv1.2',
    ...(certificateAuthority === '' ? {} : { ca: [...rootCertificates, certificateAuthority] })
  }
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:' ? httpsRequest(url, secure) : httpRequest(url, options)
    request.on('response', resolve)
    request.on('error', reject)
    request.end()
  })
}

async function readBody(
  url: URL,
  response: IncomingMessage,
  maximumBytes: number
): Promise<Uint8Array> {
  try {
    if (response.statusCode !== 200) {
      throw new LogError('upstream', `${url.href} answered ${response.statusCode}`)
    }
    const encoding = response.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') {
      throw new LogError('upstream', `${url.href} answered in content encoding ${encoding}`)
    }
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > maximumBytes) {
        throw new LogError('upstream', `${url.href} answered more than ${maximumBytes} bytes`)
      }
      chunks.push(chunk)
    }
    return concatBytes(...chunks)
  } finally {
    response.destroy()
  }
}
