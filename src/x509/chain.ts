import { formatUtcTime } from '../encoding/utc-time.js'
import { equalBytes } from '../encoding/bytes.js'
import { isLogError, LogError } from '../errors.js'
import { readEcdsaSignature } from '../keys/ecdsa-signature.js'
import { type CheckData, checkDataHere } from '../keys/check-queue.js'
import type { PublicKey } from '../keys/public-key.js'
import type { HashName } from '../keys/verify.js'
import {
  type Certificate,
  findExtension,
  KNOWN_EXTENSIONS,
  OID_NAME_CONSTRAINTS,
  OID_SUBJECT_ALT_NAME
} from './certificate.js'

/** Signature algorithms a chain may use: Go's, without SHA-1, which it refuses, and without PSS. */
const SIGNATURE_ALGORITHMS: readonly {
  readonly oid: string
  readonly keyType: PublicKey['type']
  readonly hash: HashName
}[] = [
  { oid: '1.2.840.113549.1.1.11', keyType: 'rsa', hash: 'sha256' },
  { oid: '1.2.840.113549.1.1.12', keyType: 'rsa', hash: 'sha384' },
  { oid: '1.2.840.113549.1.1.13', keyType: 'rsa', hash: 'sha512' },
  { oid: '1.2.840.10045.4.3.2', keyType: 'ecdsa', hash: 'sha256' },
  { oid: '1.2.840.10045.4.3.3', keyType: 'ecdsa', hash: 'sha384' },
  { oid: '1.2.840.10045.4.3.4', keyType: 'ecdsa', hash: 'sha512' },
  { oid: '1.3.101.112', keyType: 'ed25519', hash: 'sha512' }
]

/**
 * Checks that the first certificate chains to the last, through any of those between, at the time the first became valid
 * (so expired certificates pass). Says that the chain is one, not that its root deserves trust: the submitter chose it.
 *
 * Name constraints are not implemented; a chain that carries them is refused rather than half checked.
 *
 * @param chain two certificates or more; shorter ones pass, there is nothing to check
 * @throws LogError `verification_failed` with Go's texts, `unsupported`
 * @see RFC 5280 section 6, rekor-v1 §7.1
 */
export async function verifyChain(chain: readonly Certificate[]): Promise<void> {
  const [leaf, ...others] = chain
  const root = others.pop()
  if (leaf === undefined || root === undefined) return
  if (
    chain.some(({ extensions }) => findExtension(extensions, OID_NAME_CONSTRAINTS) !== undefined)
  ) {
    throw new LogError('unsupported', 'x509: chains with name constraints are not supported')
  }
  assertValid(leaf, 'leaf', [], leaf.notBeforeSeconds)
  if (equalBytes(leaf.der, root.der)) return
  if (
    !(await buildChain([leaf], { root, intermediates: others, atSeconds: leaf.notBeforeSeconds }))
  ) {
    throw failed('certificate signed by unknown authority')
  }
}

interface Pool {
  readonly root: Certificate
  readonly intermediates: readonly Certificate[]
  readonly atSeconds: number
}

/**
 * Whether the chain so far can be continued to the root. Every certificate is used once at most, so the search ends; it is
 * small because a chain is at most ten long.
 *
 * @throws LogError `verification_failed` when the last certificate that signed could not be an issuer
 */
async function buildChain(soFar: readonly Certificate[], pool: Pool): Promise<boolean> {
  const child = soFar[soFar.length - 1]
  let problem: LogError | undefined
  for (const candidate of [pool.root, ...pool.intermediates]) {
    if (child === undefined || soFar.includes(candidate)) continue
    if (!equalBytes(child.issuer, candidate.subject)) continue
    if (!(await hasSigned(candidate, child))) continue
    const isRoot = candidate === pool.root
    try {
      assertValid(candidate, isRoot ? 'root' : 'intermediate', soFar, pool.atSeconds)
      if (isRoot || (await buildChain([...soFar, candidate], pool))) return true
    } catch (err) {
      if (!isLogError(err)) throw err
      problem = err
    }
  }
  if (problem !== undefined) throw problem
  return false
}

function assertValid(
  certificate: Certificate,
  role: 'leaf' | 'intermediate' | 'root',
  below: readonly Certificate[],
  atSeconds: number
): void {
  if (certificate.extensions.some((extension) => isUnhandledCritical(certificate, extension))) {
    throw failed('unhandled critical extension')
  }
  const { notBeforeSeconds, notAfterSeconds, basicConstraints } = certificate
  const expired = 'certificate has expired or is not yet valid: current time'
  if (atSeconds < notBeforeSeconds) {
    throw failed(
      `${expired} ${formatUtcTime(atSeconds)} is before ${formatUtcTime(notBeforeSeconds)}`
    )
  }
  if (atSeconds > notAfterSeconds) {
    throw failed(
      `${expired} ${formatUtcTime(atSeconds)} is after ${formatUtcTime(notAfterSeconds)}`
    )
  }
  if (role === 'intermediate' && basicConstraints?.isCa !== true) {
    throw failed('certificate is not authorized to sign other certificates')
  }
  const maxPathLength = basicConstraints?.maxPathLength
  // The leaf does not count.
  if (role !== 'leaf' && maxPathLength !== undefined && below.length - 1 > maxPathLength) {
    throw failed('too many intermediates for path length constraint')
  }
}

function isUnhandledCritical(
  { subjectAltName }: Certificate,
  { critical, oid }: Certificate['extensions'][number]
): boolean {
  if (!critical) return false
  if (oid === OID_SUBJECT_ALT_NAME) return !subjectAltName.hasStandardName
  return !KNOWN_EXTENSIONS.includes(oid)
}

/**
 * Whether `issuer` may sign certificates and has signed this one. Names and times are not looked at.
 *
 * @param checkData what checks the signature itself; on this thread unless it says otherwise
 */
export async function hasSigned(
  issuer: Certificate,
  child: Certificate,
  checkData: CheckData = checkDataHere
): Promise<boolean> {
  // A version 3 certificate without basic constraints is no CA; older ones have no such extension.
  const isCa = issuer.basicConstraints?.isCa ?? issuer.extensions.length === 0
  if (!isCa || !issuer.mayCertSign) return false
  const algorithm = SIGNATURE_ALGORITHMS.find(({ oid }) => oid === child.signatureAlgorithmOid)
  if (algorithm?.keyType !== issuer.publicKey.type) return false
  try {
    if (algorithm.keyType === 'ecdsa' && readEcdsaSignature(child.signature).encoding !== 'ASN.1') {
      return false
    }
    await checkData({
      key: issuer.publicKey,
      hashName: algorithm.hash,
      data: child.tbs,
      signature: child.signature
    })
    return true
  } catch (err) {
    // That OpenSSL failed says nothing of the signature.
    if (!isLogError(err) || err.code === 'internal') throw err
    return false
  }
}

function failed(problem: string): LogError {
  return new LogError('verification_failed', `x509: ${problem}`)
}
