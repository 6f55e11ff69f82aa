import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LogError } from '../errors.js'

/** Where things lie in a data directory. */
export interface DataPaths {
  readonly root: string
  /** The SQLite file; its write-ahead log and lock lie beside it. */
  readonly database: string
  readonly keys: string
  /** Texts of what init has made. */
  readonly transcripts: string
  /** Where the commands of operators reach a server that runs. */
  readonly adminSocket: string
  /** There from the first step of `init` to its last. */
  readonly initMarker: string
}

/**
 * What a data directory is:
 *
 * - `new`: absent, or empty
 * - `unfinished`: `init` was stopped half-way; nothing in it was ever served
 * - `log`: has a database
 * - `foreign`: has something else
 */
export type DataState = 'new' | 'unfinished' | 'log' | 'foreign'

const DATABASE = 'sigstead.db'
const MARKER = 'init.unfinished'

// The root folder of a fresh ext4 volume has this in it.
const IGNORED = ['lost+found']

export function dataPaths(root: string): DataPaths {
  return {
    root,
    database: join(root, DATABASE),
    keys: join(root, 'keys'),
    transcripts: join(root, 'transcripts'),
    adminSocket: join(root, 'admin.sock'),
    initMarker: join(root, MARKER)
  }
}

/** @throws LogError `invalid_request` when it is not a folder or cannot be read */
export function inspectDataDirectory({ root, database, initMarker }: DataPaths): DataState {
  let names: string[]
  try {
    names = readdirSync(root).filter((name) => !IGNORED.includes(name))
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    if (code === 'ENOENT') return 'new'
    throw new LogError('invalid_request', `data directory ${root} cannot be read: ${code}`, {
      cause: err
    })
  }
  if (names.length === 0) return 'new'
  if (existsSync(initMarker)) return 'unfinished'
  return existsSync(database) ? 'log' : 'foreign'
}

/**
 * Refuses to serve what is not a finished log.
 * @throws LogError `invalid_request` with a sentence that says what to do
 */
export function assertLogDirectory(paths: DataPaths): void {
  const state = inspectDataDirectory(paths)
  if (state === 'log') return
  const problem = {
    new: 'holds no log: run sigstead init, or sigstead start, which does both',
    unfinished: 'is from an init that was interrupted: run sigstead init again',
    foreign: `has files in it but no ${DATABASE}: name the right one, or restore it from a backup`
  }[state]
  throw new LogError('invalid_request', `data directory ${paths.root} ${problem}`)
}
