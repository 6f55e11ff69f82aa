import { formatUtcTime } from '../encoding/utc-time.js'
import { equalBytes } from '../encoding/bytes.js'
import { decodePem, encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import { findWeakness } from '../keys/weak-key.js'
import { subjectKeyIdOfCertificate } from './ca-certificate.js'
import {
  type Certificate,
  findExtension,
  KNOWN_EXTENSIONS,
  OID_NAME_CONSTRAINTS,
  parseCertificate
} from './certificate.js'
import { hasSigned } from './chain.js'
import { extendedKeyUsagesOf, OID_CODE_SIGNING } from './extended-key-usage.js'

/** A chain that may issue, with what every certificate below it needs of it. */
export interface IssuingChain {
  /** The issuing one first, the root last; one only where the root issues. */
  readonly certificates: readonly [Certificate, ...Certificate[]]
  /** The same in DER. */
  readonly der: readonly Uint8Array[]
  /** The same in PEM, each with a newline at the end. */
  readonly pem: readonly string[]
  /** Subject key identifier of the issuing certificate. */
  readonly authorityKeyId: Uint8Array
  /** When the first of them expires. */
  readonly notAfterSeconds: number
}

/** Longest chain of an authority. A root, a policy authority and an issuing one are three. */
const MAX_CERTIFICATES = 10

/** Purpose anyExtendedKeyUsage, which stands for all of them. */
const OID_ANY_PURPOSE = '2.5.29.37.0'

const EMPTY = 'certificate chain must contain at least one certificate'

/**
 * Certificates of a PEM file, in their order; text around the blocks is passed over.
 *
 * @throws LogError `invalid_request` for blocks of other types, malformed certificates, or none
 */
export function parseCertificateChainPem(text: string): readonly Certificate[] {
  const certificates: Certificate[] = []
  let rest = encodeUtf8(text)
  for (let found = decodePem(rest); found !== undefined; found = decodePem(rest)) {
    const { type, bytes } = found.block
    if (type !== 'CERTIFICATE') {
      throw new LogError('invalid_request', `certificate chain has a PEM block ${type} in it`)
    }
    if (certificates.length === MAX_CERTIFICATES) {
      throw new LogError('invalid_request', `certificate chain has more than ${MAX_CERTIFICATES}`)
    }
    certificates.push(parseCertificate(bytes))
    rest = found.rest
  }
  if (certificates.length === 0) throw new LogError('invalid_request', EMPTY)
  return certificates
}

/**
 * Checks that a chain may issue code signing certificates with a key, now. What is wrong with the chain is told before what is
 * wrong with the key.
 *
 * @param publicKey SubjectPublicKeyInfo DER of the key that will sign
 * @throws LogError `invalid_request` with Fulcio's texts where it has some; `unsupported` for the kind or strength of the key
 *   and for name constraints
 * @see fulcio §15
 */
export async function checkIssuingChain(
  chain: readonly Certificate[],
  { publicKey, atSeconds }: { readonly publicKey: Uint8Array; readonly atSeconds: number }
): Promise<IssuingChain> {
  const [issuing, ...others] = chain
  if (issuing === undefined) throw refused(EMPTY)
  for (const [i, certificate] of chain.entries()) {
    const name = `certificate ${i} of the chain`
    assertAuthority(certificate, name, i)
    assertTime(certificate, name, atSeconds)
    await assertSigned(certificate, name, chain[i + 1])
    assertNamed(certificate, name, i + 1 < chain.length)
  }
  assertCodeSigning([issuing, ...others])
  if (!equalBytes(issuing.publicKey.spki, publicKey)) {
    throw refused('the key is not that of the first certificate: public keys are not equal')
  }
  assertIssuingKey(issuing.publicKey)
  return {
    certificates: [issuing, ...others],
    der: chain.map(({ der }) => der),
    pem: chain.map(({ der }) => encodePem('CERTIFICATE', der)),
    authorityKeyId: subjectKeyIdOfCertificate(issuing),
    notAfterSeconds: Math.min(...chain.map(({ notAfterSeconds }) => notAfterSeconds))
  }
}

/** @param below how many authorities of the chain are below this one */
function assertAuthority(
  { basicConstraints, mayCertSign, extensions }: Certificate,
  name: string,
  below: number
): void {
  if (basicConstraints?.isCa !== true || !mayCertSign) {
    throw refused(`${name}: certificate is not a CA`)
  }
  const limit = basicConstraints.maxPathLength
  if (limit !== undefined && below > limit) {
    throw refused(`${name}: too many intermediates for its path length constraint`)
  }
  if (findExtension(extensions, OID_NAME_CONSTRAINTS) !== undefined) {
    // Rekor's side refuses such chains as well (verifyChain), and what they permit is not looked at when issuing.
    throw new LogError('unsupported', `${name}: name constraints are not supported`)
  }
  if (extensions.some(({ oid, critical }) => critical && !KNOWN_EXTENSIONS.includes(oid))) {
    throw refused(`${name} has an unhandled critical extension`)
  }
}

function assertTime(
  { notBeforeSeconds, notAfterSeconds }: Certificate,
  name: string,
  atSeconds: number
): void {
  if (atSeconds < notBeforeSeconds) {
    throw refused(`${name} is valid only from ${formatUtcTime(notBeforeSeconds)}`)
  }
  if (atSeconds > notAfterSeconds) {
    throw refused(`${name} expired at ${formatUtcTime(notAfterSeconds)}`)
  }
}

/** Clients take whatever names itself as its issuer for a root (cosign 2). */
function assertNamed({ subject, issuer }: Certificate, name: string, hasIssuer: boolean): void {
  if (hasIssuer && equalBytes(subject, issuer)) {
    throw refused(`${name} has the same subject as the next one: clients would take it for a root`)
  }
}

/** @param issuer the next one of the chain; undefined for the last, which must have signed itself */
async function assertSigned(
  certificate: Certificate,
  name: string,
  issuer: Certificate | undefined
): Promise<void> {
  const { subject } = issuer ?? certificate
  if (
    !equalBytes(certificate.issuer, subject) ||
    !(await hasSigned(issuer ?? certificate, certificate))
  ) {
    throw refused(
      issuer === undefined
        ? 'the last certificate of the chain is not a self-signed root'
        : `${name} was not signed by the next one`
    )
  }
}

/**
 * Fulcio wants the purpose named where an intermediate issues. Wherever purposes are named, code signing must be among
 * them: verifiers take a purpose only from a chain that has it all the way up.
 */
function assertCodeSigning(chain: IssuingChain['certificates']): void {
  if (chain.length > 1 && extendedKeyUsagesOf(chain[0])?.includes(OID_CODE_SIGNING) !== true) {
    throw refused(
      'certificate must have extended key usage code signing set to sign code signing certificates'
    )
  }
  for (const [i, certificate] of chain.entries()) {
    const usages = extendedKeyUsagesOf(certificate) ?? [OID_CODE_SIGNING]
    if (!usages.includes(OID_CODE_SIGNING) && !usages.includes(OID_ANY_PURPOSE)) {
      throw refused(`certificate ${i} of the chain is limited to purposes other than code signing`)
    }
  }
}

function assertIssuingKey(key: PublicKey): void {
  if (key.type === 'ed25519') {
    throw new LogError(
      'unsupported',
      'an Ed25519 key cannot issue: sigstore-python checks timestamps of certificate logs under ECDSA and RSA issuers only'
    )
  }
  const weakness = findWeakness(key)
  if (weakness !== undefined) {
    throw new LogError(
      'unsupported',
      `an issuing key must be ECDSA on P-256, P-384 or P-521, or strong RSA of 2048, 3072 or 4096 bits: ${weakness}`
    )
  }
}

function refused(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
