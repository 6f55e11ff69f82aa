import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DataPaths, dataPaths, inspectDataDirectory } from '../config/data-dir.js'
import { syncFolder } from '../config/key-files.js'
import type { Config } from '../config/schema.js'
import { LogError, isLogError } from '../errors.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import {
  assertEmptyFolder,
  CEREMONY_FLAGS,
  type Ceremony,
  type CeremonyOutcome,
  makeCeremonyKeys,
  readCeremony
} from './ceremony.js'
import { type CliWorld, type Command, EXIT, UsageError } from './command.js'
import {
  type MadeAuthority,
  type MadeLog,
  ensureAuthority,
  ensureCtLog,
  ensureRekorLog,
  ensureTimestampAuthority
} from '../site/init-parts.js'
import type { Site } from '../site/site.js'
import { describeSite, writeTranscript } from '../site/transcript.js'
import { loadRepository } from '../site/tuf-repository.js'
import { ensureTufRepository, type MadeRepository } from '../site/ensure-tuf-repository.js'

/** What was made; what was there already is not in it. */
export interface Made {
  readonly log?: MadeLog
  readonly certificateLog?: MadeLog
  readonly authority?: MadeAuthority
  readonly timestampAuthority?: MadeAuthority
  readonly tufRepository?: MadeRepository
  /** Keys that were made outside of the data directory. */
  readonly ceremony?: CeremonyOutcome
  /** File that says what there is now; when anything was made. */
  readonly transcriptFile?: string
}

export const initCommand: Command = {
  description:
    'Makes the data directory (mode 0700), in it the key of the log (PKCS#8, mode 0600, encrypted where a passphrase is\n' +
    'configured), a tree with a random ID, and its first entry: a signature over the statement of the log. Then a\n' +
    'certificate log with a key of its own, a certificate authority: key and self-signed root (see ca csr for a root\n' +
    'that is kept elsewhere), a timestamp authority, and a TUF repository with all that clients must know. In a directory\n' +
    'that has a log it adds what is missing of these; refuses one that holds anything else. After an interruption, run it\n' +
    'again. A transcript with all fingerprints is written into the folder transcripts.',
  flags: CEREMONY_FLAGS,
  config: 'all',
  run: async ({ flags, loadConfig, world, print }) => {
    const config = loadConfig()
    const made = await initialize(config, world, readCeremony(flags, config.dataDir))
    if (Object.keys(made).length === 0) {
      throw new LogError(
        'conflict',
        `${config.dataDir} holds a log already, and nothing is missing: sigstead serve serves it`
      )
    }
    print([`in ${config.dataDir} were made:`, ...describeMade(made)].join('\n'), {
      dataDir: config.dataDir,
      ...valueOf(made)
    })
    return EXIT.ok
  }
}

/** A line or more for each thing that was made. */
function describeMade({
  log,
  certificateLog,
  authority,
  timestampAuthority,
  tufRepository,
  ceremony,
  transcriptFile
}: Made): readonly string[] {
  const lines: string[] = []
  if (log !== undefined) {
    lines.push(
      `the log          origin ${log.origin}`,
      `                 log ID ${log.logId}`,
      `                 key file ${log.keyFile} (back it up: without it the log cannot go on)`
    )
  }
  if (certificateLog !== undefined) {
    lines.push(
      `certificate log  log ID ${certificateLog.logId}`,
      `                 key file ${certificateLog.keyFile} (back it up likewise)`
    )
  }
  if (authority !== undefined) {
    lines.push(
      `authority        root ${authority.subject}, until ${authority.notAfter}`,
      `                 SHA-256 ${authority.fingerprint}`,
      `                 key file ${authority.keyFile} (back it up likewise)`
    )
  }
  if (timestampAuthority !== undefined) {
    lines.push(
      `timestamps       ${timestampAuthority.subject}, until ${timestampAuthority.notAfter}`,
      `                 SHA-256 ${timestampAuthority.fingerprint}`,
      `                 key file ${timestampAuthority.keyFile} (back it up likewise)`
    )
  }
  if (tufRepository !== undefined) {
    lines.push(`TUF repository   SHA-256 of root.json ${tufRepository.rootSha256}`)
    for (const [role, file] of Object.entries(tufRepository.keyFiles)) {
      lines.push(`                 key file of ${role}: ${file} (back it up likewise)`)
    }
  }
  if (ceremony !== undefined) {
    for (const [role, files] of Object.entries(ceremony.keyFiles)) {
      lines.push(
        `keys elsewhere   of ${role}: ${ceremony.threshold} of ${files.length} must sign. Carry them away, each to another place:`,
        ...files.map((file) => `                 ${file}`)
      )
    }
  }
  if (transcriptFile !== undefined) lines.push(`transcript       ${transcriptFile}`)
  return lines
}

function valueOf({
  log,
  certificateLog,
  authority,
  timestampAuthority,
  tufRepository,
  ceremony,
  transcriptFile
}: Made): Record<string, JsonValue> {
  return {
    ...log,
    ...(certificateLog === undefined ? {} : { certificateLog: { ...certificateLog } }),
    ...(authority === undefined ? {} : { authority: { ...authority } }),
    ...(timestampAuthority === undefined ? {} : { timestampAuthority: { ...timestampAuthority } }),
    ...(tufRepository === undefined
      ? {}
      : {
          tufRepository: {
            rootSha256: tufRepository.rootSha256,
            keyFiles: { ...tufRepository.keyFiles }
          }
        }),
    ...(ceremony === undefined
      ? {}
      : {
          ceremony: {
            folder: ceremony.folder,
            threshold: ceremony.threshold,
            keyFiles: { ...ceremony.keyFiles }
          }
        }),
    ...(transcriptFile === undefined ? {} : { transcriptFile })
  }
}

