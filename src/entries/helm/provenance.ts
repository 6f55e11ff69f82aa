import { LogError } from '../../errors.js'
import { type ClearSignedMessage, findClearSigned } from '../../keys/pgp/clear-signed.js'
import { labelled } from '../../keys/pgp/failure.js'
import { readText } from '../../keys/pgp/text.js'
import { type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside } from '../schema.js'
import { readFileHashes } from './file-hashes.js'
import { CHART_HASHES } from './parse.js'

/** Between the metadata of the chart and the hash of its file; also ends a YAML document. */
const SEPARATOR = '\n...\n'

/** A provenance file as read; its signature was not checked. */
export interface Provenance {
  readonly message: ClearSignedMessage
  /** `<algorithm>:<digits>` of each file, in order; undefined when none are named at all. */
  readonly fileHashes: readonly string[] | undefined
}

/**
 * Reads what `helm package --sign` writes: a clear-signed message with the metadata of the chart, a separator, and the hash of
 * the chart. The metadata are not looked at.
 *
 * @throws LogError `invalid_request`
 */
export function readProvenance(bytes: Uint8Array): Provenance {
  if (bytes.length === 0) throw invalid('provenance file contains no content')
  const message = findClearSigned(bytes)
  if (message === undefined) throw invalid('unable to decode provenance file')
  try {
    const [, sums] = readText(message.text).split(SEPARATOR, 2)
    if (sums === undefined) throw invalid('message block must have at least two parts')
    return { message, fileHashes: readFileHashes(sums) }
  } catch (err) {
    throw labelled('error occurred parsing message block', err)
  }
}

/**
 * Hash of the chart: that of the first file, case as written. Rekor takes any of several, another each time. What its own schema
 * would refuse when the entry is read back is refused at once.
 *
 * @throws LogError `invalid_request`
 */
export function chartHash({ fileHashes }: Provenance): HashValue {
  if (fileHashes === undefined) throw invalid('unable to locate chart hash')
  const [first] = fileHashes
  if (first === undefined) throw invalid('no checksums found')
  const [algorithm = '', value, extra] = first.split(':')
  if (value === undefined || extra !== undefined) throw invalidHash()
  const violation = hashViolation('chart.hash', { algorithm, value }, CHART_HASHES)
  assertSchema(inside('chart', inside('chart.hash', violation)))
  if (!/^[0-9a-fA-F]{64}$/.test(value)) throw invalidHash()
  return { algorithm, value }
}

function invalidHash(): LogError {
  return invalid('invalid hash found in Provenance file')
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
