import { LogError } from '../errors.js'
import type { TimestampRequest } from '../x509/timestamp-request.js'
import { buildTimestampResponse, type TimestampSigner } from '../x509/timestamp-response.js'
import { TSA_MESSAGES } from './client-messages.js'
import type { ActiveTimestampSigner, TimestampAuthority } from './contract.js'
import type { TimestampClock } from './timestamp-clock.js'

export interface TimestampAuthorityOptions {
  readonly authority: ActiveTimestampSigner
  readonly policies: {
    /** For requests that name none. Dotted; always accepted. */
    readonly defaultOid: string
    readonly acceptedOids: readonly string[]
  }
  /** Whole seconds; undefined: nothing is said about it. */
  readonly accuracySeconds: number | undefined
  /** Whether extensions of requests are copied into timestamps; otherwise such requests are refused. */
  readonly allowExtensions: boolean
  readonly limits: {
    /** Requests being signed at one time; more are told to come back. */
    readonly maxPending: number
  }
  readonly clock: TimestampClock
  /** Why the time cannot be relied on at present, if somebody else says so. */
  readonly timeProblem?: () => string | undefined
  /** Unpredictable bytes. */
  readonly randomBytes: (length: number) => Uint8Array
}

/** Octets of a serial number: as many as nobody draws twice. */
const SERIAL_BYTES = 20

/** So that a clock set back is noticed, and told, before somebody wants a timestamp. */
const CHECK_CLOCK_MS = 10_000

const RETRY_AFTER_SECONDS = 1

/**
 * A timestamp authority: says that a digest existed at a time, to anybody who asks.
 * @see RFC 3161, ct-and-tsa Part C
 */
export function createTimestampAuthority(options: TimestampAuthorityOptions): TimestampAuthority {
  const { authority, policies, clock, limits, randomBytes } = options
  const accepted = new Set([policies.defaultOid, ...policies.acceptedOids])
  const timer = setInterval(() => clock.check(), CHECK_CLOCK_MS)
  timer.unref()
  let pending = 0

  function assertPermitted({ policyOid, extensions }: TimestampRequest): void {
    if (policyOid !== undefined && !accepted.has(policyOid)) {
      throw new LogError('unsupported', TSA_MESSAGES.policy)
    }
    if (extensions.length > 0 && !options.allowExtensions) {
      throw new LogError('unsupported', TSA_MESSAGES.extension)
    }
    if (pending >= limits.maxPending) {
      throw new LogError('overloaded', 'too many timestamps are being signed: try again', {
        details: { retryAfterSeconds: RETRY_AFTER_SECONDS }
      })
    }
  }

  async function sign(request: TimestampRequest): Promise<Uint8Array> {
    const problem = options.timeProblem?.()
    if (problem !== undefined) throw new LogError('internal', problem)
    const signer = authority()
    const { seconds, recorded } = clock.next()
    // Signing and recording take their time side by side. If we die in between, a time is recorded that nobody saw.
    const [response] = await Promise.all([
      signIfValid(signer, request, {
        policyOid: request.policyOid ?? policies.defaultOid,
        serialNumber: randomBytes(SERIAL_BYTES),
        genTimeSeconds: seconds,
        accuracySeconds: options.accuracySeconds
      }),
      recorded
    ])
    return response
  }

  return {
    async issue(request) {
      assertPermitted(request)
      pending++
      try {
        return await sign(request)
      } finally {
        pending--
      }
    },
    chainPem: () => authority().chain.pem,
    notAfterSeconds: () => authority().chain.notAfterSeconds,
    close: () => clearInterval(timer)
  }
}

/** A timestamp outside of the validity of its certificates is worth nothing to anybody. */
async function signIfValid(
  signer: TimestampSigner,
  request: TimestampRequest,
  statement: Parameters<typeof buildTimestampResponse>[2]
): Promise<Uint8Array> {
  const { notBeforeSeconds, notAfterSeconds } = signer.chain
  const { genTimeSeconds, accuracySeconds = 0 } = statement
  if (genTimeSeconds - accuracySeconds < notBeforeSeconds || genTimeSeconds > notAfterSeconds) {
    throw new LogError('internal', 'the certificates of the timestamp authority are not valid now')
  }
  return buildTimestampResponse(signer, request, statement)
}
