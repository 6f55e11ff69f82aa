import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { type CheckData, checkDataHere } from '../keys/check-queue.js'
import type { PublicKey } from '../keys/public-key.js'
import { type Certificate, parseCertificate } from '../x509/certificate.js'
import { hasSigned } from '../x509/chain.js'
import { verifySct } from '../x509/ct-signature.js'
import { buildFulcioExtensions, buildSubjectAltName } from '../x509/fulcio-extensions.js'
import {
  assembleCertificate,
  buildLeafTbs,
  type LeafTbs,
  randomSerial
} from '../x509/leaf-certificate.js'
import type { CtSignedEntry } from '../x509/merkle-tree-leaf.js'
import { precertificateEntry } from '../x509/precertificate.js'
import { encodeSctList } from '../x509/sct-list.js'
import type { SignedCertificateTimestamp } from '../x509/sct.js'
import { verifyClientKey } from './client-key/verify-client-key.js'
import type {
  CertificateAuthority,
  IssuedCertificate,
  IssuingAuthority,
  SctDelivery,
  SubmitChain
} from './contract.js'
import type { IssuerDescription } from './identity/config/describe.js'
import type { CertificateIdentity } from './identity/principal.js'
import type { IdentityVerifier } from './identity/verifier.js'

/** How long a certificate is valid: long enough to sign something with it once (fulcio §12). */
const CERTIFICATE_SECONDS = 600

export interface CertificateAuthorityOptions {
  readonly identity: Pick<IdentityVerifier, 'verify'>
  readonly issuers: readonly IssuerDescription[]
  /** Names of permitted pairs of key and hash. */
  readonly allowedAlgorithms: readonly string[]
  /** What issues now. Asked once for each certificate. */
  readonly authority: () => IssuingAuthority
  /** Where certificates are logged and what proves it; none: they are not logged. */
  readonly log: CertificateLog | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Unpredictable bytes. */
  readonly randomBytes: (length: number) => Uint8Array
  readonly observer: { newCertificate(): void }
  /** What checks signatures: of clients, of certificate logs, and our own; on this thread unless it says otherwise. */
  readonly checkData?: CheckData
}

export interface CertificateLog {
  readonly delivery: Exclude<SctDelivery, 'none'>
  readonly submit: SubmitChain
  /**
   * Key of the log with this ID: every timestamp is verified before it is given on.
   * @param logId 32 bytes, as the timestamp has it
   * @returns undefined for a log that is not ours to believe
   */
  readonly keyOf: (logId: Uint8Array) => PublicKey | undefined
}

/**
 * A certificate authority: an identity that was proven and a key that was proven become a certificate, which a log has
 * promised to show to everybody.
 *
 * @see fulcio §6, §12, §14
 */
export function createCertificateAuthority(
  options: CertificateAuthorityOptions
): CertificateAuthority {
  const { identity, issuers, allowedAlgorithms, authority, log, now, randomBytes, observer } =
    options
  const { checkData = checkDataHere } = options

  function buildTbs(
    { subjectAlternativeName, extensions }: CertificateIdentity,
    publicKey: PublicKey,
    { chain, signer }: IssuingAuthority
  ): LeafTbs {
    const notBeforeSeconds = Math.floor(now() / 1000)
    const notAfterSeconds = notBeforeSeconds + CERTIFICATE_SECONDS
    if (notAfterSeconds > chain.notAfterSeconds) {
      throw failed('signer', 'the certificate of the authority ends before one it would issue now')
    }
    const [issuing] = chain.certificates
    return buildLeafTbs({
      serialNumber: randomSerial(randomBytes),
      signatureAlgorithm: signer.algorithm,
      issuer: issuing.subject,
      authorityKeyId: chain.authorityKeyId,
      notBeforeSeconds,
      notAfterSeconds,
      spki: publicKey.spki,
      subjectAltName: buildSubjectAltName(subjectAlternativeName),
      extensions: buildFulcioExtensions(extensions)
    })
  }

  return {
    async issue({ token, key }) {
      const principal = await identity.verify(token)
      const publicKey = await verifyClientKey(
        key,
        principal.challenge,
        allowedAlgorithms,
        checkData
      )
      // One for all that follows: a change in between must not mix two.
      const issuing = authority()
      const tbs = buildTbs(principal.buildIdentity(), publicKey, issuing)
      const issued = await issueFrom(tbs, { ...issuing, checkData }, log)
      observer.newCertificate()
      return issued
    },
    trustBundle: () => [authority().chain.pem],
    issuers: () => issuers
  }
}

