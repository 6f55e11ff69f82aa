import type { TransparencyLog } from '../log/contract.js'
import { addFirstEntry } from './new-tree.js'
import { type OpenRekorTreeOptions, openRekorTree } from './open-rekor-tree.js'

export type OpenRekorLogOptions = OpenRekorTreeOptions

/**
 * Opens the active tree of the Rekor log as openRekorTree. What an earlier process left unfinished is finished, down to the
 * first entry of a new tree.
 *
 * @param openTree opens it elsewhere
 * @throws LogError as openRekorTree
 */
export async function openRekorLog(
  options: OpenRekorLogOptions,
  openTree: (options: OpenRekorLogOptions) => Promise<TransparencyLog> = openRekorTree
): Promise<TransparencyLog> {
  const log = await openTree(options)
  try {
    await addFirstEntry(log, () => options.signerOf(log.record))
  } catch (err) {
    await log.close()
    throw err
  }
  return log
}
