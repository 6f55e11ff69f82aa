import { formatUtcTime } from '../encoding/utc-time.js'
import { equalBytes } from '../encoding/bytes.js'
import { encodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { type Certificate, findExtension, KNOWN_EXTENSIONS } from './certificate.js'
import { hasSigned } from './chain.js'
import { extendedKeyUsagesOf, OID_EXTENDED_KEY_USAGE } from './extended-key-usage.js'

/** Purpose id-kp-timeStamping. */
export const OID_TIME_STAMPING = '1.3.6.1.5.5.7.3.8'

/** A chain that may sign timestamps. */
export interface TimestampChain {
  /** The signing one first, the root last: two or more. */
  readonly certificates: readonly [Certificate, ...Certificate[]]
  /** All of them in PEM, in that order, each with a newline at the end. */
  readonly pem: string
  /** When the last of them becomes valid, and when the first of them expires; both included. */
  readonly notBeforeSeconds: number
  readonly notAfterSeconds: number
}

/** Longest chain of an authority. */
const MAX_CERTIFICATES = 10

/**
 * Checks that a chain may sign timestamps with a key, now.
 *
 * @param publicKey SubjectPublicKeyInfo DER of the key that will sign
 * @param enforceIntermediateEku whether intermediates must be limited to timestamps
 * @throws LogError `invalid_request` with the texts of ct-and-tsa §C4 where it has some; `unsupported` for the key
 */
export async function checkTimestampChain(
  chain: readonly Certificate[],
  options: {
    readonly publicKey: Uint8Array
    readonly atSeconds: number
    readonly enforceIntermediateEku?: boolean
  }
): Promise<TimestampChain> {
  const { publicKey, atSeconds, enforceIntermediateEku = true } = options
  const [leaf, ...others] = chain
  if (leaf === undefined || others.length === 0) {
    throw refused('certificate chain must contain at least two certificates')
  }
  if (leaf.publicKey.type === 'ed25519') {
    throw new LogError('unsupported', 'an Ed25519 key cannot sign timestamps that clients accept')
  }
  if (!equalBytes(leaf.publicKey.spki, publicKey)) {
    throw refused('the key is not that of the first certificate: public keys are not equal')
  }
  await verifyTimestampChain([leaf, ...others], { atSeconds, enforceIntermediateEku })
  return {
    certificates: [leaf, ...others],
    pem: chain.map(({ der }) => encodePem('CERTIFICATE', der)).join(''),
    notBeforeSeconds: Math.max(...chain.map(({ notBeforeSeconds }) => notBeforeSeconds)),
    notAfterSeconds: Math.min(...chain.map(({ notAfterSeconds }) => notAfterSeconds))
  }
}

/**
 * Checks that the first certificate may sign timestamps at a time, as far as the root that is the last: whether that one
 * deserves trust is for the caller to know.
 *
 * @throws LogError `invalid_request` with the texts of ct-and-tsa §C4 where it has some
 */
export async function verifyTimestampChain(
  chain: readonly [Certificate, ...Certificate[]],
  options: { readonly atSeconds: number; readonly enforceIntermediateEku: boolean }
): Promise<void> {
  const [leaf, ...issuers] = chain
  if (chain.length > MAX_CERTIFICATES) {
    throw refused(`certificate chain must contain at most ${MAX_CERTIFICATES} certificates`)
  }
  if (leaf.basicConstraints?.isCa === true) {
    throw refused('leaf certificate must be an end-entity certificate, not a CA')
  }
  for (const certificate of issuers) {
    if (certificate.basicConstraints?.isCa !== true) {
      throw refused('certificate is not a CA certificate')
    }
  }
  for (const [i, certificate] of chain.entries()) {
    await assertLink(chain, i, options.atSeconds)
    const isIntermediate = i > 0 && i < chain.length - 1
    if (isIntermediate && options.enforceIntermediateEku) assertTimeStamping(certificate)
  }
  assertLeafUsage(leaf)
}

/** Whether one certificate is valid, was signed by the next, and leaves room for those below it. */
async function assertLink(
  chain: readonly Certificate[],
  i: number,
  atSeconds: number
): Promise<void> {
  const certificate = chain[i] as Certificate // i is within
  const name = `certificate ${i} of the chain`
  const issuer = chain[i + 1] ?? certificate
  const { notBeforeSeconds, notAfterSeconds, basicConstraints, extensions } = certificate
  if (atSeconds < notBeforeSeconds) {
    throw refused(`${name} is valid only from ${formatUtcTime(notBeforeSeconds)}`)
  }
  if (atSeconds > notAfterSeconds) {
    throw refused(`${name} expired at ${formatUtcTime(notAfterSeconds)}`)
  }
  if (extensions.some(({ oid, critical }) => critical && !KNOWN_EXTENSIONS.includes(oid))) {
    throw refused(`${name} has an unhandled critical extension`)
  }
  const limit = basicConstraints?.maxPathLength
  if (limit !== undefined && i - 1 > limit) {
    throw refused(`${name}: too many intermediates for its path length constraint`)
  }
  if (!equalBytes(certificate.issuer, issuer.subject) || !(await hasSigned(issuer, certificate))) {
    throw refused(
      issuer === certificate
        ? 'the last certificate of the chain is not a self-signed root'
        : `${name} was not signed by the next one`
    )
  }
}

function assertLeafUsage(leaf: Certificate): void {
  const usages = extendedKeyUsagesOf(leaf)
  if (usages !== undefined && usages.length !== 1) {
    throw refused('certificate should only contain one EKU')
  }
  assertTimeStamping(leaf)
  if (findExtension(leaf.extensions, OID_EXTENDED_KEY_USAGE)?.critical !== true) {
    throw refused('certificate must set EKU to critical')
  }
}

function assertTimeStamping(certificate: Certificate): void {
  if (extendedKeyUsagesOf(certificate)?.includes(OID_TIME_STAMPING) !== true) {
    throw refused(
      'certificate must have extended key usage timestamping set to sign timestamping certificates'
    )
  }
}

function refused(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
