import type Sqlite from 'better-sqlite3'
import { LogError } from '../../errors.js'
import { EMPTY_ROOT_HASH } from '../../merkle/hash.js'
import type { CellChange, Database, NewTree, TreeRecord } from '../log-store.js'
import { hashSearchKey } from '../search-key.js'
import { createStoreAudit } from './store-audit.js'
import { toBytes } from './bytes.js'
import { translateErrors } from './errors.js'
import { createLogStore } from './log-store.js'
import { createRegister, writeCells } from './register.js'
import { MAX_TREE_KEY, leafIndexOf } from './row-id.js'
import { prepareStatements } from './statements.js'
import { recordOfRow } from './tree-row.js'

/** 2^63 − 1: larger tree ids do not fit into an entry id (rekor-v1 §3.2). */
const MAX_TREE_ID = 2n ** 63n - 1n

/** Most search hits without a limit: SQLite's word for all of them. */
const NO_LIMIT = -1

/**
 * Everything in one open and migrated SQLite file.
 *
 * @param onClose called once, after the connection is closed
 */
export function createDatabase(connection: Sqlite.Database, onClose: () => void): Database {
  const statements = prepareStatements(connection)

  const createTree = connection.transaction(
    (tree: NewTree, cells: readonly CellChange[]): TreeRecord => {
      if (!writeCells(statements, cells)) {
        throw new LogError(
          'conflict',
          'somebody else changed what belongs to this change meanwhile'
        )
      }
      if (statements.treeById.get(tree.treeId) !== undefined) {
        throw new LogError('conflict', `there is a tree ${tree.treeId} already`)
      }
      const last = statements.treesOfLog.all(tree.log).at(-1)
      if (last?.state === 'active') {
        const published = statements.checkpoint.get(last.tree_key)?.tree_size
        if (published !== last.tree_size) {
          throw new LogError(
            'conflict',
            `tree ${last.tree_id} has ${last.tree_size} leaves, of which ${published ?? 'none'} are published. ` +
              'Start the server once, so that it publishes the rest'
          )
        }
        statements.freezeTree.run(last.tree_key)
      }
      const row = statements.insertTree.get(
        tree.treeId,
        tree.log,
        last === undefined ? 0 : last.position + 1,
        last === undefined ? 0 : last.leaf_offset + last.tree_size,
        tree.origin,
        tree.publicKey,
        tree.keyName,
        tree.createdTimeSeconds,
        EMPTY_ROOT_HASH
      )
      if (row === undefined || row.tree_key > MAX_TREE_KEY) {
        throw new LogError('internal', `a database holds at most ${MAX_TREE_KEY} trees`)
      }
      return recordOfRow(row)
    }
  ).immediate

  function run<T>(what: string, action: () => T): T {
    return translateErrors(`${connection.name}: cannot ${what}`, action)
  }

  return {
    trees: async (log) =>
      run('read the trees', () => statements.treesOfLog.all(log).map(recordOfRow)),
    createTree: async (tree, cells = []) => {
      assertTreeId(tree.treeId)
      return run('create a tree', () => createTree(tree, cells))
    },
    logStore: (treeId) =>
      run('read the trees', () => {
        const row = statements.treeById.get(treeId)
        if (row === undefined) throw new LogError('not_found', `there is no tree ${treeId}`)
        return createLogStore(connection, statements, row.tree_key, treeId)
      }),
    search: async (log, searchKey, limit = NO_LIMIT) =>
      run('search', () =>
        statements.search.all(hashSearchKey(searchKey), log, limit).map((row) => ({
          treeId: row.tree_id,
          leafIndex: leafIndexOf(row.leaf_id),
          leafHash: toBytes(row.leaf_hash)
        }))
      ),
    attestation: async (key) =>
      run('read an attestation', () => {
        const value = statements.attestation.get(key)
        return value === undefined ? undefined : toBytes(value)
      }),
    register: createRegister(connection, statements),
    audit: createStoreAudit(connection),
    close: async () => {
      if (!connection.open) return
      run('close', () => connection.close())
      onClose()
    }
  }
}

function assertTreeId(treeId: string): void {
  const value = /^[1-9][0-9]{0,18}$/.test(treeId) ? BigInt(treeId) : 0n
  if (value === 0n || value > MAX_TREE_ID) {
    throw new LogError('invalid_request', `"${treeId}" is not a tree id: 1 to ${MAX_TREE_ID}`)
  }
}
