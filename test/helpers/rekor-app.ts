import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { createApp, type AppOptions } from '../../src/http/app.js'
import { ENTRY_KINDS } from '../../src/entries/registry.js'
import { loadRekorV1Contract } from '../../src/http/contract.js'
import { DEFAULT_CLIENT_ALGORITHMS } from '../../src/keys/algorithms.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import type { Signer } from '../../src/keys/signer.js'
import type { BatchLimits, TransparencyLog } from '../../src/log/contract.js'
import type { EntryVerifier, VerifySettings } from '../../src/rekor/entry-verifier.js'
import { createRekorTree } from '../../src/rekor/new-tree.js'
import { openRekorLog } from '../../src/rekor/open-rekor-log.js'
import { createSuccession } from '../../src/log/succession.js'
import { createRekorGeneration } from '../../src/rekor/generation.js'
import { createRekorService, type RekorService } from '../../src/rekor/service.js'
import type { TreeView } from '../../src/rekor/tree-view.js'
import { openTreeViews } from '../../src/rekor/tree-views.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import type { Database } from '../../src/store/log-store.js'
import { createInjectChecked, type InjectChecked } from './inject-checked.js'
import { ALL_OPERATIONS } from './stub-app.js'
import { openTestDatabase, tempFolder, TEST_LIMITS, type Teardown } from './test-log.js'

export const TEST_SETTINGS: VerifySettings = {
  enabledKinds: ENTRY_KINDS,
  clientAlgorithms: DEFAULT_CLIENT_ALGORITHMS,
  maxAttestationBytes: 102_400
}

/** A whole Rekor over a database in a folder, without a socket. */
export interface RekorTestApp {
  readonly folder: string
  readonly signer: Signer
  readonly database: Database
  readonly log: TransparencyLog
  readonly trees: readonly TreeView[]
  readonly rekor: RekorService
  readonly app: FastifyInstance
  readonly inject: InjectChecked
  /** The active tree, decimal. */
  readonly treeId: string
  /** Stops everything; the folder stays. */
  close(): Promise<void>
}

export interface RekorTestOptions {
  readonly settings?: Partial<VerifySettings>
  readonly verifier?: EntryVerifier
  readonly limits?: Partial<BatchLimits>
  readonly readAttestations?: boolean
  readonly app?: Partial<AppOptions>
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** A log of one tree with its first entry, in a folder that goes away with the test. */
export async function createRekorApp(
  t: Teardown & { teardown(action: () => void): unknown },
  options: RekorTestOptions = {}
): Promise<RekorTestApp> {
  const folder = tempFolder(t)
  const signer = createLocalSigner(await generateLogKey())
  await openTree(t, folder, signer)
  return openRekorApp(t, folder, [signer], options)
}

/** The same log with its tree closed and a new one, with a new key, opened. Closes `before`. */
export async function rotateRekorApp(
  t: Teardown,
  before: RekorTestApp,
  options: RekorTestOptions = {}
): Promise<RekorTestApp> {
  await before.close()
  const signer = createLocalSigner(await generateLogKey())
  await openTree(t, before.folder, signer)
  return openRekorApp(t, before.folder, [before.signer, signer], options)
}

/** Opens what is in a folder. @param signers of all trees, oldest first */
export async function openRekorApp(
  t: Teardown,
  folder: string,
  signers: readonly Signer[],
  options: RekorTestOptions = {}
): Promise<RekorTestApp> {
  const signer = signers.at(-1) as Signer
  const database = await openTestDatabase(t, folder)
  const log = await openRekorLog({
    database,
    signerOf: () => signer,
    hostname: 'log.example',
    limits: { ...TEST_LIMITS, ...options.limits },
    now: options.now ?? Date.now,
    heartbeatMs: 60_000
  })
  const trees = await openTreeViews({
    database,
    log,
    readAttestations: options.readAttestations ?? true
  })
  const rekor = createRekorService({
    generations: createSuccession(createRekorGeneration(trees, log)),
    database,
    verifier:
      options.verifier ?? createInProcessVerifier({ ...TEST_SETTINGS, ...options.settings }),
    observer: { newEntry: () => undefined, indexLookup: () => undefined },
    monotonicMs: () => performance.now()
  })
  const contract = loadRekorV1Contract()
  const app = await createApp({
    logger: pino({ level: 'silent' }),
    contract,
    rekor,
    enabledOperations: ALL_OPERATIONS,
    maxRequestBodyBytes: 32 * 1024 * 1024,
    health: () => ({ isHealthy: true }),
    homePage: () => '<!doctype html><title>test</title>\n',
    ...options.app
  })
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= closeAll())
  async function closeAll(): Promise<void> {
    await app.close()
    await log.close()
    await database.close()
  }
  t.teardown(close)
  const treeId = log.record.treeId
  const inject = createInjectChecked(app, contract)
  return { folder, signer, database, log, trees, rekor, app, inject, treeId, close }
}

async function openTree(t: Teardown, folder: string, signer: Signer): Promise<void> {
  const database = await openTestDatabase(t, folder)
  await createRekorTree({
    database,
    hostname: 'log.example',
    signer,
    keyName: 'log.pem',
    now: Date.now,
    randomBytes: (length) => Uint8Array.from(randomBytes(length))
  })
  await database.close()
}
