import { equalBytes } from '../encoding/bytes.js'
import { LogError } from '../errors.js'
import { readEcdsaSignature } from '../keys/ecdsa-signature.js'
import { hashData, verifyData } from '../keys/verify.js'
import type { Certificate } from './certificate.js'
import type { SignedData } from './cms-signed-data.js'
import { OID_TST_INFO } from './signed-attributes.js'
import { verifyTimestampChain } from './timestamp-chain.js'
import { parseTimestampResponse } from './timestamp-response.js'
import { parseTstInfo, type TstInfo } from './tst-info.js'

/** What a timestamp must fit. */
export interface ExpectedTimestamp {
  /** What was timestamped: for a bundle the bytes of its signature. */
  readonly data: Uint8Array
  /** Of the authority, trusted: the signing certificate first, the root last. */
  readonly chain: readonly [Certificate, ...Certificate[]]
  /** Content of the INTEGER that was sent, by who sent it; otherwise a nonce says nothing. */
  readonly nonce?: Uint8Array | undefined
  /** The one that was asked for; otherwise any. */
  readonly policyOid?: string | undefined
  readonly enforceIntermediateEku?: boolean
}

/**
 * Verifies an answer with the chain of its authority at the time it states: the signature and what it covers, that
 * certificates that came with it are the trusted ones, and that it is about this data.
 *
 * @param response DER of a TimeStampResp
 * @throws LogError `verification_failed` that says what does not fit; `invalid_request`, `unsupported` as parseTimestampResponse
 * @see RFC 3161 section 2.4.2, RFC 5652 section 5.6, RFC 5816
 */
export async function verifyTimestampResponse(
  response: Uint8Array,
  expected: ExpectedTimestamp
): Promise<TstInfo> {
  const { chain, enforceIntermediateEku = true } = expected
  const [leaf] = chain
  const signed = parseTimestampResponse(response)
  assertSigner(signed, leaf)
  if (signed.contentType !== OID_TST_INFO || signed.attributes.contentType !== OID_TST_INFO) {
    throw failed('what is signed is not a TSTInfo')
  }
  if (!equalBytes(signed.attributes.messageDigest, hashData(signed.hash, signed.content))) {
    throw failed('the signed digest is not that of the TSTInfo')
  }
  await verifyData(leaf.publicKey, signed.hash, signed.signedBytes, signed.signature)
  const tstInfo = parseTstInfo(signed.content)
  assertFits(tstInfo, expected)
  const { signingTimeSeconds } = signed.attributes
  if (signingTimeSeconds !== undefined && !isWithin(signingTimeSeconds, leaf)) {
    throw failed('its signing time is outside of the validity of the certificate')
  }
  const atSeconds = Math.floor(tstInfo.genTimeMs / 1000)
  try {
    await verifyTimestampChain(chain, { atSeconds, enforceIntermediateEku })
  } catch (err) {
    throw new LogError('verification_failed', `timestamp: ${(err as Error).message}`, {
      cause: err
    })
  }
  return tstInfo
}

/** The trusted certificate is named by signer, attribute and what came with it, everywhere the same. */
function assertSigner(signed: SignedData, leaf: Certificate): void {
  const { signingCertificate } = signed.attributes
  if (!equalBytes(signed.issuer, leaf.issuer) || signed.serialNumber !== leaf.serialNumber) {
    throw failed('signed by another certificate than the trusted one')
  }
  const { keyType, signature } = signed
  const isEncoded = keyType !== 'ecdsa' || readEcdsaSignature(signature).encoding === 'ASN.1'
  if (keyType !== leaf.publicKey.type || !isEncoded) {
    throw failed('the signature is not one of the kind of key the certificate has')
  }
  const { hash, digest, issuerSerial } = signingCertificate
  if (
    !equalBytes(digest, hashData(hash, leaf.der)) ||
    (issuerSerial !== undefined &&
      (!equalBytes(issuerSerial.issuer, leaf.issuer) ||
        issuerSerial.serialNumber !== leaf.serialNumber))
  ) {
    throw failed('the attribute signingCertificateV2 names another certificate')
  }
  const { certificates } = signed
  if (certificates.length > 0 && !certificates.some((der) => equalBytes(der, leaf.der))) {
    throw failed('the trusted certificate is not among those that came with it')
  }
}

function assertFits(tstInfo: TstInfo, { data, nonce, policyOid }: ExpectedTimestamp): void {
  const { imprint } = tstInfo
  if (!equalBytes(imprint.digest, hashData(imprint.hash, data))) {
    throw failed('it is about other data')
  }
  if (nonce !== undefined && !equalBytes(nonce, tstInfo.nonce ?? new Uint8Array(0))) {
    throw failed('it does not have the nonce of the request')
  }
  if (policyOid !== undefined && policyOid !== tstInfo.policyOid) {
    throw failed(`it has policy ${tstInfo.policyOid}`)
  }
}

function isWithin(seconds: number, { notBeforeSeconds, notAfterSeconds }: Certificate): boolean {
  return seconds >= notBeforeSeconds && seconds <= notAfterSeconds
}

function failed(problem: string): LogError {
  return new LogError('verification_failed', `timestamp: ${problem}`)
}
