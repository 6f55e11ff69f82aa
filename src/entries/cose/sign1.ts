import { startsWith } from '../../encoding/bytes.js'
import { type CborItem, encodeCborStrings, parseCbor } from '../../encoding/cbor.js'
import { LogError } from '../../errors.js'
import { type CoseHeaders, readHeaders } from './headers.js'

/** A signed message with one signer. */
export interface CoseSign1 extends CoseHeaders {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** Tag 18, array of four: the only beginning there is. */
const PREFIX = Uint8Array.of(0xd2, 0x84)

/**
 * Reads a COSE_Sign1_Tagged; nothing is verified here.
 *
 *     COSE_Sign1_Tagged = #6.18([ Headers, payload : bstr / nil, signature : bstr ])
 *
 * @throws LogError `invalid_request`, also for a payload that stands elsewhere (nil)
 * @see RFC 9052 sections 2 and 4.2
 */
export function parseSign1(message: Uint8Array): CoseSign1 {
  if (!startsWith(message, PREFIX)) {
    throw new LogError('invalid_request', 'cbor: invalid COSE_Sign1_Tagged object')
  }
  const item = parseCbor(message.subarray(1), { tags: 'refused' })
  // An array of four, as the prefix says.
  const { items } = item as CborItem & { readonly type: 'array' }
  const [protectedItem, unprotectedItem, payloadItem, signatureItem] = items as readonly [
    CborItem,
    CborItem,
    CborItem,
    CborItem
  ]
  const payload = readBytesOrNil(payloadItem)
  const signature = readBytesOrNil(signatureItem)
  if (signature === undefined || signature.length === 0) {
    throw new LogError('invalid_request', 'empty signature')
  }
  const headers = readHeaders(protectedItem, unprotectedItem)
  if (payload === undefined) throw new LogError('invalid_request', 'missing payload')
  return { ...headers, payload, signature }
}

function readBytesOrNil(item: CborItem): Uint8Array | undefined {
  if (item.type === 'null') return undefined
  if (item.type === 'bytes') return item.value
  throw new LogError('invalid_request', 'cbor: require bstr type')
}

/**
 * What the signature is over. The protected header enters it byte for byte as it was received.
 *
 *     Sig_structure = [ "Signature1", body_protected : bstr, external_aad : bstr, payload : bstr ]
 *
 * @param aad what signer and verifier know and the message does not hold; may be empty
 * @see RFC 9052 section 4.4
 */
export function encodeSigStructure(
  { protectedBytes, payload }: Pick<CoseSign1, 'protectedBytes' | 'payload'>,
  aad: Uint8Array
): Uint8Array {
  return encodeCborStrings(['Signature1', protectedBytes, aad, payload])
}