/** One key with its chain, and what checks what it signs. */
interface CheckedAuthority extends IssuingAuthority {
  readonly checkData: CheckData
}

async function issueFrom(
  tbs: LeafTbs,
  authority: CheckedAuthority,
  log: CertificateLog | undefined
): Promise<IssuedCertificate> {
  const { der: chain } = authority.chain
  if (log === undefined) {
    const certificate = await signCertificate(tbs.plain(), authority)
    return { chain: [certificate, ...chain], delivery: 'none', sct: undefined }
  }
  const [issuing] = authority.chain.certificates
  if (log.delivery === 'detached') {
    const certificate = await signCertificate(tbs.plain(), authority)
    const entry: CtSignedEntry = { kind: 'certificate', certificate }
    const sct = await logCertificate(certificate, entry, authority, log)
    return { chain: [certificate, ...chain], delivery: 'detached', sct }
  }
  const precertificate = await sign(tbs.withPoison(), authority)
  // What everybody who gets the certificate makes of it: the certificate without the list of timestamps.
  const entry = precertificateEntry(tbs.plain(), issuing)
  const sct = await logCertificate(precertificate, entry, authority, log)
  const certificate = await signCertificate(tbs.withSctList(encodeSctList([sct])), authority)
  return { chain: [certificate, ...chain], delivery: 'embedded', sct: undefined }
}

/** @param entry what the log must have signed for it */
async function logCertificate(
  certificate: Uint8Array,
  entry: CtSignedEntry,
  { chain, checkData }: CheckedAuthority,
  { submit, keyOf }: CertificateLog
): Promise<SignedCertificateTimestamp> {
  try {
    const sct = await submit(entry.kind, [certificate, ...chain.der])
    const publicKey = keyOf(sct.logId)
    if (publicKey === undefined) {
      throw new LogError('verification_failed', `it is of another log, ${encodeHex(sct.logId)}`)
    }
    await verifySct(sct, entry, publicKey, checkData)
    return sct
  } catch (err) {
    throw failed('ctLog', 'the certificate log gave no good timestamp', err)
  }
}

/** A certificate that is given out was read again, and verifies with the key that everybody will verify it with. */
async function signCertificate(tbs: Uint8Array, authority: CheckedAuthority): Promise<Uint8Array> {
  const der = await sign(tbs, authority)
  const [issuing] = authority.chain.certificates
  if (!(await hasSigned(issuing, readIssued(der), authority.checkData))) {
    throw failed('signer', 'a certificate just issued does not verify')
  }
  return der
}

/** One that we cannot read ourselves is our mistake, whatever the client asked for. */
function readIssued(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der)
  } catch (err) {
    throw failed('signer', 'a certificate just issued cannot be read', err)
  }
}

async function sign(tbs: Uint8Array, { signer }: IssuingAuthority): Promise<Uint8Array> {
  try {
    return assembleCertificate(tbs, signer.algorithm, await signer.sign(tbs))
  } catch (err) {
    throw failed('signer', 'the issuing key did not sign', err)
  }
}

/** A failure on our side: the client is told which part failed, the log of the server why. */
function failed(part: 'ctLog' | 'signer', problem: string, cause?: unknown): LogError {
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  const code = part === 'ctLog' ? 'upstream' : 'internal'
  return new LogError(code, `${problem}${reason}`, { cause, details: { failed: part } })
}
