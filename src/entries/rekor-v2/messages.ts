import { messageShape, type MessageValue } from '../../encoding/proto-json.js'
import { HASH_ALGORITHMS, PUBLIC_KEY_DETAILS } from './key-details.js'

// The protobuf messages of Rekor v2's requests and bodies. @see rekor-tiles api/proto/rekor/v2, rekor-v2-and-tiles §1.2, §1.7

const BYTES = { type: 'bytes' } as const
const TEXT = { type: 'text' } as const

const PUBLIC_KEY = messageShape('dev.sigstore.rekor.v2.PublicKey', { rawBytes: BYTES })

const X509_CERTIFICATE = messageShape('dev.sigstore.common.v1.X509Certificate', {
  rawBytes: BYTES
})

const VERIFIER = messageShape('dev.sigstore.rekor.v2.Verifier', {
  publicKey: { type: 'message', of: PUBLIC_KEY, oneof: 'verifier' },
  x509Certificate: { type: 'message', of: X509_CERTIFICATE, oneof: 'verifier' },
  keyDetails: { type: 'enum', values: PUBLIC_KEY_DETAILS }
})

const SIGNATURE = messageShape('dev.sigstore.rekor.v2.Signature', {
  content: BYTES,
  verifier: { type: 'message', of: VERIFIER }
})

const HASHED_REKORD_REQUEST = messageShape('dev.sigstore.rekor.v2.HashedRekordRequestV002', {
  digest: BYTES,
  signature: { type: 'message', of: SIGNATURE }
})

const ENVELOPE_SIGNATURE = messageShape('io.intoto.Signature', { sig: BYTES, keyid: TEXT })

const ENVELOPE = messageShape('io.intoto.Envelope', {
  payload: BYTES,
  payloadType: { type: 'text', protoName: 'payloadType' },
  signatures: { type: 'list', of: ENVELOPE_SIGNATURE }
})

const DSSE_REQUEST = messageShape('dev.sigstore.rekor.v2.DSSERequestV002', {
  envelope: { type: 'message', of: ENVELOPE },
  verifiers: { type: 'list', of: VERIFIER }
})

/** Body of a request to log an entry. */
export const CREATE_ENTRY_REQUEST = messageShape('dev.sigstore.rekor.v2.CreateEntryRequest', {
  hashedRekordRequestV002: { type: 'message', of: HASHED_REKORD_REQUEST, oneof: 'spec' },
  dsseRequestV002: { type: 'message', of: DSSE_REQUEST, oneof: 'spec' }
})

const HASH_OUTPUT = messageShape('dev.sigstore.common.v1.HashOutput', {
  algorithm: { type: 'enum', values: HASH_ALGORITHMS },
  digest: BYTES
})

const HASHED_REKORD_ENTRY = messageShape('dev.sigstore.rekor.v2.HashedRekordLogEntryV002', {
  data: { type: 'message', of: HASH_OUTPUT },
  signature: { type: 'message', of: SIGNATURE }
})

const DSSE_ENTRY = messageShape('dev.sigstore.rekor.v2.DSSELogEntryV002', {
  payloadHash: { type: 'message', of: HASH_OUTPUT, protoName: 'payloadHash' },
  signatures: { type: 'list', of: SIGNATURE }
})

const SPEC = messageShape('dev.sigstore.rekor.v2.Spec', {
  hashedRekordV002: { type: 'message', of: HASHED_REKORD_ENTRY, oneof: 'spec' },
  dsseV002: { type: 'message', of: DSSE_ENTRY, oneof: 'spec' }
})

/** What stands in the log. */
export const ENTRY = messageShape('dev.sigstore.rekor.v2.Entry', {
  kind: TEXT,
  apiVersion: TEXT,
  spec: { type: 'message', of: SPEC }
})

/** Plain data: may be posted to a worker. */
export type CreateEntryRequest = MessageValue<typeof CREATE_ENTRY_REQUEST>
export type HashedRekordRequest = MessageValue<typeof HASHED_REKORD_REQUEST>
export type DsseRequest = MessageValue<typeof DSSE_REQUEST>
export type VerifierMessage = MessageValue<typeof VERIFIER>
export type SignatureMessage = MessageValue<typeof SIGNATURE>
export type HashOutputMessage = MessageValue<typeof HASH_OUTPUT>
export type EntryMessage = MessageValue<typeof ENTRY>
