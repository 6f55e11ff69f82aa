import { type JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { goMember, matchesShape, type Shape } from './go-struct.js'

/** The payload type whose subjects and materials are indexed. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json'

const SUBJECTS: Shape = { subject: [{ digest: 'texts' }] }

const MATERIALS: Shape = { materials: [{ digest: 'texts' }] }

/** All of SLSA provenance 0.2: the intoto kinds take materials only from a statement that decodes as a whole. */
const PROVENANCE: Shape = {
  _type: 'text',
  predicateType: 'text',
  subject: [{ name: 'text', digest: 'texts' }],
  predicate: {
    builder: { id: 'text' },
    buildType: 'text',
    invocation: {
      configSource: { uri: 'text', digest: 'texts', entryPoint: 'text' },
      parameters: 'any',
      environment: 'any'
    },
    buildConfig: 'any',
    metadata: {
      buildInvocationId: 'text',
      buildStartedOn: 'time',
      buildFinishedOn: 'time',
      completeness: { parameters: 'boolean', environment: 'boolean', materials: 'boolean' },
      reproducible: 'boolean'
    },
    materials: [{ uri: 'text', digest: 'texts' }]
  }
}

/**
 * Search keys `<algorithm>:<digest>` of an in-toto statement: all of `subject`, then `predicate.materials`.
 *
 * @param materialsOf `predicate`: any predicate with materials, as for dsse; `provenance`: only SLSA provenance 0.2, as
 *   for intoto; `nothing`: subjects only, as for cose
 * @returns undefined when the payload is no statement
 */
export function statementSearchKeys(
  payload: Uint8Array,
  materialsOf: 'predicate' | 'provenance' | 'nothing'
): readonly string[] | undefined {
  const statement = tryParseJson(payload)
  if (statement === undefined || !isObjectOrNull(statement)) return undefined
  if (!matchesShape(statement, SUBJECTS)) return undefined
  const predicate = goMember(statement, 'predicate')
  const hasMaterials =
    materialsOf !== 'nothing' &&
    (materialsOf === 'predicate'
      ? matchesShape(predicate, MATERIALS)
      : matchesShape(statement, PROVENANCE))
  return [
    ...digestKeys(goMember(statement, 'subject')),
    ...(hasMaterials ? digestKeys(goMember(predicate, 'materials')) : [])
  ]
}

function tryParseJson(payload: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(payload)
  } catch {
    return undefined // parseJson throws nothing but that it is not JSON
  }
}

function isObjectOrNull(value: JsonValue): boolean {
  return value === null || isJsonObject(value)
}

/** @param items passed the shape of an array of objects with a digest */
function* digestKeys(items: JsonValue | undefined): Generator<string> {
  if (!Array.isArray(items)) return
  for (const item of items as readonly JsonValue[]) {
    const digests = goMember(item, 'digest')
    if (!isJsonObject(digests)) continue
    for (const [algorithm, digest] of Object.entries(digests)) {
      yield `${algorithm}:${typeof digest === 'string' ? digest : ''}`
    }
  }
}
