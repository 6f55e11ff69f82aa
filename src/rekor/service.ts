import { encodeHex, encodeHexEach } from '../encoding/hex.js'
import type { ProposedEntry } from '../entries/entry-type.js'
import { LogError, isLogError } from '../errors.js'
import { locateLogIndex } from '../log/shards.js'
import type { Succession } from '../log/succession.js'
import type { Database } from '../store/log-store.js'
import { formatEntryId, isInt64, parseEntryId } from './entry-id.js'
import type { EntryVerifier, VerifiedLeaf } from './entry-verifier.js'
import type { RekorGeneration } from './generation.js'
import { renderLogEntry, type LoggedEntry } from './log-entry.js'
import { planLookups, type Lookup, type LogQuery } from './retrieve.js'
import { combineHits, lookupKeys, type IndexQuery } from './search.js'
import { buildLogStatement } from './statement.js'
import { renderTreeInfo, type TreeInfo, type TreeView } from './tree-view.js'
import { verifyForSubmit } from './verify-for-submit.js'

export type { LoggedEntry } from './log-entry.js'

/** getLogInfo, as it goes over the wire (rekor-v1 §2.6). */
export interface LogInfo extends TreeInfo {
  /** `null` when there are none, as Go writes an empty list. */
  readonly inactiveShards: readonly TreeInfo[] | null
}

/** getLogProof, as it goes over the wire. */
export interface ConsistencyAnswer {
  readonly hashes: readonly string[]
  /** Of the tree as it is published now, not of the size asked for: so does Rekor. */
  readonly rootHash: string
}

/** Rekor v1 without HTTP. Reads show what is published and sign nothing. */
export interface RekorService {
  /**
   * Verifies an entry, adds it, and answers once it is published and its proof was checked.
   *
   * @param byteLength of the request it came in
   * @throws LogError `already_exists` with `entryId` in its details; `invalid_request`, `unsupported` or
   *   `verification_failed`, worded as Rekor does; `overloaded`, `timeout`, `log_frozen`, `integrity`, `internal`
   */
  submit(proposed: ProposedEntry, byteLength: number): Promise<LoggedEntry>
  /** The second half of `submit`, for an entry that came through verifyForSubmit elsewhere. @throws LogError likewise */
  submitVerified(leaf: VerifiedLeaf): Promise<LoggedEntry>
  entryByIndex(logIndex: number): Promise<LoggedEntry | undefined>
  /** @param id 64 or 80 hex digits. @throws LogError `invalid_request` for a tree ID no tree can have */
  entryById(id: string): Promise<LoggedEntry | undefined>
  /** What exists of what was asked for. @throws LogError `invalid_request`, and what the check of an entry says */
  retrieve(query: LogQuery, byteLength: number): Promise<readonly LoggedEntry[]>
  /** The second half of `retrieve`, for a query that came through planLookups elsewhere. */
  retrieveLookups(lookups: readonly Lookup[]): Promise<readonly LoggedEntry[]>
  /** Entry IDs. @throws LogError `invalid_request` | `unsupported` for the public key of the query */
  searchIndex(query: IndexQuery): Promise<readonly string[]>
  /** The second half of `searchIndex`, for a query that came through lookupKeys elsewhere. */
  searchKeys(keys: readonly string[], operator: 'and' | 'or'): Promise<readonly string[]>
  logInfo(): Promise<LogInfo>
  /** PEM of a tree's key; undefined when there is no such tree. @param treeId decimal; without it the active tree */
  publicKey(treeId?: string): string | undefined
  /** @throws LogError `invalid_request` for sizes or a tree that are not there */
  proof(firstSize: number, lastSize: number, treeId?: string): Promise<ConsistencyAnswer>
  /** What the first entry of a tree signs; undefined when there is no such tree. */
  statement(treeId: string): string | undefined
}

/** For metrics. */
export interface RekorObserver {
  newEntry(): void
  indexLookup(lookup: { readonly seconds: number; readonly success: boolean }): void
}

export interface RekorServiceOptions {
  /** The trees and their writer, which a rotation replaces. */
  readonly generations: Succession<RekorGeneration>
  readonly database: Pick<Database, 'search'>
  readonly verifier: EntryVerifier
  readonly observer: RekorObserver
  /** Milliseconds that only ever grow, for measuring. */
  readonly monotonicMs: () => number
}

