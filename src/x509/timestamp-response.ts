import {
  DER_TAG,
  encodeSequence,
  encodeUnsignedInteger,
  parseDer,
  readConstructed,
  readInteger
} from '../encoding/der.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import { hashData } from '../keys/verify.js'
import {
  type CmsSigner,
  encodeSignedBytes,
  encodeSignedData,
  parseSignedData,
  prepareCmsSigner,
  type SignedData
} from './cms-signed-data.js'
import type { TimestampHash } from './message-imprint.js'
import { encodeSignedAttributes, encodeSigningCertificate } from './signed-attributes.js'
import type { TimestampChain } from './timestamp-chain.js'
import type { TimestampRequest } from './timestamp-request.js'
import { encodeTstInfo } from './tst-info.js'

/** What signs timestamps, with everything that depends on its certificate alone already encoded. */
export interface TimestampSigner {
  readonly chain: TimestampChain
  readonly signer: Signer
  readonly cms: CmsSigner
  /** The attribute that names the certificate, by the hash of the request. */
  readonly signingCertificate: Readonly<Record<TimestampHash, Uint8Array>>
  /** DER of what goes into answers to those who ask for certificates. */
  readonly certificates: readonly Uint8Array[]
}

/** What the authority adds to a request. */
export interface TimestampStatement {
  readonly policyOid: string
  /** 20 bytes nobody can foresee, never the same twice. */
  readonly serialNumber: Uint8Array
  /** Whole seconds, rounded down: a time that is yet to come is outside of certificates that are being made now. */
  readonly genTimeSeconds: number
  /** Undefined: nothing is said. */
  readonly accuracySeconds: number | undefined
}

const LABEL = 'timestamp response'

/** `PKIStatusInfo ::= SEQUENCE { status INTEGER { granted(0) } }` */
const GRANTED = encodeSequence(encodeUnsignedInteger(0n))

/**
 * @param chain checked, with the key of `signer`: see checkTimestampChain
 * @param includeChain whether those who ask for certificates get the issuers too
 */
export function createTimestampSigner(options: {
  readonly chain: TimestampChain
  readonly signer: Signer
  readonly includeChain: boolean
}): TimestampSigner {
  const { chain, signer, includeChain } = options
  const [certificate] = chain.certificates
  return {
    chain,
    signer,
    cms: prepareCmsSigner(certificate, signer.algorithm),
    signingCertificate: {
      sha256: encodeSigningCertificate(certificate, 'sha256'),
      sha384: encodeSigningCertificate(certificate, 'sha384'),
      sha512: encodeSigningCertificate(certificate, 'sha512')
    },
    certificates: (includeChain ? chain.certificates : [certificate]).map(({ der }) => der)
  }
}

/**
 * The answer to a request, signed.
 *
 *     TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo }
 *
 * @returns DER
 * @throws LogError `internal` when the key cannot be used
 * @see RFC 3161 section 2.4.2, ct-and-tsa §C3
 */
export async function buildTimestampResponse(
  authority: TimestampSigner,
  request: TimestampRequest,
  statement: TimestampStatement
): Promise<Uint8Array> {
  const { cms, signer, chain, signingCertificate, certificates } = authority
  const { imprint, nonce, extensions, wantsCertificates } = request
  const [certificate] = chain.certificates
  const tstInfo = encodeTstInfo({
    ...statement,
    imprint,
    nonce,
    extensions,
    authorityName: certificate.subject
  })
  const attributes = encodeSignedAttributes({
    messageDigest: hashData(cms.hash, tstInfo),
    signingTimeSeconds: statement.genTimeSeconds,
    // By the hash of the request, unlike the digest above (ct-and-tsa §C8, 1).
    signingCertificate: signingCertificate[imprint.hash]
  })
  const signature = await signer.sign(encodeSignedBytes(attributes))
  const token = encodeSignedData(cms, {
    tstInfo,
    certificates: wantsCertificates ? certificates : [],
    attributes,
    signature
  })
  return encodeSequence(GRANTED, token)
}

/**
 * Reads an answer. Nothing is verified here.
 *
 * @throws LogError `invalid_request` when malformed; `verification_failed` when the request was not granted; `unsupported`
 */
export function parseTimestampResponse(der: Uint8Array): SignedData {
  const [info, token, extra] = readConstructed(parseDer(der, LABEL), DER_TAG.sequence, LABEL)
  const [status] = readConstructed(info, DER_TAG.sequence, `${LABEL}: status`)
  const number = readInteger(status, `${LABEL}: status`)
  if (number !== 0n) {
    throw new LogError('verification_failed', `${LABEL}: not granted, status ${number}`)
  }
  if (extra !== undefined) throw new LogError('invalid_request', `${LABEL}: too many fields`)
  return parseSignedData(token)
}
