import { assertLogDirectory, type DataPaths, dataPaths } from '../config/data-dir.js'
import { isLogError } from '../errors.js'
import { createCtLeafChecks } from '../ct/leaf-checks.js'
import { type CheckPhase, type CheckReport, checkLog } from '../log/check-log.js'
import { createRekorLeafChecks } from '../rekor/leaf-checks.js'
import type { TreeRecord } from '../store/log-store.js'
import { openDatabase } from '../store/sqlite/open-database.js'
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
    'timestamp, index row and attestation against them. Reads only; a server may be running, then what is checked is\n' +
    'the moment at which it began. Names the first bad thing and exits with 1.\n\n' +
    'It cannot see that the whole directory was replaced by an older copy of itself: compare the checkpoint with one\n' +
    'kept elsewhere, as sigstead entry proof --checkpoint does.',
  config: ['dataDir'],
  run: async (call) => {
    const paths = dataPaths(call.loadConfig().dataDir)
    assertLogDirectory(paths)
    try {
      printGood(call, await checkDirectory(call, paths))
      return EXIT.ok
    } catch (err) {
      return printBad(call, err)
    }
  }
}

async function checkDirectory({ world }: CommandCall, paths: DataPaths): Promise<CheckReport> {
  const bar = createProgressBar(world.stderr, () => performance.now())
  const database = await openDatabase({ path: paths.database, mode: 'read' })
  try {
    return await checkLog({
      database,
      checks: { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() },
      onProgress: ({ phase, done, total }) => bar.show(LABELS[phase], done, total)
    })
  } finally {
    bar.clear()
    await database.close()
  }
}

function printGood({ print }: CommandCall, report: CheckReport): void {
  const { trees, submissions, searchRows, attestations } = report
  const lines = trees.map(
    ({ treeId, log, treeSize, checkpoints, tiles, promises }) =>
      `${LOG_NAMES[log]} tree ${treeId}: ${treeSize} entries, ${tiles} tiles, ${checkpoints} checkpoints, ` +
      `${promises} ${PROMISES[log]}`
  )
  lines.push(
    `${submissions} submissions, ${searchRows} rows of the search index, ${attestations} attestations`,
    'all good'
  )
  print(lines.join('\n'), {
    ok: true,
    trees: trees.map((tree) => ({ ...tree })),
    submissions,
    searchRows,
    attestations
  })
}

/** A finding is the result of this command, so it goes where results go. */
function printBad({ print }: CommandCall, err: unknown): ExitCode {
  if (!isLogError(err, 'integrity')) throw err
  print(`BAD: ${err.message}`, { ok: false, problem: err.message, ...err.details })
  return EXIT.failed
}
