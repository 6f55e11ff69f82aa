import type { DataPaths } from '../config/data-dir.js'
import type { Config } from '../config/schema.js'
import type { Database } from '../store/log-store.js'

/** One data directory, open for writing. */
export interface Site {
  readonly config: Config
  readonly paths: DataPaths
  readonly database: Database
  readonly world: {
    /** Milliseconds since the epoch. */
    readonly now: () => number
    /** Unpredictable bytes. */
    readonly randomBytes: (length: number) => Uint8Array
  }
}
