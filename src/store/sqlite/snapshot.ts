import type Sqlite from 'better-sqlite3'

/**
 * Takes a new snapshot with a connection that is for reading; with another one, only reads.
 *
 * @returns what the trees were at that moment: every commit of leaves moves a head, every one of promises brings a
 *   checkpoint. Empty where there are no tables yet
 */
export function takeSnapshot(connection: Sqlite.Database): string {
  if (connection.readonly) {
    if (connection.inTransaction) connection.exec('commit')
    connection.exec('begin')
  }
  // The first read takes the snapshot.
  const hasTrees = connection
    .prepare("select count(*) from sqlite_schema where type = 'table' and name = 'tree'")
    .pluck()
    .get()
  if (hasTrees === 0) return ''
  const heads = connection
    .prepare(
      `select tree_id, leaf_offset, state, tree_size, hex(root_hash) as root,
              (select max(tree_size) from checkpoint where checkpoint.tree_key = tree.tree_key) as published,
              (select count(*) from tree) as trees
       from tree order by tree_key`
    )
    .raw()
    .all()
  return JSON.stringify(heads)
}
