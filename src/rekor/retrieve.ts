import type { ProposedEntry } from '../entries/entry-type.js'
import { LogError, isLogError } from '../errors.js'
import type { EntryVerifier } from './entry-verifier.js'
import { parseEntryId } from './entry-id.js'

/** What entries/retrieve asks for (rekor-v1 §2.5). Absent members are missing. */
export interface LogQuery {
  readonly entries?: readonly ProposedEntry[]
  readonly entryUUIDs?: readonly string[]
  readonly logIndexes?: readonly number[]
}

/** One thing to look for. */
export type Lookup =
  /** In one tree. */
  | { readonly type: 'entry'; readonly treeId: string; readonly leafHash: Uint8Array }
  /** In every tree. */
  | { readonly type: 'leaf'; readonly leafHash: Uint8Array }
  | { readonly type: 'index'; readonly logIndex: number }

/**
 * What a query asks for, in the order in which Rekor answers: entry IDs, then leaf hashes (asked for, then computed
 * from entries), then indexes.
 *
 * @param byteLength of the request
 * @throws LogError `invalid_request` for an entry ID whose tree cannot be, and what the check of an entry says
 */
export async function planLookups(
  { entries = [], entryUUIDs = [], logIndexes = [] }: LogQuery,
  verifier: Pick<EntryVerifier, 'verifyEntry'>,
  byteLength: number
): Promise<readonly Lookup[]> {
  const byId: Lookup[] = []
  const byHash: Lookup[] = []
  for (const text of entryUUIDs) {
    const lookup = lookupOfId(text)
    if (lookup.type === 'entry') byId.push(lookup)
    else byHash.push(lookup)
  }
  const leaves = await Promise.all(
    entries.map((entry) => verifier.verifyEntry(entry, 'lookup', byteLength / entries.length))
  )
  byHash.push(...leaves.map(({ leafHash }): Lookup => ({ type: 'leaf', leafHash })))
  return [
    ...byId,
    ...byHash,
    ...logIndexes.map((logIndex): Lookup => ({ type: 'index', logIndex }))
  ]
}

function lookupOfId(text: string): Lookup {
  try {
    const { treeId, leafHash } = parseEntryId(text)
    return treeId === undefined ? { type: 'leaf', leafHash } : { type: 'entry', treeId, leafHash }
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('invalid_request', `invalid entryID ${text}`, { cause: err })
  }
}
