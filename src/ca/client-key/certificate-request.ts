import { equalBytes } from '../../encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeNull,
  parseDer,
  readConstructed,
  readOid
} from '../../encoding/der.js'
import { decodePem } from '../../encoding/pem.js'
import { isLogError, LogError } from '../../errors.js'
import { type CheckData, checkDataHere } from '../../keys/check-queue.js'
import { readEcdsaSignature } from '../../keys/ecdsa-signature.js'
import type { PublicKey } from '../../keys/public-key.js'
import type { HashName } from '../../keys/verify.js'
import { type CertificateRequest, parseCertificateRequest } from '../../x509/csr.js'
import { CLIENT_MESSAGES } from '../client-messages.js'
import { readSpki } from './parse-key.js'
import { badSignature, verifyClientSignature } from './proof-of-possession.js'

const PEM_LABELS: readonly string[] = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']

interface SignatureAlgorithm {
  readonly oid: string
  readonly keyType: PublicKey['type']
  readonly hash: HashName | undefined
}

/** @see fulcio §11.3 */
const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = [
  { oid: '1.2.840.10045.4.3.2', keyType: 'ecdsa', hash: 'sha256' },
  { oid: '1.2.840.10045.4.3.3', keyType: 'ecdsa', hash: 'sha384' },
  { oid: '1.2.840.10045.4.3.4', keyType: 'ecdsa', hash: 'sha512' },
  { oid: '1.2.840.113549.1.1.11', keyType: 'rsa', hash: 'sha256' },
  { oid: '1.2.840.113549.1.1.12', keyType: 'rsa', hash: 'sha384' },
  { oid: '1.2.840.113549.1.1.13', keyType: 'rsa', hash: 'sha512' },
  { oid: '1.3.101.112', keyType: 'ed25519', hash: undefined }
]

const OID_RSA_PSS = '1.2.840.113549.1.1.10'

/** Hashes that Go names RSA-PSS by. */
const PSS_NAMES: readonly { readonly hashOid: string; readonly name: string }[] = [
  { hashOid: '2.16.840.1.101.3.4.2.1', name: 'SHA256-RSAPSS' },
  { hashOid: '2.16.840.1.101.3.4.2.2', name: 'SHA384-RSAPSS' },
  { hashOid: '2.16.840.1.101.3.4.2.3', name: 'SHA512-RSAPSS' }
]

export interface ParsedRequest {
  readonly publicKey: PublicKey
  readonly request: CertificateRequest
}

/**
 * Reads a certificate signing request in PEM, the first block of the text, for its key. Subject, attributes and the
 * extensions it asks for have no influence on anything.
 *
 * @throws LogError `invalid_request` with a message clients know
 */
export function parseSigningRequest(pem: Uint8Array): ParsedRequest {
  try {
    const block = decodePem(pem)?.block
    if (block === undefined) throw new LogError('invalid_request', 'no PEM block')
    if (!PEM_LABELS.includes(block.type)) {
      throw new LogError('invalid_request', `PEM block is ${block.type}`)
    }
    const request = parseCertificateRequest(block.bytes)
    return { publicKey: readSpki(request.subjectPublicKeyInfo), request }
  } catch (err) {
    if (!isLogError(err) || err.message === CLIENT_MESSAGES.insecurePublicKey) throw err
    throw new LogError('invalid_request', CLIENT_MESSAGES.certificateRequest, {
      cause: err,
      details: { reason: err.message }
    })
  }
}

/**
 * Checks the signature of a request by its own key, which is the proof of possession here.
 *
 * @param checkData what checks the signature itself; on this thread unless it says otherwise
 * @returns the hash the signature is over; none for Ed25519
 * @throws LogError `verification_failed`, `unsupported`
 * @see fulcio §11.3
 */
export async function verifyRequestSignature(
  { publicKey, request }: ParsedRequest,
  checkData: CheckData = checkDataHere
): Promise<HashName | undefined> {
  const { signatureAlgorithmOid: oid, signature } = request
  const algorithm = SIGNATURE_ALGORITHMS.find((candidate) => candidate.oid === oid)
  if (oid === OID_RSA_PSS) {
    throw new LogError('unsupported', `unrecognized signature algorithm: ${namePss(request)}`)
  }
  if (algorithm === undefined) throw badSignature(`signature algorithm ${oid} is not accepted`)
  if (algorithm.keyType !== publicKey.type) {
    throw badSignature(`${algorithm.keyType} signature by an ${publicKey.type} key`)
  }
  if (!hasPlainParameters(request, publicKey.type)) {
    throw badSignature('signature algorithm with parameters')
  }
  // IEEE P1363, which a proof of possession may be in, has no place in a DER structure.
  if (publicKey.type === 'ecdsa' && !isDerSignature(signature)) {
    throw badSignature('ECDSA signature is not DER')
  }
  await verifyClientSignature(publicKey, algorithm.hash, request.requestInfo, signature, checkData)
  return algorithm.hash
}

/** They are not covered by the signature. NULL is what RSA has, and may be left out. @see RFC 4055 section 5, RFC 8410 */
function hasPlainParameters(
  { signatureParameters: parameters }: CertificateRequest,
  keyType: PublicKey['type']
): boolean {
  return parameters === undefined || (keyType === 'rsa' && equalBytes(parameters, encodeNull()))
}

function isDerSignature(signature: Uint8Array): boolean {
  try {
    return readEcdsaSignature(signature).encoding === 'ASN.1'
  } catch {
    return false
  }
}

/** `RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] EXPLICIT AlgorithmIdentifier, … }`. Go calls what it cannot name 0. */
function namePss({ signatureParameters }: CertificateRequest): string {
  try {
    const label = 'RSASSA-PSS parameters'
    const parameters = parseDer(signatureParameters ?? new Uint8Array(0), label)
    const [wrapper] = readConstructed(parameters, DER_TAG.sequence, label)
    const [algorithm] = readConstructed(wrapper, contextTag(0, 'constructed'), label)
    const [oidElement] = readConstructed(algorithm, DER_TAG.sequence, label)
    const oid = readOid(oidElement, label)
    return PSS_NAMES.find(({ hashOid }) => hashOid === oid)?.name ?? '0'
  } catch {
    return '0'
  }
}
