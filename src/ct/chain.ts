import { equalBytes } from '../encoding/bytes.js'
import { isLogError, LogError } from '../errors.js'
import { type CheckData, checkDataHere } from '../keys/check-queue.js'
import { hasSigned } from '../x509/chain.js'
import { type Certificate, parseCertificate } from '../x509/certificate.js'
import { extendedKeyUsagesOf, OID_CODE_SIGNING } from '../x509/extended-key-usage.js'
import { isPrecertificate } from '../x509/precertificate.js'
import type { SubmissionKind } from './contract.js'

/** Chains of certificate authorities have three; every signature costs. */
export const MAX_CHAIN_CERTIFICATES = 10

/** Certificates stay under 10 kB; every byte of one is kept for ever. */
export const MAX_CERTIFICATE_BYTES = 64 * 1024

/** A submission that may be logged. */
export interface CheckedChain {
  readonly submitted: Certificate
  /** The certificate after it; of a self-signed one, itself. */
  readonly issuer: Certificate
  /** DER of everything after the submitted one, the accepted root last. */
  readonly rest: readonly Uint8Array[]
}

/** Checks submitted chains. Remembers what it has read of issuers, who are few. */
export interface ChainChecker {
  /**
   * A log records and does not judge: it asks for an unbroken chain of signatures to an accepted root, each by a certificate
   * that may sign, and that the first one is for signing code. Not for dates, path lengths or other extensions.
   *
   * @param chain DER, the submitted one first; the root may be left out
   * @throws LogError `invalid_request`, `unsupported`, `verification_failed`
   * @see ct-and-tsa §A2
   */
  check(kind: SubmissionKind, chain: readonly Uint8Array[]): Promise<CheckedChain>
}

/**
 * @param roots DER of every accepted root, asked for each submission
 * @param checkData what checks signatures; on this thread unless it says otherwise
 */
export function createChainChecker(
  roots: () => readonly Uint8Array[],
  checkData: CheckData = checkDataHere
): ChainChecker {
  // By the very bytes our own authority hands over again and again; strangers' copies are new every time.
  const read = new WeakMap<Uint8Array, Certificate>()
  const links = new WeakMap<Certificate, WeakSet<Certificate>>()

  function parse(der: Uint8Array, position: number): Certificate {
    const known = read.get(der)
    if (known !== undefined) return known
    const certificate = parseAt(der, position)
    if (position > 0) read.set(der, certificate)
    return certificate
  }

  async function assertIssued(issuer: Certificate, child: Certificate, position: number) {
    const known = links.get(issuer)
    if (known?.has(child) === true) return
    if (!equalBytes(child.issuer, issuer.subject)) {
      throw refused(`certificate ${position} was not issued by the one after it: names differ`)
    }
    if (!(await hasSigned(issuer, child, checkData))) {
      throw refused(
        `certificate ${position} was not signed by the one after it, or that is no certificate authority`
      )
    }
    // Leaves come once; what issued them comes again.
    if (position === 0) return
    if (known === undefined) links.set(issuer, new WeakSet([child]))
    else known.add(child)
  }

  /** The chain with its root, which must be an accepted one. */
  async function complete(chain: readonly Certificate[]): Promise<readonly Certificate[]> {
    const accepted = roots().map((der) => parse(der, 1))
    const last = chain.at(-1)
    if (last === undefined || accepted.some(({ der }) => equalBytes(der, last.der))) return chain
    for (const root of accepted) {
      if (equalBytes(root.subject, last.issuer) && (await hasSigned(root, last, checkData))) {
        return [...chain, root]
      }
    }
    throw refused('the chain does not lead to an accepted root')
  }

  return {
    async check(kind, chain) {
      if (chain.length === 0) throw new LogError('invalid_request', 'chain: empty')
      if (chain.length > MAX_CHAIN_CERTIFICATES) {
        throw new LogError(
          'invalid_request',
          `chain: ${chain.length} certificates, at most ${MAX_CHAIN_CERTIFICATES}`
        )
      }
      const certificates = chain.map(parse)
      const [submitted] = certificates as [Certificate, ...Certificate[]] // not empty
      assertKind(kind, submitted)
      assertPurpose(submitted)
      const full = await complete(certificates)
      for (const [i, child] of full.entries()) {
        const issuer = full[i + 1]
        if (issuer !== undefined) await assertIssued(issuer, child, i)
      }
      const [, issuer = submitted, ...others] = full
      const rest = full.length === 1 ? [] : [issuer, ...others].map(({ der }) => der)
      return { submitted, issuer, rest }
    }
  }
}

function parseAt(der: Uint8Array, position: number): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new LogError(
      'invalid_request',
      `chain[${position}]: certificate of ${der.length} bytes, at most ${MAX_CERTIFICATE_BYTES}`
    )
  }
  try {
    return parseCertificate(der)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError(err.code, `chain[${position}]: ${err.message}`, { cause: err })
  }
}

function assertKind(kind: SubmissionKind, submitted: Certificate): void {
  const found: SubmissionKind = isPrecertificate(submitted) ? 'precertificate' : 'certificate'
  if (found === kind) return
  throw new LogError('invalid_request', `cert / precert mismatch: chain[0] is a ${found}`)
}

function assertPurpose(submitted: Certificate): void {
  if (extendedKeyUsagesOf(submitted)?.includes(OID_CODE_SIGNING) === true) return
  throw refused('chain[0] is not for code signing (extended key usage)')
}

function refused(problem: string): LogError {
  return new LogError('verification_failed', problem)
}
