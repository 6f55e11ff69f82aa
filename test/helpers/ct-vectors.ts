import { createPublicKey } from 'node:crypto'
import { type Certificate, parseCertificate } from '../../src/x509/certificate.js'
import { fulcioVector } from './fulcio-vectors.js'

/** Answer of `add-chain` or `add-pre-chain`. */
export interface SctAnswer {
  readonly sct_version: number
  readonly id: string
  readonly timestamp: number
  readonly extensions: string
  readonly signature: string
}

interface CtEntryVector {
  readonly id: string
  readonly sct_timestamp_ms: number
  readonly sct_signed_input_b64: string
  readonly merkle_tree_leaf_b64: string
  readonly leaf_hash_b64: string
  readonly extra_data_b64: string
}

export interface PrecertificateVector extends CtEntryVector {
  readonly precertificate_pem: string
  readonly final_certificate_pem: string
  readonly defanged_tbs_b64: string
  readonly issuer_key_hash_hex: string
  readonly sct_b64: string
  readonly sct_list_extn_value_hex: string
  readonly add_pre_chain_response: SctAnswer
}

export interface CertificateVector extends CtEntryVector {
  readonly certificate_pem: string
  readonly add_chain_response: SctAnswer
}

/** ct-log.json, as far as it is used. */
export interface CtLogVector {
  readonly ct_log_public_key_pem: string
  readonly log_id_b64: string
  /** Intermediate and root. */
  readonly ca_chain_pem: readonly [string, string]
  readonly entries: readonly (PrecertificateVector | CertificateVector)[]
  readonly get_entries_0_4: {
    readonly entries: readonly { readonly leaf_input: string; readonly extra_data: string }[]
  }
  readonly get_proof_by_hash_tree5: Readonly<
    Record<string, { readonly leaf_index: number; readonly audit_path: readonly string[] }>
  >
  readonly get_sth_consistency: Readonly<
    Record<string, { readonly consistency: readonly string[] }>
  >
  readonly get_roots: { readonly certificates: readonly string[] }
  readonly get_sth: Readonly<
    Record<
      string,
      {
        readonly tree_size: number
        readonly timestamp: number
        readonly sha256_root_hash: string
        readonly tree_head_signature: string
        readonly _signed_input_hex: string
      }
    >
  >
}

export const ctLogVector: CtLogVector = fulcioVector('ct-log.json')

export const precertificateVectors: readonly PrecertificateVector[] = ctLogVector.entries.filter(
  (entry) => 'precertificate_pem' in entry
)

export const certificateVectors: readonly CertificateVector[] = ctLogVector.entries.filter(
  (entry) => 'certificate_pem' in entry
)

/** One certificate of real-certs.json, with the one timestamp in it. */
export interface RealCertificateVector {
  readonly name: string
  readonly certificatePem: string
  readonly issuerPem: string
  readonly issuerKeyHashHex: string
  readonly defangedTbsSha256Hex: string
  readonly defangedTbsLength: number
  readonly extensionOrder: readonly { readonly oid: string; readonly critical: boolean }[]
  readonly scts: readonly [
    {
      readonly serialized: string
      readonly logIdB64: string
      readonly timestampMs: number
      readonly extensionsHex: string
      readonly signatureB64: string
      readonly signedInputSha256Hex: string
      readonly ctLogPublicKeyB64: string
      readonly merkleLeafHashHex: string
    }
  ]
}

/** The first of them, for tests that need just one. */
export const precertificateVector: PrecertificateVector = first(precertificateVectors)

function first<Item>([item]: readonly Item[]): Item {
  if (item === undefined) throw new Error('no vector')
  return item
}

export const realCertificateVectors: readonly RealCertificateVector[] = fulcioVector<{
  cases: readonly RealCertificateVector[]
}>('real-certs.json').cases

/** DER of the one block in a PEM text, read by nobody's code but Node's. */
export function pemBytes(pem: string): Uint8Array {
  return fromBase64(pem.replace(/-----[^-]+-----/g, ''))
}

export function certificateOfPem(pem: string): Certificate {
  return parseCertificate(pemBytes(pem))
}

/** SubjectPublicKeyInfo of the log key in ct-log.json. */
export function ctLogSpki(): Uint8Array {
  const key = createPublicKey(ctLogVector.ct_log_public_key_pem)
  return Uint8Array.from(key.export({ type: 'spki', format: 'der' }))
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}
