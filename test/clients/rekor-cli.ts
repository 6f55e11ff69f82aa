import type { Suite } from './clients.js'
import type { Outcome } from './clients.js'
import type { Session } from './session.js'

/** What `rekor-cli upload --format json` prints. */
export interface Uploaded {
  readonly AlreadyExists: boolean
  /** Path of the entry, ending with its entry id. */
  readonly Location: string
  /** Log index; 0 when the entry existed. */
  readonly Index: number
}

/** What `rekor-cli get --format json` prints. */
export interface Got {
  readonly Attestation: string
  readonly Body: Readonly<Record<string, unknown>>
  readonly LogIndex: number
  readonly UUID: string
}

/** What `rekor-cli loginfo --format json` prints. */
export interface LogInfo {
  readonly ActiveTreeSize: number
  readonly TotalTreeSize: number
  readonly RootHash: string
  readonly TreeID: string
}

/** Runs rekor-cli against the session's log, trusting only the log key the session knows. */
export function rekorCli(
  session: Session,
  suite: Suite,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {}
): Promise<Outcome> {
  return session.run(suite, 'rekor-cli', args, {
    REKOR_REKOR_SERVER_PUBLIC_KEY: session.logKey,
    ...env
  })
}

/** The JSON a rekor-cli run printed. @throws Error when it failed or printed something else */
export function printed<T>(outcome: Outcome): T {
  if (outcome.status !== 0) throw new Error(`${outcome.command}: ${outcome.stderr}`)
  return JSON.parse(outcome.stdout) as T
}

/** Entry id (80 hex digits) at the end of a location. */
export function entryIdOf(location: string): string {
  const entryId = /\/([0-9a-f]{80})$/.exec(location)?.[1]
  if (entryId === undefined) throw new Error(`no entry id in ${location}`)
  return entryId
}
