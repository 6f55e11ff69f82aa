import { encodeBase64 } from '../../encoding/base64.js'
import { prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'
import type { CommittedIntoto } from './parse.js'

export function intotoLeafValue({ key, hash, payloadHash }: CommittedIntoto): Uint8Array {
  return encodeLeafValue('intoto', '0.0.1', {
    content: { hash: { ...hash }, payloadHash: payloadHash && { ...payloadHash } },
    publicKey: encodeBase64(key.canonical)
  })
}

/** Envelope hash, key hash with prefix, SANs, payload hash. */
export function intotoSearchKeys(
  { key, hash, payloadHash }: CommittedIntoto,
  statementKeys: readonly string[] = []
): readonly string[] {
  return collectSearchKeys([
    prefixedHash(hash),
    `sha256:${keyHash(key)}`,
    ...key.subjects,
    ...(payloadHash === undefined ? [] : [prefixedHash(payloadHash)]),
    ...statementKeys
  ])
}