/**
 * Makes what configuration asks for and the data directory lacks, in a new directory everything.
 *
 * While a new directory is being filled a marker lies in it, and nothing is served. What a killed init leaves is therefore
 * nothing anybody has seen, and every step either finds its work done or does it.
 *
 * @throws LogError `conflict` when there is anything else, or somebody else is at it
 */
export async function initialize(
  config: Config,
  world: Pick<CliWorld, 'now' | 'randomBytes'>,
  ceremony?: Ceremony
): Promise<Made> {
  const paths = dataPaths(config.dataDir)
  if (ceremony !== undefined) {
    if (!config.tuf.enabled)
      throw new UsageError('--ceremony makes TUF keys, and tuf.enabled is false')
    // Before anything is made.
    assertEmptyFolder(ceremony)
  }
  prepareDirectory(paths, ceremony !== undefined)
  // Holds the lock of the directory from here on.
  const database = await openDatabase({ path: paths.database, mode: 'write', create: true })
  try {
    const site = { config, paths, database, world }
    const log = await ensureRekorLog(site)
    const certificateLog = config.ct.enabled ? await ensureCtLog(site) : undefined
    const authority = config.ca.enabled ? await ensureAuthority(site) : undefined
    const timestampAuthority = config.tsa.enabled ? await ensureTimestampAuthority(site) : undefined
    const { made: tufRepository, outcome } = config.tuf.enabled
      ? await makeRepository(site, ceremony)
      : {}
    const made = {
      ...(log === undefined ? {} : { log }),
      ...(certificateLog === undefined ? {} : { certificateLog }),
      ...(authority === undefined ? {} : { authority }),
      ...(timestampAuthority === undefined ? {} : { timestampAuthority }),
      ...(tufRepository === undefined ? {} : { tufRepository }),
      ...(outcome === undefined ? {} : { ceremony: outcome })
    }
    const isNew = existsSync(paths.initMarker)
    const transcriptFile =
      Object.keys(made).length === 0
        ? undefined
        : writeTranscript(
            paths.transcripts,
            await describeSite(site, foldersOf(ceremony)),
            world.now()
          )
    if (isNew) {
      rmSync(paths.initMarker)
      syncFolder(paths.root)
    }
    return { ...made, ...(transcriptFile === undefined ? {} : { transcriptFile }) }
  } finally {
    await database.close()
  }
}

/** @throws LogError `conflict` where a ceremony comes too late */
async function makeRepository(
  site: Site,
  ceremony: Ceremony | undefined
): Promise<{ readonly made?: MadeRepository | undefined; readonly outcome?: CeremonyOutcome }> {
  if (ceremony === undefined) return { made: await ensureTufRepository(site) }
  if ((await loadRepository(site.database.register)) !== undefined) {
    throw new LogError(
      'conflict',
      'there is a TUF repository already: make keys elsewhere with sigstead tuf key new, and let the root have them with ' +
        'sigstead rotate tuf-root --public-keys'
    )
  }
  const { keys, outcome } = await makeCeremonyKeys(ceremony)
  return { made: await ensureTufRepository(site, keys), outcome }
}

/** Where keys of roles are that are not in the data directory. */
function foldersOf(ceremony: Ceremony | undefined): Readonly<Record<string, string>> {
  if (ceremony === undefined) return {}
  const { folder, offlineTargets } = ceremony
  return { root: folder, ...(offlineTargets ? { targets: folder } : {}) }
}

const MARKER_TEXT = 'sigstead init has not finished\n'

/** So that keys that were to be elsewhere are not made here by whoever finishes it. */
const CEREMONY_MARKER_TEXT = 'sigstead init --ceremony has not finished\n'

function prepareDirectory(paths: DataPaths, hasCeremony: boolean): void {
  const { root, initMarker } = paths
  const state = inspectDataDirectory(paths)
  if (state === 'foreign') {
    throw new LogError('conflict', `${root} is not empty and holds no log: name another directory`)
  }
  if (state === 'unfinished' && !hasCeremony) {
    if (readFileSync(initMarker, 'utf8') === CEREMONY_MARKER_TEXT) {
      throw new LogError(
        'conflict',
        `the init of ${root} was interrupted, and had --ceremony: run it with --ceremony and an empty folder again, or ` +
          'remove the data directory, which nobody has seen yet'
      )
    }
  }
  if (state === 'unfinished' || state === 'log') return
  try {
    // In two steps: Node 20 loops for ever over a recursive one where not even root may (/proc).
    mkdirSync(dirname(root), { recursive: true })
    if (!existsSync(root)) mkdirSync(root, { mode: 0o700 })
    // Exclusively: of two that start at once, one goes on and the other finds the directory taken.
    writeFileSync(initMarker, hasCeremony ? CEREMONY_MARKER_TEXT : MARKER_TEXT, { flag: 'wx' })
    syncFolder(root)
    syncFolder(dirname(root))
  } catch (err) {
    if (isLogError(err)) throw err
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('conflict', `cannot make the data directory ${root}: ${code}`, {
      cause: err
    })
  }
}
