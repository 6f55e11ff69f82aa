import { basename } from 'node:path'
import { readTextFile } from '../config/text-file.js'
import { LogError } from '../errors.js'
import { type CalendarEntry, type Expiring, expiryCalendar } from '../trust/expiry.js'
import { TUF_ROLES } from '../tuf/contract.js'
import { expiries } from '../tuf/expiry.js'
import type { Certificate } from '../x509/certificate.js'
import { parseCertificate } from '../x509/certificate.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import type { Parts } from './core.js'
import type { Foundation } from './foundation.js'
import type { OpenTrust } from './trust.js'

/** How often files that somebody else renews are read again. */
const WATCH_MS = 60_000

/** Strangers may ask for it as often as they like, and it reads a dozen documents. */
const FRESH_MS = 1000

/** Everything here that can expire, as of a second ago at most. */
export type Calendar = () => readonly CalendarEntry[]

/** @throws LogError `invalid_request` for a file of trust.watchFiles that cannot be read */
export function createCalendar(parts: Parts, trust: OpenTrust | undefined): Calendar {
  const { config, options } = parts.foundation
  const watched = watchFiles(config.trust.watchFiles, options)
  const read = (): readonly CalendarEntry[] => {
    const { authority, timestamps } = parts
    return expiryCalendar(
      [
        ...chainExpiries('certificate authority', authority?.current().chain.certificates ?? []),
        ...chainExpiries(
          'timestamp authority',
          (timestamps?.chain() ?? []).map((der) => parseCertificate(der))
        ),
        ...(trust === undefined ? [] : tufExpiries(trust)),
        ...watched()
      ],
      Math.floor(options.now() / 1000)
    )
  }
  let last: { readonly atMs: number; readonly entries: readonly CalendarEntry[] } | undefined
  return () => {
    const atMs = options.monotonicMs()
    if (last === undefined || atMs - last.atMs > FRESH_MS) last = { atMs, entries: read() }
    return last.entries
  }
}

/** The first of a chain that ends is the end of it. */
function chainExpiries(what: string, chain: readonly Certificate[]): readonly Expiring[] {
  if (chain.length === 0) return []
  const expiresSeconds = Math.min(...chain.map(({ notAfterSeconds }) => notAfterSeconds))
  return [{ what, expiresSeconds }]
}

function tufExpiries(trust: OpenTrust): readonly Expiring[] {
  const { lifetimes } = trust.signing()
  const renews = TUF_ROLES.filter((role) => role !== 'root' && trust.canSign(role))
  return expiries(trust.repository()).map(({ role, expiresSeconds }) => ({
    what: `TUF ${role}`,
    expiresSeconds,
    ...(renews.includes(role) ? { renewedLifetimeSeconds: lifetimes[role].seconds } : {})
  }))
}

function watchFiles(
  names: string | undefined,
  { monotonicMs, logger }: Foundation['options']
): () => readonly Expiring[] {
  const files = (names ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  let readAtMs = monotonicMs()
  let read = new Map(files.map((file) => [file, readExpiry(file)])) // a wrong name stops the start

  /** A file that is being replaced is not there for a moment: it is believed to be as it was. */
  function readAgain(file: string): readonly Expiring[] {
    try {
      return readExpiry(file)
    } catch (err) {
      logger.warn({ err }, 'a watched file cannot be read')
      return read.get(file) ?? []
    }
  }

  return () => {
    if (monotonicMs() - readAtMs > WATCH_MS) {
      readAtMs = monotonicMs()
      read = new Map(files.map((file) => [file, readAgain(file)]))
    }
    return [...read.values()].flat()
  }
}

function readExpiry(file: string): readonly Expiring[] {
  // Strangers see it too: where it lies is nothing to them.
  return chainExpiries(basename(file), readCertificates(file))
}

function readCertificates(file: string): readonly Certificate[] {
  const text = readTextFile('trust.watchFiles', file)
  try {
    return parseCertificateChainPem(text)
  } catch (err) {
    const problem = err instanceof Error ? err.message : String(err)
    throw new LogError('invalid_request', `trust.watchFiles ${file}: ${problem}`, { cause: err })
  }
}
