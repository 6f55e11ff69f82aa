import { randomInt } from 'node:crypto'
import type { Config } from '../config/schema.js'
import { isLogError, LogError } from '../errors.js'
import type { TimestampAuthority, TimestampEvent } from '../tsa/contract.js'
import { createSignQueue } from '../keys/sign-queue.js'
import { createGenTimeRecord } from '../tsa/gen-time-record.js'
import { type NtpMonitor, startNtpMonitor } from '../tsa/ntp-monitor.js'
import { parseNtpServer } from '../tsa/ntp-server.js'
import { type NtpServer, querySntp } from '../tsa/sntp-client.js'
import { createTimestampAuthority } from '../tsa/timestamp-authority.js'
import { createTimestampClock, type TimestampClock } from '../tsa/timestamp-clock.js'
import { checkTimestampChain } from '../x509/timestamp-chain.js'
import { createTimestampSigner, type TimestampSigner } from '../x509/timestamp-response.js'
import { readActiveAuthority } from './active-authority.js'
import type { Foundation } from './foundation.js'

// As upstream asks them (ct-and-tsa §C6).
const NTP = {
  serversPerRound: 4,
  attempts: 3,
  timeoutMs: 5000,
  threshold: 3,
  maxDeltaSeconds: 6,
  periodSeconds: 60
}

const DAY_SECONDS = 86_400

/** What upstream's metrics call a round without agreement. */
const NTP_ERRORS = { too_few: 'err_too_few', invalid_time: 'err_inv_time' } as const

/** The timestamp authority with what is needed to replace what signs. */
export interface OpenTimestamps {
  readonly timestamps: TimestampAuthority
  /** DER of the chain that signs now, the signing certificate first. */
  readonly chain: () => readonly Uint8Array[]
  /** Lets what the database names sign from now on. */
  readonly reload: () => Promise<void>
}

/** Opens the timestamp authority. @throws LogError that says what to do */
export async function openTimestampAuthority(foundation: Foundation): Promise<OpenTimestamps> {
  const { config, options, database, metrics, closers } = foundation
  const { now, monotonicMs, randomBytes } = options
  const { tsa } = config
  let signer = await readSigner(foundation)
  const clock = await createTimestampClock({
    now,
    monotonicMs,
    record: createGenTimeRecord(database.register),
    maxStepBackSeconds: tsa.maxClockStepBackSeconds,
    observer: (event) => tellClock(event, foundation)
  })
  const monitor = watchTimeServers(foundation, clock)
  const authority = createTimestampAuthority({
    authority: () => signer,
    policies: { defaultOid: tsa.defaultPolicyOid, acceptedOids: listOf(tsa.acceptedPolicyOids) },
    accuracySeconds: tsa.accuracySeconds === 0 ? undefined : tsa.accuracySeconds,
    allowExtensions: tsa.allowExtensions,
    limits: { maxPending: tsa.maxPending },
    clock,
    timeProblem: () => monitor?.problem(),
    randomBytes
  })
  closers.push(async () => authority.close())
  metrics.timestamps.watchCertificate(
    () => (authority.notAfterSeconds() - now() / 1000) / DAY_SECONDS
  )
  return {
    timestamps: authority,
    chain: () => signer.chain.certificates.map(({ der }) => der),
    reload: async () => {
      signer = await readSigner(foundation)
    }
  }
}

async function readSigner(foundation: Foundation): Promise<TimestampSigner> {
  const { signer, certificates, atSeconds } = await readActiveAuthority(foundation, 'tsa')
  const chain = await checkTimestampChain(certificates, { publicKey: signer.publicKey, atSeconds })
  return createTimestampSigner({
    chain,
    signer: createSignQueue(signer),
    includeChain: foundation.config.tsa.includeChain
  })
}

function tellClock(event: TimestampEvent, { options, metrics }: Foundation): void {
  const { logger } = options
  switch (event.type) {
    case 'clock_stepped_back':
      metrics.timestamps.clockStep('back')
      logger.error(event, 'the clock was set back: timestamps are refused until it is right again')
      return
    case 'clock_stepped_forward':
      metrics.timestamps.clockStep('forward')
      logger.warn(event, 'the clock was set forward')
      return
    case 'clock_recovered':
      logger.info('the clock is right again')
  }
}

/** @returns undefined when nobody is to be asked */
function watchTimeServers(
  { config, options, metrics, closers }: Foundation,
  clock: TimestampClock
): NtpMonitor | undefined {
  const servers = listOf(config.tsa.ntp.servers).map(readServer)
  if (servers.length === 0) return undefined
  const { now, monotonicMs, randomBytes, logger } = options
  const monitor = startNtpMonitor({
    servers,
    ...NTP,
    serversPerRound: Math.min(NTP.serversPerRound, servers.length),
    threshold: Math.min(NTP.threshold, servers.length),
    onDisagreement: config.tsa.ntp.onDisagreement,
    query: (server, signal) =>
      querySntp({ server, timeoutMs: NTP.timeoutMs, now, monotonicMs, randomBytes, signal }),
    monotonicMs,
    randomBelow: (limit) => randomInt(limit),
    onAgreement: () => clock.confirm(),
    observer: (event) => {
      if (event.type === 'answer') metrics.timestamps.ntpAnswer(event)
      else if (event.verdict !== 'agrees') {
        metrics.timestamps.ntpError(NTP_ERRORS[event.verdict])
        logger.warn({ verdict: event.verdict }, 'time servers do not confirm the clock')
      }
    }
  })
  closers.push(() => monitor.close())
  return monitor
}

function readServer(text: string): NtpServer {
  try {
    return parseNtpServer(text)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('invalid_request', `tsa.ntp.servers: ${err.message}`, { cause: err })
  }
}

function listOf(text: Config['tsa']['acceptedPolicyOids']): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
