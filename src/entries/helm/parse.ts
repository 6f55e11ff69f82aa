import { LogError } from '../../errors.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

/** What the chart may be hashed with. */
export const CHART_HASHES: readonly string[] = ['sha256']

export interface Helm {
  readonly publicKey: Uint8Array
  /** The provenance file; undefined in the committed form. */
  readonly provenance: Uint8Array | undefined
  /** Hash of the chart, in the committed form. What a proposal says of it is not looked at. */
  readonly hash: HashValue | undefined
}

/**
 *     { publicKey: { content: b64 }, chart: { provenance: { content: b64 } } }
 *
 * The committed form has, in place of the content of the provenance file, its signature, and of the chart the hash.
 */
export function parseHelm(value: unknown): Helm {
  const spec = readSpec(value)
  const key = objectMember(spec, 'publicKey')
  const publicKey = key && bytesMember(key, 'content', 'publicKey content')
  const chart = objectMember(spec, 'chart')
  const hash = chart && hashMember(chart, 'hash')
  const provenance = chart && objectMember(chart, 'provenance')
  const signature = provenance && objectMember(provenance, 'signature')
  const signed = signature && bytesMember(signature, 'content', 'provenance signature content')
  const content = provenance && bytesMember(provenance, 'content', 'provenance content')
  assertSchema(
    required('chart', chart) ??
      inside(
        'chart',
        inside('chart.hash', hashViolation('chart.hash', hash, CHART_HASHES)) ??
          required('chart.provenance', provenance) ??
          inside(
            'chart.provenance',
            signature &&
              inside(
                'chart.provenance.signature',
                required('chart.provenance.signature.content', signed)
              )
          )
      ),
    required('publicKey', key) ?? inside('publicKey', required('publicKey.content', publicKey))
  )
  if (signed === undefined) presentBytes(content, 'provenance')
  return {
    publicKey: presentBytes(publicKey, 'publicKey'),
    provenance: content,
    hash: hash && checkedHash(hash)
  }
}

/** Base64 of nothing but line ends passes the schema and is empty all the same. */
function presentBytes(bytes: Uint8Array | undefined, owner: string): Uint8Array {
  if (bytes !== undefined && bytes.length > 0) return bytes
  throw new LogError('invalid_request', `'content' must be specified for ${owner}`)
}
