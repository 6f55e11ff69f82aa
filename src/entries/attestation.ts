import { isJsonObject } from '../encoding/json.js'
import type { Attestation } from './entry-type.js'
import { hashMember, prefixedHash } from './hash-value.js'
import { sha256Value } from './leaf.js'
import { objectMember } from './spec-reader.js'

/**
 * What intoto entries keep beside the leaf: the payload, unless it may be larger than the limit. Like Rekor this looks at
 * the most its base64 text could decode to, up to two bytes above the true size.
 */
export function attestationOf(
  payloadText: string,
  payload: Uint8Array,
  maxAttestationBytes: number
): { readonly attestation?: Attestation } {
  if (Math.floor(payloadText.length / 4) * 3 > maxAttestationBytes) return {}
  return { attestation: { key: prefixedHash(sha256Value(payload)), value: payload } }
}

/** Key of the attestation of a stored intoto entry: its `content.payloadHash`, which old entries lack. */
export function storedAttestationKey(spec: unknown): string | undefined {
  const content = isJsonObject(spec) ? objectMember(spec, 'content') : undefined
  const hash = content && hashMember(content, 'payloadHash')
  if (hash?.algorithm === undefined || hash.value === undefined) return undefined
  return prefixedHash({ algorithm: hash.algorithm, value: hash.value })
}
