/** Where an entry can be read, relative to the host. Clients take its last segment for the entry ID. */
export function entryLocation(entryId: string): string {
  return `/api/v1/log/entries/${entryId}`
}

/** Where the statement that the first entry of a tree signs can be read, relative to the host. */
export function statementLocation(treeId: string): string {
  return `/log-statement/${treeId}`
}
