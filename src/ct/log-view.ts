import { LogError } from '../errors.js'
import { createProver } from '../log/proofs.js'
import type { LogStore, SideData, StoredLeaf, TreeRecord } from '../store/log-store.js'
import { concatBytes } from '../encoding/bytes.js'
import { encodeTlsOpaque24 } from '../encoding/tls.js'
import type { CtEntry, CtLogView, SignedTreeHead } from './contract.js'
import { ctLogIdOf } from './signing.js'

/** Entries of one answer, as other logs have it. */
export const MAX_ENTRIES = 1000

/** Bytes after which an answer ends early. Entries of our own authority take some three thousand. */
const MAX_ENTRIES_BYTES = 16 * 1024 * 1024

/** Entries read at once. */
const PAGE = 100

export interface LogViewOptions {
  readonly record: TreeRecord
  readonly store: LogStore
  /** The newest tree head that was signed. */
  readonly signedTreeHead: () => SignedTreeHead
}

/** What strangers see of one tree: nothing beyond its signed tree head. */
export function createLogView({ record, store, signedTreeHead }: LogViewOptions): CtLogView {
  const size = (): number => signedTreeHead().treeSize
  const prover = createProver(store)

  async function entry(leafIndex: number): Promise<CtEntry> {
    const [[leaf], [side]] = await Promise.all([
      store.leaves(leafIndex, leafIndex + 1),
      store.sideData(leafIndex, leafIndex + 1)
    ])
    return renderEntry(record.treeId, leafIndex, leaf, side)
  }

  return {
    logId: ctLogIdOf(record.publicKey),
    publicKey: record.publicKey,
    treeId: record.treeId,
    signedTreeHead,

    async proveConsistency(firstSize, secondSize) {
      if (firstSize > secondSize) {
        throw invalid(`first must be <= second (got ${firstSize} and ${secondSize})`)
      }
      if (secondSize > size()) throw invalid(`second is beyond the tree of size ${size()}`)
      if (firstSize === 0 || firstSize === secondSize) return []
      return prover.consistency(firstSize, secondSize)
    },

    async proveByHash(leafHash, treeSize) {
      if (treeSize < 1) throw invalid('tree_size must be >= 1')
      if (treeSize > size()) {
        throw new LogError('not_found', `tree_size is beyond the tree of size ${size()}`)
      }
      const leafIndex = await store.findLeaf(leafHash)
      if (leafIndex === undefined || leafIndex >= treeSize) {
        throw new LogError('not_found', `no entry with this hash in the tree of size ${treeSize}`)
      }
      return { leafIndex, auditPath: await prover.inclusion(leafIndex, treeSize) }
    },

    async entries(start, end) {
      if (start > end) throw invalid(`start must be <= end (got ${start} and ${end})`)
      if (start >= size()) throw invalid(`start is beyond the tree of size ${size()}`)
      const entries: CtEntry[] = []
      let bytes = 0
      const stop = lastOf(start, end, size()) + 1
      for (let at = start; at < stop && bytes < MAX_ENTRIES_BYTES; at += PAGE) {
        const next = Math.min(at + PAGE, stop)
        const [leaves, sides] = await Promise.all([
          store.leaves(at, next),
          store.sideData(at, next)
        ])
        for (let i = 0; i < next - at && bytes < MAX_ENTRIES_BYTES; i++) {
          const rendered = renderEntry(record.treeId, at + i, leaves[i], sides[i])
          entries.push(rendered)
          bytes += rendered.leafInput.length + rendered.extraData.length
        }
      }
      return entries
    },

    async entryAndProof(leafIndex, treeSize) {
      if (treeSize < 1) throw invalid('tree_size must be >= 1')
      if (leafIndex >= treeSize) {
        throw invalid(`leaf_index must be < tree_size (got ${leafIndex} and ${treeSize})`)
      }
      if (treeSize > size()) throw invalid(`tree_size is beyond the tree of size ${size()}`)
      const [found, auditPath] = await Promise.all([
        entry(leafIndex),
        prover.inclusion(leafIndex, treeSize)
      ])
      return { ...found, auditPath }
    }
  }
}

/**
 * Index of the last entry of an answer. One that is cut short ends where the next full one begins, so that readers fall
 * into step with each other and with caches.
 */
function lastOf(start: number, end: number, treeSize: number): number {
  const last = Math.min(end, treeSize - 1)
  if (last - start < MAX_ENTRIES) return last
  return start + MAX_ENTRIES - (start % MAX_ENTRIES) - 1
}

/** Joins what is stored apart: the precertificate of its own, and the chain it shares with others. */
function renderEntry(
  treeId: string,
  leafIndex: number,
  leaf: StoredLeaf | undefined,
  side: SideData | undefined
): CtEntry {
  if (
    leaf?.leafIndex !== leafIndex ||
    side?.leafIndex !== leafIndex ||
    side.attestation === undefined
  ) {
    throw new LogError('integrity', `entry ${leafIndex} of certificate log ${treeId} is not whole`)
  }
  const { attestation, extraData } = side
  return {
    leafInput: leaf.leafValue,
    extraData:
      extraData === undefined
        ? attestation
        : concatBytes(encodeTlsOpaque24(extraData, 'extra data: precertificate'), attestation)
  }
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
