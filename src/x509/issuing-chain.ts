import { equalBytes } from '../encoding/bytes.js'
import { decodePem, encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import { subjectKeyIdOfCertificate } from './ca-certificate.js'
import { type Certificate, parseCertificate } from './certificate.js'
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
 * Checks that a chain may issue code signing certificates with a key, now.
 *
 * @param publicKey SubjectPublicKeyInfo DER of the key that will sign
 * @throws LogError `invalid_request` with Fulcio's texts where it has some; `unsupported` for the key
 * @see fulcio §15
 */
export async function checkIssuingChain(
  chain: readonly Certificate[],
  { publicKey, atSeconds }: { readonly publicKey: Uint8Array; readonly atSeconds: number }
): Promise<IssuingChain> {
  const [issuing, ...others] = chain
  if (issuing === undefined) throw refused(EMPTY)
  assertIssuingKey(issuing.publicKey)
  if (!equalBytes(issuing.publicKey.spki, publicKey)) {
    throw refused('the key is not that of the first certificate: public keys are not equal')
  }
  for (const [i, certificate] of chain.entries()) {
    const name = `certificate ${i} of the chain`
    if (certificate.basicConstraints?.isCa !== true || !certificate.mayCertSign) {
      throw refused(`${name}: certificate is not a CA`)
    }
    assertTime(certificate, name, atSeconds)
    const issuer = chain[i + 1] ?? certificate
    if (
      !equalBytes(certificate.issuer, issuer.subject) ||
      !(await hasSigned(issuer, certificate))
    ) {
      throw refused(
        issuer === certificate
          ? 'the last certificate of the chain is not a self-signed root'
          : `${name} was not signed by the next one`
      )
    }
    const limit = certificate.basicConstraints.maxPathLength
    if (limit !== undefined && i > limit) {
      throw refused(`${name}: too many intermediates for its path length constraint`)
    }
  }
  if (others.length > 0 && extendedKeyUsagesOf(issuing)?.includes(OID_CODE_SIGNING) !== true) {
    throw refused(
      'certificate must have extended key usage code signing set to sign code signing certificates'
    )
  }
  return {
    certificates: [issuing, ...others],
    der: chain.map(({ der }) => der),
    pem: chain.map(({ der }) => encodePem('CERTIFICATE', der)),
    authorityKeyId: subjectKeyIdOfCertificate(issuing),
    notAfterSeconds: Math.min(...chain.map(({ notAfterSeconds }) => notAfterSeconds))
  }
}

function assertTime(
  { notBeforeSeconds, notAfterSeconds }: Certificate,
  name: string,
  atSeconds: number
): void {
  if (atSeconds < notBeforeSeconds) {
    throw refused(`${name} is valid only from ${formatTime(notBeforeSeconds)}`)
  }
  if (atSeconds > notAfterSeconds) {
    throw refused(`${name} expired at ${formatTime(notAfterSeconds)}`)
  }
}

/** Bytes of an RSA modulus that certificates may be signed with. */
const RSA_MODULUS_BYTES = [256, 384, 512]

function assertIssuingKey(key: PublicKey): void {
  if (key.type === 'ed25519') {
    throw new LogError(
      'unsupported',
      'an Ed25519 key cannot issue: clients cannot check certificates and timestamps of logs with it'
    )
  }
  const isFit =
    key.type === 'rsa' ? RSA_MODULUS_BYTES.includes(key.modulusBytes) : key.curve !== 'P-224'
  if (!isFit) {
    throw new LogError(
      'unsupported',
      'an issuing key must be ECDSA on P-256, P-384 or P-521, or RSA of 2048, 3072 or 4096 bits'
    )
  }
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function refused(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
