import { readFileSync } from 'node:fs'
import { batchLimits } from '../config/schema.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { type AuthorityState, loadAuthorityState } from '../store/authority-records.js'
import type { CtService } from '../ct/contract.js'
import { openCtLog } from '../ct/open-ct-log.js'
import { createCtService } from '../ct/service.js'
import { createSucceedingCtService, type CtGeneration } from '../ct/succeeding-service.js'
import { LogError } from '../errors.js'
import { createSuccession, type Succession } from '../log/succession.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import { type Foundation, heartbeatOf } from './foundation.js'
import { createEventSink } from './log-events.js'

/** A tree head is never older than this, also when nothing happens. */
const REFRESH_MS = 60 * 60 * 1000

/** The certificate log with what is needed to replace it. */
export interface CertificateLog {
  readonly ct: CtService
  readonly generations: Succession<CtGeneration>
  /** Opens what the database says is the log now, after holding it against its key. */
  readonly reopen: () => Promise<CtGeneration>
  /** Reads anew whose certificates are taken: before another authority issues. */
  readonly reloadRoots: () => Promise<void>
}

/** Opens the certificate log. */
export async function openCertificateLog(foundation: Foundation): Promise<CertificateLog> {
  const { config, database, closers } = foundation
  const readRoots = async (): Promise<readonly Uint8Array[]> =>
    acceptedRoots(
      (await loadAuthorityState(database.register, 'ca')).authorities,
      config.ct.extraRootsFile
    )
  let roots = await readRoots()
  const reopen = (): Promise<CtGeneration> => openActiveLog(foundation, () => roots)
  const generations = createSuccession(await reopen())
  closers.push(() => generations.current.log.close())
  closers.push(() => generations.current.ct.close())
  return {
    ct: createSucceedingCtService(generations),
    generations,
    reopen,
    reloadRoots: async () => {
      roots = await readRoots()
    }
  }
}

async function openActiveLog(
  { config, options, paths, database, metrics, checks }: Foundation,
  roots: () => readonly Uint8Array[]
): Promise<CtGeneration> {
  const { logger, now } = options
  if ((await database.trees('ct')).length === 0) {
    throw new LogError(
      'conflict',
      `data directory ${paths.root} has no certificate log yet: run sigstead init, which adds what is missing, ` +
        'or set ct.enabled to false'
    )
  }
  const opened = await openCtLog({
    database,
    signerOf: (tree) => readTreeSigner(paths, tree, readPassphrase(config.log)),
    limits: batchLimits(config),
    now,
    heartbeatMs: heartbeatOf(config),
    onEvent: createEventSink(metrics, logger)
  })
  try {
    const ct = await createCtService({
      database,
      opened,
      roots,
      maxForeignSubmissions: config.ct.maxForeignSubmissions,
      refreshMs: REFRESH_MS,
      onProblem: (err) =>
        logger.error({ err }, 'the tree head of the certificate log was not refreshed'),
      checkData: checks.data
    })
    return { ct, log: opened.log }
  } catch (err) {
    await opened.log.close()
    throw err
  }
}

/** Roots of every authority we have or had, and those the operator adds. */
function acceptedRoots(
  authorities: AuthorityState,
  extraRootsFile: string | undefined
): readonly Uint8Array[] {
  const ours = authorities.flatMap(({ chain }) => parseCertificateChainPem(chain.at(-1) ?? ''))
  const roots = new Map<string, Uint8Array>()
  for (const { der } of [...ours, ...readExtraRoots(extraRootsFile)]) {
    roots.set(Buffer.from(der).toString('base64'), der)
  }
  return [...roots.values()]
}

function readExtraRoots(fileName: string | undefined) {
  if (fileName === undefined) return []
  try {
    return parseCertificateChainPem(readFileSync(fileName, 'utf8'))
  } catch (err) {
    throw new LogError(
      'invalid_request',
      `ct.extraRootsFile ${fileName}: ${err instanceof Error ? err.message : String(err)}`,
      { cause: err }
    )
  }
}
