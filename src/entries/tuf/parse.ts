import type { JsonValue } from '../../encoding/canonical-json.js'
import { assertSchema, inside, required } from '../schema.js'
import { objectMember, readSpec } from '../spec-reader.js'

/** Contents as they were sent: objects, or base64 of their text. Anything else is refused when they are read. */
export interface Tuf {
  readonly metadata: JsonValue
  readonly root: JsonValue
}

/**
 *     { metadata: { content: <metadata file> }, root: { content: <root file> } }
 *
 * The committed form is the same, with base64 of canonical texts: a complete proposal.
 */
export function parseTuf(value: unknown): Tuf {
  const spec = readSpec(value)
  const metadata = objectMember(spec, 'metadata')
  const metadataContent = metadata?.content ?? undefined
  const root = objectMember(spec, 'root')
  const rootContent = root?.content ?? undefined
  assertSchema(
    required('metadata', metadata) ??
      inside('metadata', required('metadata.content', metadataContent)),
    required('root', root) ?? inside('root', required('root.content', rootContent))
  )
  // The schema wants both.
  return { metadata: metadataContent as JsonValue, root: rootContent as JsonValue }
}
