import { encodeBase64 } from '../../encoding/base64.js'
import type { X509Key } from '../../x509/x509-format.js'
import { type HashValue, prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'

/** The key and what hashes say of the message. AAD is not kept: who checks the message has to bring it. */
export function coseLeafValue(
  key: X509Key,
  envelopeHash: HashValue,
  payloadHash: HashValue
): Uint8Array {
  return encodeLeafValue('cose', '0.0.1', {
    data: { envelopeHash: { ...envelopeHash }, payloadHash: { ...payloadHash } },
    publicKey: encodeBase64(key.canonical)
  })
}

/** Bare key hash, SANs, hash of the message, hash of the payload, digests of in-toto subjects. */
export function coseSearchKeys(
  key: X509Key,
  envelopeHash: HashValue,
  payloadHash: HashValue | undefined,
  subjectKeys: readonly string[] = []
): readonly string[] {
  return collectSearchKeys([
    keyHash(key),
    ...key.subjects,
    prefixedHash(envelopeHash),
    ...(payloadHash === undefined ? [] : [prefixedHash(payloadHash)]),
    ...subjectKeys
  ])
}
