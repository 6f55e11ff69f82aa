import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { equalBytes } from '../encoding/bytes.js'
import { LogError } from '../errors.js'

/** Where a time server listens. */
export interface NtpServer {
  /** Name or address. */
  readonly host: string
  readonly port: number
}

/** What one server says about our clock. */
export interface ClockReading {
  /** Milliseconds its clock is ahead of ours; negative: behind. */
  readonly offsetMs: number
  readonly roundTripMs: number
}

export interface SntpQuery {
  readonly server: NtpServer
  readonly timeoutMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly monotonicMs: () => number
  /** Unpredictable bytes: only the server may know what it is to answer. */
  readonly randomBytes: (length: number) => Uint8Array
  readonly signal: AbortSignal
}

const PACKET_BYTES = 48

/** No leap second announced, version 4, mode client. */
const CLIENT_HEADER = 0x23
const MODE_SERVER = 4
const LEAP_UNSYNCHRONISED = 3
/** 0 is a refusal, 16 and more a clock that follows nothing. */
const MAX_STRATUM = 15

/** From 1900, where NTP counts from, to 1970. */
const EPOCH_SECONDS = 2_208_988_800
const ERA_SECONDS = 2 ** 32

/**
 * Asks a time server once.
 *
 * @throws LogError `timeout`; `upstream` when it cannot be reached, or is not synchronised itself
 * @see RFC 4330 section 5, RFC 5905
 */
export async function querySntp(query: SntpQuery): Promise<ClockReading> {
  const { server, timeoutMs, signal } = query
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  let socket: Socket | undefined
  try {
    return await unlessAborted(deadline, async () => {
      const { address, family } = await lookup(server.host)
      deadline.throwIfAborted()
      socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      return exchange(socket, { ...server, host: address }, query)
    })
  } catch (err) {
    if (deadline.aborted) {
      throw new LogError('timeout', `time server ${server.host} did not answer`, { cause: err })
    }
    if (err instanceof LogError) throw err
    throw new LogError('upstream', `time server ${server.host} cannot be reached`, { cause: err })
  } finally {
    socket?.close()
  }
}

/** Rejects when `signal` is aborted, whatever becomes of the action: a name lookup cannot be ended. */
function unlessAborted<Result>(
  signal: AbortSignal,
  action: () => Promise<Result>
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    action()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

function exchange(
  socket: Socket,
  { host, port }: NtpServer,
  { now, monotonicMs, randomBytes }: SntpQuery
): Promise<ClockReading> {
  return new Promise((resolve, reject) => {
    const request = new Uint8Array(PACKET_BYTES)
    request[0] = CLIENT_HEADER
    // Instead of our time, which is nobody's business: the server sends it back as it is.
    const cookie = randomBytes(8)
    request.set(cookie, 40)
    let sentMs = 0
    let startedMs = 0
    socket.on('error', reject)
    socket.on('message', (message) => {
      const roundTripMs = monotonicMs() - startedMs
      const answer = Uint8Array.from(message)
      // Not an answer to this question: a stranger, or a late one. The real one may still come.
      if (answer.length < PACKET_BYTES || !equalBytes(answer.subarray(24, 32), cookie)) return
      try {
        resolve(readAnswer(answer, host, sentMs, roundTripMs))
      } catch (err) {
        reject(err instanceof Error ? err : new Error(String(err)))
      }
    })
    // Connected: the system passes on what comes from there only, and says when nobody listens.
    socket.connect(port, host, () => {
      sentMs = now()
      startedMs = monotonicMs()
      socket.send(request)
    })
  })
}

function readAnswer(
  answer: Uint8Array,
  host: string,
  sentMs: number,
  roundTripMs: number
): ClockReading {
  const [header = 0, stratum = 0] = answer
  const isSynchronised =
    (header & 7) === MODE_SERVER &&
    header >> 6 !== LEAP_UNSYNCHRONISED &&
    stratum >= 1 &&
    stratum <= MAX_STRATUM
  if (!isSynchronised) {
    throw new LogError('upstream', `time server ${host} has no time to give`)
  }
  const receivedMs = readTimestampMs(answer, 32)
  const repliedMs = readTimestampMs(answer, 40)
  return {
    offsetMs: (receivedMs - sentMs + (repliedMs - (sentMs + roundTripMs))) / 2,
    roundTripMs
  }
}

/** Seconds and fraction, 32 bits each. Small seconds are of the era that begins in 2036. */
function readTimestampMs(packet: Uint8Array, offset: number): number {
  const view = new DataView(packet.buffer, packet.byteOffset + offset, 8)
  const seconds = view.getUint32(0)
  const era = seconds < ERA_SECONDS / 2 ? ERA_SECONDS : 0
  const fraction = view.getUint32(4) / ERA_SECONDS
  return (seconds + era - EPOCH_SECONDS + fraction) * 1000
}
