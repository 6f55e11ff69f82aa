import type { Logger } from 'pino'
import type { DataPaths } from '../config/data-dir.js'
import type { Config } from '../config/schema.js'
import type { CheckQueue } from '../keys/check-queue.js'
import type { Announcement } from '../front/announcement.js'
import type { Metrics } from '../metrics.js'
import type { Database } from '../store/log-store.js'
import type { Closers } from './closing.js'
import type { OpenForWriting, Writer } from './database.js'

/** What a server needs from the world beside its configuration. */
export interface ServerOptions {
  readonly logger: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds that only ever grow, for measuring. */
  readonly monotonicMs: () => number
  /** Unpredictable bytes. */
  readonly randomBytes: (length: number) => Uint8Array
  /** Who writes to the database: this thread (without it), or one beside it, so that this one never waits for the disk. */
  readonly writer?: Writer
  /** Threads that answer requests begin here; tests bring the compiled module, which starts sooner. */
  readonly frontWorkerUrl?: URL
}

/** What the parts of a server are built from. */
export interface Foundation {
  readonly config: Config
  readonly options: ServerOptions
  readonly paths: DataPaths
  readonly database: Database
  /** What writes to it, where that is a thread of its own: logs can live there. */
  readonly thread: OpenForWriting['thread']
  readonly metrics: Metrics
  readonly closers: Closers
  /** What is published, for other threads; undefined where there are none. */
  readonly announcement: Announcement | undefined
  /** Checks signatures for all parts, so that what comes at one time is checked in one go. */
  readonly checks: CheckQueue
}

/** An idle log proves itself this often, or three times within the age that health allows. */
const HEARTBEAT_MS = 5000

/** How often an idle log proves that it works. */
export function heartbeatOf({ healthMaxAgeMs }: Config): number {
  return Math.min(HEARTBEAT_MS, Math.ceil(healthMaxAgeMs / 3))
}
