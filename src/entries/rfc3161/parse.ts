import { LogError } from '../../errors.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

/** Longest answer of an authority, as in Rekor. In bytes. */
export const MAX_TSR_BYTES = 10 * 1024

export interface Rfc3161 {
  /** DER of a TimeStampResp as it was sent, not yet read. */
  readonly tsr: Uint8Array
}

/** `{ tsr: { content: b64 of DER } }`, proposed and committed alike. */
export function parseRfc3161(value: unknown): Rfc3161 {
  const spec = readSpec(value)
  const tsr = objectMember(spec, 'tsr')
  const content = tsr && bytesMember(tsr, 'content', 'tsr content')
  assertSchema(required('tsr', tsr) ?? inside('tsr', required('tsr.content', content)))
  const bytes = content as Uint8Array // assertSchema saw it
  // Base64 of nothing but line ends passes the schema.
  if (bytes.length === 0) {
    throw new LogError('invalid_request', "'content' must be specified for data")
  }
  if (bytes.length > MAX_TSR_BYTES) {
    throw new LogError('invalid_request', 'tsr exceeds maximum allowed size (10kB)')
  }
  return { tsr: bytes }
}