export function createRekorService(options: RekorServiceOptions): RekorService {
  const { generations, database, verifier, observer, monotonicMs } = options

  async function submit(proposed: ProposedEntry, byteLength: number): Promise<LoggedEntry> {
    return submitVerified(await verifyForSubmit(verifier, proposed, byteLength))
  }

  function submitVerified(leaf: VerifiedLeaf): Promise<LoggedEntry> {
    return generations.use((generation) => add(leaf, generation))
  }

  async function add(leaf: VerifiedLeaf, generation: RekorGeneration): Promise<LoggedEntry> {
    const { active, log } = generation
    const { record, logId } = active
    const { leafHash, leafValue, searchKeys, attestation } = leaf
    const added = await log.add({
      leafHash,
      leafValue,
      searchKeys,
      ...(attestation === undefined ? {} : { attestation })
    })
    const { leafIndex, integratedTimeSeconds, inclusionPromise, checkpoint } = added
    if (added.duplicate) {
      const entryId = formatEntryId(record.treeId, leafHash)
      throw new LogError(
        'already_exists',
        `an equivalent entry already exists in the transparency log with UUID ${entryId}`,
        { details: { entryId, leafIndex } }
      )
    }
    observer.newEntry()
    const inclusionProof = await active.proveInclusion(leafIndex, checkpoint)
    await generation.assertLogged({ leafHash, leafValue, added, inclusionProof })
    return renderLogEntry({
      record,
      logId,
      leaf: { leafIndex, leafHash, leafValue, integratedTimeSeconds, inclusionPromise },
      checkpoint,
      inclusionProof
    })
  }

  async function entryByIndex(logIndex: number): Promise<LoggedEntry | undefined> {
    const { records, find } = generations.current
    const { treeId, leafIndex } = locateLogIndex(records, logIndex)
    return find(treeId)?.readEntry(leafIndex)
  }

  /** The entry in the first of these trees that has it. */
  async function entryByHash(
    leafHash: Uint8Array,
    among: readonly TreeView[]
  ): Promise<LoggedEntry | undefined> {
    for (const tree of among) {
      const leafIndex = await tree.findLeaf(leafHash)
      if (leafIndex !== undefined) return tree.readEntry(leafIndex)
    }
    return undefined
  }

  function treesById(treeId: string): readonly TreeView[] {
    const tree = generations.current.find(treeId)
    return tree === undefined ? [] : [tree]
  }

  async function entryById(id: string): Promise<LoggedEntry | undefined> {
    const { treeId, leafHash } = readEntryId(id)
    const { active, inactive } = generations.current
    return entryByHash(leafHash, treeId === undefined ? [active, ...inactive] : treesById(treeId))
  }

  async function look(lookup: Lookup): Promise<readonly (LoggedEntry | undefined)[]> {
    switch (lookup.type) {
      case 'entry':
        return [await entryByHash(lookup.leafHash, treesById(lookup.treeId))]
      case 'leaf':
        return Promise.all(
          generations.current.trees.map((tree) => entryByHash(lookup.leafHash, [tree]))
        )
      case 'index':
        return [await entryByIndex(lookup.logIndex)]
    }
  }

  async function retrieveLookups(lookups: readonly Lookup[]): Promise<readonly LoggedEntry[]> {
    const found = await Promise.all(lookups.map(look))
    return found.flat().filter((entry) => entry !== undefined)
  }

  async function searchKeys(
    keys: readonly string[],
    operator: 'and' | 'or'
  ): Promise<readonly string[]> {
    return combineHits(await Promise.all(keys.map(lookUpKey)), operator)
  }

  /** @param treeId as it was asked for; without it the active tree */
  function findTree(treeId: string | undefined): TreeView | undefined {
    const { active, find } = generations.current
    return treeId === undefined ? active : find(normalTreeId(treeId))
  }

  async function lookUpKey(searchKey: string): Promise<ReadonlySet<string>> {
    const started = monotonicMs()
    let success = false
    try {
      const hits = await database.search('rekor', searchKey)
      success = true
      const { find } = generations.current
      const visible = hits.filter(({ treeId, leafIndex }) => find(treeId)?.hasLeaf(leafIndex))
      return new Set(visible.map(({ treeId, leafHash }) => formatEntryId(treeId, leafHash)))
    } finally {
      observer.indexLookup({ seconds: (monotonicMs() - started) / 1000, success })
    }
  }

  return {
    submit,
    submitVerified,
    entryByIndex,
    entryById,
    async retrieve(query, byteLength) {
      return retrieveLookups(await planLookups(query, verifier, byteLength))
    },
    retrieveLookups,
    async searchIndex(query) {
      return searchKeys(await lookupKeys(query, verifier), query.operator ?? 'or')
    },
    searchKeys,
    async logInfo() {
      const { active, inactive } = generations.current
      const inactiveShards = inactive.length === 0 ? null : inactive.map(renderTreeInfo)
      return { inactiveShards, ...renderTreeInfo(active) }
    },
    publicKey: (treeId) => findTree(treeId)?.publicKeyPem,
    async proof(firstSize, lastSize, treeId) {
      if (firstSize > lastSize) {
        throw refused(`firstSize(${firstSize}) must be less than lastSize(${lastSize})`)
      }
      if (treeId !== undefined && !isInt64(treeId)) {
        throw refused(`invalid tree ID specified: ${treeId}`)
      }
      const tree = findTree(treeId)
      if (tree === undefined) {
        throw refused(`no log range found for tree ID ${normalTreeId(treeId ?? '')}`)
      }
      const { treeHead } = tree.checkpoint()
      if (lastSize > treeHead.treeSize) {
        throw refused(
          `the tree size requested(${lastSize}) was greater than what is currently observable(${treeHead.treeSize})`
        )
      }
      const hashes = await tree.proveConsistency(firstSize, lastSize)
      return { rootHash: encodeHex(treeHead.rootHash), hashes: encodeHexEach(hashes) }
    },
    statement(treeId) {
      const record = generations.current.find(treeId)?.record
      return record === undefined ? undefined : buildLogStatement(record)
    }
  }
}

/** A tree ID without the zeros Go's parser would ignore. */
function normalTreeId(treeId: string): string {
  return treeId.replace(/^0+(?=.)/, '')
}

function readEntryId(id: string): ReturnType<typeof parseEntryId> {
  try {
    return parseEntryId(id)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('invalid_request', `validation error: ${err.message}`, { cause: err })
  }
}

function refused(message: string): LogError {
  return new LogError('invalid_request', message)
}
