import { availableParallelism } from 'node:os'
import { assertLogDirectory, type DataPaths, dataPaths } from '../config/data-dir.js'
import { isLogError } from '../errors.js'
import { createCtLeafChecks } from '../ct/leaf-checks.js'
import { type CheckPhase, type CheckReport, checkLog } from '../log/check-log.js'
import { createRekorLeafChecks } from '../rekor/leaf-checks.js'
import { loadStagedChange } from '../site/planned-change.js'
import { loadRepository } from '../site/tuf-repository.js'
import { loadAuthorityState } from '../store/authority-records.js'
import type { Database, TreeRecord } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { type CheckPool, createCheckPool } from './check-pool.js'
import { type Command, type CommandCall, EXIT, type ExitCode } from './command.js'
import { createProgressBar } from './progress.js'

const LABELS: Readonly<Record<CheckPhase, string>> = {
  storage: 'database file',
  leaves: 'entries',
  leafHashIndex: 'leaf hash index',
  submissions: 'submissions',
  searchIndex: 'search index',
  attestations: 'attestations'
}

const LOG_NAMES: Readonly<Record<TreeRecord['log'], string>> = { rekor: 'Rekor', ct: 'CT' }

const PROMISES: Readonly<Record<TreeRecord['log'], string>> = {
  rekor: 'signed entry timestamps',
  ct: 'signed certificate timestamps'
}

export const verifyCommand: Command = {
  description:
    'Recomputes every tree from the stored bytes of its entries and checks each tile, checkpoint, signed entry\n' +
    'timestamp, index row and attestation against them, then the signatures and files of the TUF repository. Reads only; a\n' +
    'server may be running, then what is checked is the moment at which it began. Names the first bad thing and exits\n' +
    'with 1.\n\n' +
    'It cannot see that the whole directory was replaced by an older copy of itself: compare the checkpoint with one\n' +
    'kept elsewhere, as sigstead entry proof --checkpoint does.',
  config: ['dataDir'],
  run: async (call) => {
    const paths = dataPaths(call.loadConfig().dataDir)
    assertLogDirectory(paths)
    try {
      const { report, roots } = await checkDirectory(call, paths)
      printGood(call, report, roots)
      return EXIT.ok
    } catch (err) {
      return printBad(call, err)
    }
  }
}

async function checkDirectory(
  { world }: CommandCall,
  paths: DataPaths
): Promise<{ readonly report: CheckReport; readonly roots: number | undefined }> {
  const bar = createProgressBar(world.stderr, () => performance.now())
  const path = paths.database
  const database = await openDatabase({ path, mode: 'read' })
  let pool: CheckPool | undefined
  try {
    const threads =
      (await countLeaves(database)) < MIN_LEAVES_FOR_THREADS ? 1 : availableParallelism()
    if (threads > 1) pool = createCheckPool({ path, threads })
    const runner = (await pool?.shareSnapshot(database)) === true ? pool?.runner : undefined
    const report = await checkLog({
      database,
      checks: { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() },
      onProgress: ({ phase, done, total }) => bar.show(LABELS[phase], done, total),
      ...(runner === undefined ? {} : { runner })
    })
    return { report, roots: await checkCells(database) }
  } finally {
    bar.clear()
    await pool?.close()
    await database.close()
  }
}

/** Below this a check is done before threads have started. */
const MIN_LEAVES_FOR_THREADS = 32_768

async function countLeaves(database: Database): Promise<number> {
  let leaves = 0
  for (const log of ['rekor', 'ct'] as const) {
    for (const { treeId } of await database.trees(log)) {
      leaves += (await database.logStore(treeId).treeHead()).treeSize
    }
  }
  return leaves
}

/** Reading them checks them. @returns how many roots the TUF repository has */
async function checkCells({ register }: Database): Promise<number | undefined> {
  for (const owner of ['ca', 'tsa'] as const) await loadAuthorityState(register, owner)
  await loadStagedChange(register)
  return (await loadRepository(register))?.repository.roots.length
}

function printGood({ print }: CommandCall, report: CheckReport, roots: number | undefined): void {
  const { trees, submissions, searchRows, attestations } = report
  const lines = trees.map(
    ({ treeId, log, treeSize, checkpoints, tiles, promises }) =>
      `${LOG_NAMES[log]} tree ${treeId}: ${treeSize} entries, ${tiles} tiles, ${checkpoints} checkpoints, ` +
      `${promises} ${PROMISES[log]}`
  )
  lines.push(
    `${submissions} submissions, ${searchRows} rows of the search index, ${attestations} attestations`,
    ...(roots === undefined ? [] : [`TUF repository: ${roots} roots`]),
    'all good'
  )
  print(lines.join('\n'), {
    ok: true,
    trees: trees.map((tree) => ({ ...tree })),
    submissions,
    searchRows,
    attestations,
    ...(roots === undefined ? {} : { tufRoots: roots })
  })
}

/** A finding is the result of this command, so it goes where results go. */
function printBad({ print }: CommandCall, err: unknown): ExitCode {
  if (!isLogError(err, 'integrity')) throw err
  print(`BAD: ${err.message}`, { ok: false, problem: err.message, ...err.details })
  return EXIT.failed
}
