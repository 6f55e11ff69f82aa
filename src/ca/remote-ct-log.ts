import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { rootCertificates } from 'node:tls'
import { encodeBase64 } from '../encoding/base64.js'
import { concatBytes } from '../encoding/bytes.js'
import { parseJson } from '../encoding/json.js'
import { isLogError, LogError } from '../errors.js'
import type { SignedCertificateTimestamp } from '../x509/sct.js'
import { parseSctJson } from '../x509/sct-json.js'
import type { SubmitChain } from './contract.js'

export interface RemoteCtLogOptions {
  /** Base URL; `/ct/v1/…` is appended. */
  readonly url: string
  /** PEM of TLS roots beside Node's own; may be empty. */
  readonly certificateAuthority: string
  /** For one submission with all its attempts. Default: as long as Fulcio waits. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 30_000

/** A timestamp takes some 300 bytes. */
const MAX_ANSWER_BYTES = 64 * 1024

/** Answers after which another attempt makes sense (fulcio §14). */
const TRY_AGAIN = [408, 429, 503]

/** Between attempts, unless the log asks for more. */
const PAUSE_MS = 500

const PATHS = { certificate: 'add-chain', precertificate: 'add-pre-chain' } as const

/** One try: the timestamp, or why there is none and when to try again. */
type Attempt =
  | { readonly sct: SignedCertificateTimestamp }
  | { readonly problem: string; readonly pauseMs: number }

/**
 * Submits to a certificate log elsewhere. No redirects, no credentials. What it answers is not verified here.
 *
 * The function rejects with LogError `upstream` when the log refuses or answers something else, `timeout`
 */
export function createRemoteCtLog(options: RemoteCtLogOptions): SubmitChain {
  const { timeoutMs = TIMEOUT_MS } = options
  return async (kind, chain) => {
    const url = new URL(`${options.url.replace(/\/+$/, '')}/ct/v1/${PATHS[kind]}`)
    const body = JSON.stringify({ chain: chain.map(encodeBase64) })
    const signal = AbortSignal.timeout(timeoutMs)
    const endMs = performance.now() + timeoutMs
    let problem = 'no answer'
    try {
      for (;;) {
        const attempt = await tryOnce(url, body, options, signal)
        if ('sct' in attempt) return attempt.sct
        problem = attempt.problem
        // A client waits: when the log asks for more time than there is, it may know now.
        if (attempt.pauseMs >= endMs - performance.now()) break
        await sleep(attempt.pauseMs, undefined, { signal })
      }
    } catch (err) {
      if (isLogError(err)) throw err
      throw outOfTime(err)
    }
    throw outOfTime()

    function outOfTime(cause?: unknown): LogError {
      return new LogError('timeout', `${url.href}: ${problem}, within ${timeoutMs} ms`, { cause })
    }
  }
}

async function tryOnce(
  url: URL,
  body: string,
  options: RemoteCtLogOptions,
  signal: AbortSignal
): Promise<Attempt> {
  let response: IncomingMessage | undefined
  try {
    response = await post(url, body, options, signal)
    const { statusCode = 0, headers } = response
    if (TRY_AGAIN.includes(statusCode)) {
      const seconds = Number(headers['retry-after'])
      const pauseMs = Number.isSafeInteger(seconds) ? Math.max(PAUSE_MS, seconds * 1000) : PAUSE_MS
      return { problem: `answered ${statusCode}`, pauseMs }
    }
    if (statusCode !== 200) throw new LogError('upstream', `${url.href} answered ${statusCode}`)
    return { sct: readSct(url, await readAnswer(url, response)) }
  } catch (err) {
    if (signal.aborted || isLogError(err)) throw err
    // No connection, or one that broke off in the middle of the answer.
    return { problem: (err as Error).message, pauseMs: PAUSE_MS }
  } finally {
    response?.destroy()
  }
}

function post(
  url: URL,
  body: string,
  { certificateAuthority }: RemoteCtLogOptions,
  signal: AbortSignal
): Promise<IncomingMessage> {
  const options = {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'accept-encoding': 'identity'
    }
  }
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, {
            ...options,
            minVersion: 'TLSv1.2',
            ...(certificateAuthority === ''
              ? {}
              : { ca: [...rootCertificates, certificateAuthority] })
          })
        : httpRequest(url, options)
    request.on('response', resolve)
    request.on('error', reject)
    request.end(body)
  })
}

async function readAnswer(url: URL, response: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > MAX_ANSWER_BYTES) {
      throw new LogError('upstream', `${url.href} answered more than ${MAX_ANSWER_BYTES} bytes`)
    }
    parts.push(part)
  }
  return concatBytes(...parts)
}

function readSct(url: URL, answer: Uint8Array): SignedCertificateTimestamp {
  try {
    return parseSctJson(parseJson(answer))
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('upstream', `${url.href} answered no timestamp: ${err.message}`, {
      cause: err
    })
  }
}
