import { startsWith } from '../encoding/bytes.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { findEntryType } from '../entries/registry.js'
import { LogError, isLogError } from '../errors.js'
import type { TransparencyLog } from '../log/contract.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { createTreeView, type TreeView } from './tree-view.js'

export interface TreeViewsOptions {
  readonly database: Pick<Database, 'trees' | 'logStore' | 'attestation'>
  /** The writer of the active tree. */
  readonly log: Pick<TransparencyLog, 'record' | 'checkpoint'>
  /** Whether entries are handed out with what is kept beside the log. */
  readonly readAttestations: boolean
}

/**
 * Views of all trees of the Rekor log, oldest first. A closed tree shows its last checkpoint, read once.
 *
 * @throws LogError `internal` when `log` does not write the newest tree
 */
export async function openTreeViews(options: TreeViewsOptions): Promise<readonly TreeView[]> {
  const { database, log, readAttestations } = options
  const records = await database.trees('rekor')
  if (records.at(-1)?.treeId !== log.record.treeId) {
    throw new LogError('internal', `tree ${log.record.treeId} is not the newest of the log`)
  }
  const attestationOf = readAttestations ? createAttestationReader(database) : async () => undefined
  return Promise.all(records.map(openView))

  async function openView(record: TreeRecord): Promise<TreeView> {
    const store = database.logStore(record.treeId)
    if (record.treeId === log.record.treeId) {
      return createTreeView({ record, store, checkpoint: () => log.checkpoint(), attestationOf })
    }
    const last = await store.checkpoint()
    return createTreeView({ record, store, checkpoint: () => last, attestationOf })
  }
}

/** How a hashedrekord begins in its canonical form. Most entries are, and for these nothing is kept. */
const HASHEDREKORD = encodeUtf8('{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{').slice()

/** Finds what is kept beside the log for a leaf, by the digest the leaf holds of it (rekor-v1 §10). */
function createAttestationReader(
  database: Pick<Database, 'attestation'>
): (leafValue: Uint8Array) => Promise<Uint8Array | undefined> {
  return async (leafValue) => {
    if (startsWith(leafValue, HASHEDREKORD)) return undefined
    const body = parseJson(leafValue)
    if (!isJsonObject(body)) return undefined
    const { kind, apiVersion, spec } = body
    if (typeof kind !== 'string' || typeof apiVersion !== 'string') return undefined
    const key = attestationKey(kind, apiVersion, spec)
    return key === undefined ? undefined : database.attestation(key)
  }
}

function attestationKey(kind: string, version: string, spec: unknown): string | undefined {
  try {
    return findEntryType(kind, version).attestationKey(spec)
  } catch (err) {
    // Written by a server that knew more kinds: the entry can be read all the same.
    if (isLogError(err, 'unsupported')) return undefined
    throw err
  }
}
