import type { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'
import { LogError } from '../errors.js'

/**
 * A body that is not read on this thread: collected in pieces, each with memory of its own, so that handing them to another thread
 * copies nothing.
 */
export interface LargeBody {
  readonly pieces: readonly Uint8Array[]
  readonly byteLength: number
  /** Tells that the memory is free again. More than once does no harm. */
  readonly release: () => void
}

/** Small bodies come in one piece, to be read at once. */
export type CollectedBody = Uint8Array | LargeBody

/** Up to here a body is read in less time than it takes to hand it to another thread. */
export const MAX_SMALL_BODY_BYTES = 64 * 1024

/** So large that there are few of them, and so small that little of the last one is empty. */
const PIECE_BYTES = 1024 * 1024

/** Long enough for a body or two to be done with. */
const RETRY_AFTER_SECONDS = 2

/** Counts what large bodies hold, whoever reads them. */
export interface BodyAllowance {
  /** In bytes, of all bodies. */
  readonly held: number
  /**
   * @param bytes more than this body has already
   * @param own what it has already
   * @throws LogError `overloaded`: unless it is the only one, which is bounded by the limit of a body
   */
  take(bytes: number, own: number): void
  /** As `take`, without taking. */
  assertRoom(bytes: number): void
  give(bytes: number): void
}

/** @param maxBytes what large bodies may hold at once */
export function createBodyAllowance(maxBytes: number): BodyAllowance {
  let held = 0
  function assertRoom(bytes: number, own = 0): void {
    if (held === own || held + bytes <= maxBytes) return
    throw new LogError(
      'overloaded',
      `large requests hold ${held} bytes already, of ${maxBytes} that they may`,
      { details: { retryAfterSeconds: RETRY_AFTER_SECONDS } }
    )
  }
  return {
    get held() {
      return held
    },
    take(bytes, own) {
      assertRoom(bytes, own)
      held += bytes
    },
    assertRoom: (bytes) => assertRoom(bytes),
    give(bytes) {
      held -= bytes
    }
  }
}

export interface CollectOptions {
  /** Larger bodies are refused. */
  readonly maxBytes: number
  /** Without it all bodies are small. */
  readonly allowance: BodyAllowance | undefined
}

type Done = (err: Error | null, body?: CollectedBody) => void

/** Collects the JSON bodies of this scope, of which every handler gets a CollectedBody. */
export function collectBodies(app: FastifyInstance, options: CollectOptions): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', (request, payload, done) => {
    collect(request, payload, options, done)
  })
}

/** Refuses what Fastify refuses where it collects: a body that is larger than it may be, or not as long as it was announced. */
function collect(
  request: Pick<FastifyRequest, 'headers'>,
  payload: IncomingMessage,
  { maxBytes, allowance }: CollectOptions,
  done: Done
): void {
  const announced = Number(request.headers['content-length'])
  if (announced > maxBytes) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    return
  }
  const maxSmall = allowance === undefined ? maxBytes : MAX_SMALL_BODY_BYTES
  const chunks: Uint8Array[] = []
  let received = 0
  let large: LargeCollector | undefined

  if (allowance !== undefined && announced > maxSmall) {
    try {
      // Said at once rather than after most of it was sent. Nothing is taken yet: whoever only announces must not keep others out.
      allowance.assertRoom(announced)
    } catch (err) {
      done(err as LogError)
      return
    }
    large = createLargeCollector(allowance, announced)
  }

  payload.on('data', onData)
  payload.on('end', onEnd)
  payload.on('error', onError)
  payload.resume()

  function onData(chunk: Uint8Array): void {
    received += chunk.length
    if (received > maxBytes) {
      fail(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
      return
    }
    try {
      if (large === undefined && allowance !== undefined && received > maxSmall) {
        large = createLargeCollector(allowance, announced)
        for (const earlier of chunks.splice(0)) large.add(earlier)
      }
      if (large === undefined) chunks.push(chunk)
      else large.add(chunk)
    } catch (err) {
      fail(err as LogError)
    }
  }

  function onEnd(): void {
    if (!Number.isNaN(announced) && received !== announced) {
      fail(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH())
      return
    }
    stop()
    done(null, large === undefined ? Buffer.concat(chunks, received) : large.body())
  }

  function onError(err: FastifyError): void {
    // The client is gone, or what it sent was no HTTP.
    if (!(err.statusCode !== undefined && err.statusCode >= 400)) err.statusCode = 400
    fail(err)
  }

  function fail(err: Error): void {
    stop()
    large?.body().release()
    done(err)
  }

  function stop(): void {
    payload.removeListener('data', onData)
    payload.removeListener('end', onEnd)
    payload.removeListener('error', onError)
  }
}

interface LargeCollector {
  /** @throws LogError `overloaded` */
  add(chunk: Uint8Array): void
  body(): LargeBody
}

/** @param announced bytes of the whole; NaN where nobody knows */
function createLargeCollector(allowance: BodyAllowance, announced: number): LargeCollector {
  const full: Uint8Array[] = []
  let piece = new Uint8Array(0)
  let used = 0
  let taken = 0
  let received = 0

  /** The next piece: as much as is still to come, where that is known. */
  function grow(): void {
    const missing = Number.isNaN(announced) ? PIECE_BYTES : announced - received
    const size = Math.max(1, Math.min(PIECE_BYTES, missing))
    allowance.take(size, taken)
    taken += size
    if (used > 0) full.push(piece)
    piece = Buffer.allocUnsafeSlow(size) // memory of its own, filled before anybody looks at it
    used = 0
  }

  return {
    add(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (used === piece.length) grow()
        const part = chunk.subarray(at, at + piece.length - used)
        piece.set(part, used)
        used += part.length
        at += part.length
        received += part.length
      }
    },
    body() {
      const last = piece.subarray(0, used)
      return {
        pieces: used > 0 ? [...full, last] : full,
        byteLength: received,
        release() {
          allowance.give(taken)
          taken = 0
        }
      }
    }
  }
}
