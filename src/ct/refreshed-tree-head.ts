import { equalBytes } from '../encoding/bytes.js'
import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import type { LogSigning } from '../log/contract.js'
import type { Checkpoint, Register, TreeRecord } from '../store/log-store.js'
import type { SignedTreeHead } from './contract.js'
import { readTreeHead } from './signing.js'

/**
 * A tree head that was signed anew because the log stood still. Kept in the register, so that the times of tree heads do
 * not go back when the server is started again.
 */
export interface RefreshedTreeHead {
  readonly note: string
  readonly head: SignedTreeHead
}

/** @throws LogError `invalid_request`, `verification_failed` when what is kept is not a tree head of this log */
export async function readRefreshedTreeHead(
  register: Register,
  record: TreeRecord
): Promise<RefreshedTreeHead | undefined> {
  const cell = await register.read(cellOf(record))
  if (cell === undefined) return undefined
  const note = decodeUtf8(cell)
  return { note, head: readTreeHead(record, note) }
}

/**
 * Signs the published tree head with the time of now and keeps it, before anybody sees it.
 *
 * @returns what is kept now; `before` when another process was faster
 */
export async function refreshTreeHead(
  register: Register,
  record: TreeRecord,
  signing: LogSigning,
  { treeHead }: Checkpoint,
  before: RefreshedTreeHead | undefined
): Promise<RefreshedTreeHead | undefined> {
  const note = await signing.signTreeHead(treeHead)
  const expected = before === undefined ? undefined : encodeUtf8(before.note)
  const kept = await register.swap(cellOf(record), expected, encodeUtf8(note))
  return kept ? { note, head: readTreeHead(record, note) } : before
}

/** The one of the two that is served: the larger, then the later. One size has one root, whoever signed it when. */
export function newestTreeHead(
  published: SignedTreeHead,
  refreshed: SignedTreeHead | undefined
): SignedTreeHead {
  if (refreshed === undefined || refreshed.treeSize !== published.treeSize) return published
  if (!equalBytes(refreshed.rootHash, published.rootHash)) return published
  return refreshed.timestampMs > published.timestampMs ? refreshed : published
}

function cellOf({ treeId }: TreeRecord): string {
  return `ct/${treeId}/sth`
}
