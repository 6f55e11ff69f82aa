import type { ProposedEntry } from '../entries/entry-type.js'
import type { EntryVerifier, VerifiedLeaf } from '../rekor/entry-verifier.js'
import { planLookups, type Lookup, type LogQuery } from '../rekor/retrieve.js'
import { lookupKeys, type IndexQuery } from '../rekor/search.js'
import { verifyForSubmit } from '../rekor/verify-for-submit.js'
import type { Contract } from './contract.js'
import { compileBinding, type Binding } from './go-binding.js'
import { RefusedRequest } from './refused-request.js'

/** Operations that take a body. */
export const BODY_OPERATIONS = ['createLogEntry', 'searchLogQuery', 'searchIndex'] as const

export type BodyOperation = (typeof BODY_OPERATIONS)[number]

/** Lookups in one query over all three lists: as many as one request may cost us. */
const MAX_LOOKUPS = 10

/** A body to be read, as it came, in pieces. Plain data. */
export interface BodyTask {
  readonly operation: BodyOperation
  readonly pieces: readonly Uint8Array[]
}

/** What is left of a body once all is done that takes as long as it is large. Plain data. */
export type BodyOutcome =
  | { readonly type: 'entry'; readonly leaf: VerifiedLeaf }
  | { readonly type: 'lookups'; readonly lookups: readonly Lookup[] }
  | { readonly type: 'keys'; readonly keys: readonly string[]; readonly operator: 'and' | 'or' }
  /** A RefusedRequest, which would arrive as a bare Error. */
  | {
      readonly type: 'refused'
      readonly status: number
      readonly code: number
      readonly message: string
    }

/** Reads the bodies of requests and does with them what needs no log, in the order in which it is done for small ones. */
export type BodyReader = (task: BodyTask) => Promise<BodyOutcome>

/** @param verifier on the same thread */
export function createBodyReader(
  contract: Pick<Contract, 'operation' | 'resolve'>,
  verifier: EntryVerifier
): BodyReader {
  const bindings = new Map<BodyOperation, Binding>(
    BODY_OPERATIONS.map((id) => [id, compileBinding(contract.operation(id), contract.resolve)])
  )

  function bind({ operation, pieces }: BodyTask): unknown {
    const body = Buffer.concat(pieces)
    return bindings.get(operation)?.({ params: {}, query: {}, body }).body
  }

  return async (task) => {
    const byteLength = task.pieces.reduce((sum, piece) => sum + piece.length, 0)
    try {
      const body = bind(task)
      switch (task.operation) {
        case 'createLogEntry': {
          const leaf = await verifyForSubmit(verifier, body as ProposedEntry, byteLength)
          return { type: 'entry', leaf }
        }
        case 'searchLogQuery': {
          const query = body as LogQuery
          assertFewLookups(query)
          return { type: 'lookups', lookups: await planLookups(query, verifier, byteLength) }
        }
        case 'searchIndex': {
          const query = body as IndexQuery
          const keys = await lookupKeys(query, verifier)
          return { type: 'keys', keys, operator: query.operator ?? 'or' }
        }
      }
    } catch (err) {
      if (!(err instanceof RefusedRequest)) throw err
      const { status, code, message } = err
      return { type: 'refused', status, code, message }
    }
  }
}

/** @throws RefusedRequest */
export function assertFewLookups(query: LogQuery): void {
  const { entries = [], entryUUIDs = [], logIndexes = [] } = query
  if (entries.length + entryUUIDs.length + logIndexes.length > MAX_LOOKUPS) {
    throw new RefusedRequest(422, 422, `more than max allowed ${MAX_LOOKUPS} entries in request`)
  }
}
