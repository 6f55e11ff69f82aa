import { readFileSync } from 'node:fs'
import { batchLimits } from '../config/schema.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { type AuthorityState, loadAuthorityState } from '../store/authority-records.js'
import type { CtService } from '../ct/contract.js'
import { openCtLog } from '../ct/open-ct-log.js'
import { createCtService } from '../ct/service.js'
import { LogError } from '../errors.js'
import type { TransparencyLog } from '../log/contract.js'
import type { TreeRecord } from '../store/log-store.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import { type Foundation, heartbeatOf } from './foundation.js'
import { createEventSink } from './log-events.js'

/** A tree head is never older than this, also when nothing happens. */
const REFRESH_MS = 60 * 60 * 1000

export interface CertificateLog {
  readonly ct: CtService
  readonly log: TransparencyLog
  /** Every tree there is. */
  readonly records: readonly TreeRecord[]
}

/** Opens the certificate log, after holding it against its key. */
export async function openCertificateLog(foundation: Foundation): Promise<CertificateLog> {
  const { config, options, paths, database, metrics, closers } = foundation
  const { logger, now } = options
  const records = await database.trees('ct')
  if (records.length === 0) {
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
  closers.push(() => opened.log.close())
  const roots = acceptedRoots(
    (await loadAuthorityState(database.register, 'ca')).authorities,
    config.ct.extraRootsFile
  )
  const ct = await createCtService({
    database,
    opened,
    roots: () => roots,
    maxForeignSubmissions: config.ct.maxForeignSubmissions,
    refreshMs: REFRESH_MS,
    onProblem: (err) =>
      logger.error({ err }, 'the tree head of the certificate log was not refreshed')
  })
  closers.push(() => ct.close())
  return { ct, log: opened.log, records }
}

/** Roots of every authority we have or had, and those the operator adds. */
function acceptedRoots(
  authorities: AuthorityState,
  extraRootsFile: string | undefined
): readonly Uint8Array[] {
  const ours = authorities.flatMap(({ chain }) => parseCertificateChainPem(chain.at(-1) ?? ''))
  const roots = new Map<string, Uint8Array>()
  for (const { der } of [...ours, ...readRoots(extraRootsFile)]) {
    roots.set(Buffer.from(der).toString('base64'), der)
  }
  return [...roots.values()]
}

function readRoots(fileName: string | undefined) {
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
