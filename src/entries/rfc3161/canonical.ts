import { encodeBase64 } from '../../encoding/base64.js'
import { prefixedHash } from '../hash-value.js'
import { encodeLeafValue, sha256Value } from '../leaf.js'
import type { Rfc3161 } from './parse.js'

export function rfc3161LeafValue({ tsr }: Rfc3161): Uint8Array {
  return encodeLeafValue('rfc3161', '0.0.1', { tsr: { content: encodeBase64(tsr) } })
}

/** Hash of the answer as a whole: not of what was timestamped. */
export function rfc3161SearchKeys({ tsr }: Rfc3161): readonly string[] {
  return [prefixedHash(sha256Value(tsr))]
}
