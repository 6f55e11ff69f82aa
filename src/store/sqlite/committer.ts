import type Sqlite from 'better-sqlite3'
import { type LogError, isLogError } from '../../errors.js'
import type { Database, LogStore } from '../log-store.js'
import { translateErrors } from './errors.js'
import { receiveError, sendError } from './write-message.js'

/** One write. */
export interface WriteJob {
  /** What is written. Must not wait for anything but the database it is given. */
  run(database: Database): Promise<unknown>
  /** Told once what was written is on the disk, and survives the loss of power. */
  resolve(result: unknown): void
  /** Told when nothing of it was written. */
  reject(err: LogError): void
}

export interface Committer {
  add(jobs: readonly WriteJob[]): void
  /** Whether it has nothing to do. */
  readonly isIdle: boolean
}

export interface CommitterOptions {
  readonly connection: Sqlite.Database
  /** Writes with that connection. */
  readonly database: Database
  /** Called after all jobs of a commit were told of it, and waited for before the next begins. */
  readonly afterCommit: () => Promise<void>
  /** Called when there is nothing left to do. */
  readonly onIdle: () => void
}

/**
 * Writes what it is given in one turn of the event loop with one commit, and so does it with what comes while a commit
 * waits for the disk.
 */
export function createCommitter(options: CommitterOptions): Committer {
  const { connection, afterCommit, onIdle } = options
  const database = withKeptStores(options.database)
  let waiting: WriteJob[] = []
  let isBusy = false
  let isScheduled = false

  async function work(): Promise<void> {
    isScheduled = false
    isBusy = true
    while (waiting.length > 0) {
      const jobs = waiting
      waiting = []
      await commitTogether(connection, database, jobs)
      await afterCommit()
    }
    isBusy = false
    onIdle()
  }

  return {
    add(jobs) {
      waiting.push(...jobs)
      if (isBusy || isScheduled) return
      isScheduled = true
      setImmediate(() => void work()) // after everything that has arrived
    },
    get isIdle() {
      return !isBusy && waiting.length === 0
    }
  }
}

/** Asks for the store of a tree once: it looks the tree up. */
function withKeptStores(database: Database): Database {
  const stores = new Map<string, LogStore>()
  return {
    ...database,
    logStore: (treeId) => {
      const store = stores.get(treeId) ?? database.logStore(treeId)
      stores.set(treeId, store)
      return store
    }
  }
}

type Outcome = { readonly result: unknown } | { readonly error: LogError }

/** Does all of this in one transaction and tells everybody what became of it. */
async function commitTogether(
  connection: Sqlite.Database,
  database: Database,
  jobs: readonly WriteJob[]
): Promise<void> {
  const outcomes = await runTogether(connection, database, jobs)
  jobs.forEach((job, i) => {
    const outcome = outcomes[i] as Outcome // one for each job
    if ('error' in outcome) job.reject(outcome.error)
    else job.resolve(outcome.result)
  })
}

/**
 * One transaction costs one wait for the disk; each job is in a transaction within it, so that one that fails leaves the
 * others alone. Nobody is told before the commit.
 */
async function runTogether(
  connection: Sqlite.Database,
  database: Database,
  jobs: readonly WriteJob[]
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  try {
    translateErrors('cannot write', () => connection.exec('begin immediate'))
    for (const job of jobs) {
      const outcome = await runOne(job, database)
      // A full disk, for one, undoes the whole transaction.
      if (!connection.inTransaction && 'error' in outcome) return jobs.map(() => outcome)
      outcomes.push(outcome)
    }
    translateErrors('cannot commit', () => connection.exec('commit'))
    return outcomes
  } catch (err) {
    const error = logErrorOf(err)
    if (connection.inTransaction) connection.exec('rollback')
    return jobs.map(() => ({ error }))
  }
}

async function runOne(job: WriteJob, database: Database): Promise<Outcome> {
  try {
    return { result: await job.run(database) }
  } catch (err) {
    return { error: logErrorOf(err) }
  }
}

/** Anything else is a mistake of ours. */
function logErrorOf(err: unknown): LogError {
  return isLogError(err) ? err : receiveError(sendError(err))
}
