import { LogError } from '../errors.js'

/** What can be found to be bad. */
export type CheckedThing =
  | 'storage'
  | 'tree'
  | 'leaf'
  | 'tile'
  | 'treeHead'
  | 'checkpoint'
  | 'promise'
  | 'leafHashIndex'
  | 'searchIndex'
  | 'attestation'
  | 'submission'
  | 'extraData'

/** Where it is: a leaf index, a tree size for checkpoints, a tile index (with `level`). */
export interface CheckedPlace {
  readonly treeId?: string
  readonly index?: number
  readonly level?: number
}

/** The error a check ends with: `details` name the thing and the place. */
export function badThing(
  what: CheckedThing,
  place: CheckedPlace,
  problem: string,
  cause?: unknown
): LogError {
  return new LogError('integrity', problem, { cause, details: { what, ...place } })
}

/**
 * Runs a check that was handed in: whatever it throws becomes the finding.
 * @param problem begins the message; the cause's message ends it
 */
export async function expectGood(
  what: CheckedThing,
  place: CheckedPlace,
  problem: string,
  check: () => void | Promise<void>
): Promise<void> {
  try {
    await check()
  } catch (err) {
    const detail = err instanceof Error ? err.message : String(err)
    throw badThing(what, place, `${problem}: ${detail}`, err)
  }
}
