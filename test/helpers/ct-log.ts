import type { FastifyInstance } from 'fastify'
import type { CtService } from '../../src/ct/contract.js'
import { createCtLeafChecks } from '../../src/ct/leaf-checks.js'
import { createCtTree } from '../../src/ct/new-tree.js'
import { openCtLog, type OpenCtLog } from '../../src/ct/open-ct-log.js'
import { createCtService } from '../../src/ct/service.js'
import { loadCtContract } from '../../src/http/contract.js'
import { ctV1 } from '../../src/http/ct-v1.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import type { Signer } from '../../src/keys/signer.js'
import { type CheckReport, checkLog } from '../../src/log/check-log.js'
import type { Database, LogStore } from '../../src/store/log-store.js'
import {
  buildIntermediateCertificate,
  buildRootCertificate
} from '../../src/x509/ca-certificate.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { buildSubjectAltName } from '../../src/x509/fulcio-extensions.js'
import {
  assembleCertificate,
  buildLeafTbs,
  subjectKeyIdOf
} from '../../src/x509/leaf-certificate.js'
import { createInjectChecked, type InjectChecked } from './inject-checked.js'
import { stubApp } from './stub-app.js'
import { openTestDatabase, type Teardown, TEST_LIMITS, tempFolder } from './test-log.js'

/** 2026-11-21, in milliseconds. */
export const CT_NOW_MS = 1_795_219_200_123

export interface TestCtOptions {
  readonly roots: () => readonly Uint8Array[]
  readonly now?: () => number
  readonly maxForeignSubmissions?: number
  readonly refreshMs?: number
  readonly folder?: string
  readonly signer?: Signer
  /** Puts something between the log and its store. */
  readonly wrap?: (store: LogStore) => LogStore
  readonly onProblem?: (err: unknown) => void
}

/** A certificate log over a real database. */
export interface TestCt {
  readonly folder: string
  readonly database: Database
  readonly signer: Signer
  readonly opened: OpenCtLog
  readonly ct: CtService
  /** Stops it; what is on the disk stays. */
  close(): Promise<void>
  /** Re-verifies everything that is stored. */
  check(): Promise<CheckReport>
}

/** Opens the log of a folder, making it where there is none. */
export async function openTestCt(t: Teardown, options: TestCtOptions): Promise<TestCt> {
  const { roots, now = () => CT_NOW_MS, wrap = (store) => store } = options
  const folder = options.folder ?? tempFolder(t)
  const signer = options.signer ?? createLocalSigner(await generateLogKey())
  const database = await openTestDatabase(t, folder)
  if ((await database.trees('ct')).length === 0) {
    const randomBytes = (length: number) => new Uint8Array(length).fill(7)
    await createCtTree({
      database,
      hostname: 'ct.example',
      signer,
      keyName: 'ct.pem',
      now,
      randomBytes
    })
  }
  const wrapped = {
    trees: (log: 'rekor' | 'ct') => database.trees(log),
    logStore: (treeId: string) => wrap(database.logStore(treeId)),
    register: database.register
  }
  const opened = await openCtLog({
    database: wrapped,
    signerOf: () => signer,
    limits: TEST_LIMITS,
    now,
    heartbeatMs: 60_000
  })
  const ct = await createCtService({
    database: wrapped,
    opened,
    roots,
    maxForeignSubmissions: options.maxForeignSubmissions ?? 100,
    refreshMs: options.refreshMs ?? 3_600_000,
    onProblem:
      options.onProblem ??
      ((err) => {
        throw err
      })
  })
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await ct.close()
    await opened.log.close()
    await database.close()
  }
  t.teardown(close)
  const checks = createCtLeafChecks()
  return {
    folder,
    database,
    signer,
    opened,
    ct,
    close,
    check: () => checkLog({ database, checks: { rekor: checks, ct: checks } })
  }
}

/** The API over a log; answers are held against the document. */
export async function ctApp(
  ct: CtService
): Promise<{ readonly app: FastifyInstance; readonly inject: InjectChecked }> {
  const contract = loadCtContract()
  const { app } = await stubApp(
    {},
    {
      plugins: [(scope) => ctV1(scope, { contract, ct })],
      families: [{ family: 'ct', contract }]
    }
  )
  return { app, inject: createInjectChecked(app, contract) }
}

/** An authority to submit certificates of. */
export interface TestAuthority {
  readonly root: Certificate
  readonly issuing: Certificate
  /** DER of both, the issuing one first. */
  readonly chain: readonly Uint8Array[]
  /** A new precertificate, or the certificate without timestamps. */
  issue(kind: 'precertificate' | 'certificate', serialNumber?: bigint): Promise<Uint8Array>
}

export async function createTestAuthority(nowMs = CT_NOW_MS): Promise<TestAuthority> {
  const rootSigner = createLocalSigner(await generateLogKey())
  const signer = createLocalSigner(await generateLogKey())
  const client = createLocalSigner(await generateLogKey())
  const notBeforeSeconds = Math.floor(nowMs / 1000)
  const times = { notBeforeSeconds, notAfterSeconds: notBeforeSeconds + 86_400, serialNumber: 1n }
  const subject = (commonName: string) => ({ organization: 'test', commonName })
  const root = await buildRootCertificate({
    ...times,
    subject: subject('root'),
    signer: rootSigner
  })
  const issuing = await buildIntermediateCertificate({
    ...times,
    subject: subject('issuing'),
    publicKey: signer.publicKey,
    issuer: root,
    issuerSigner: rootSigner
  })
  let serial = 1000n
  return {
    root,
    issuing,
    chain: [issuing.der, root.der],
    async issue(kind, serialNumber = serial++) {
      const leaf = buildLeafTbs({
        serialNumber,
        signatureAlgorithm: signer.algorithm,
        issuer: issuing.subject,
        authorityKeyId: subjectKeyIdOf(signer.publicKey),
        notBeforeSeconds,
        notAfterSeconds: notBeforeSeconds + 600,
        spki: client.publicKey,
        subjectAltName: buildSubjectAltName({ kind: 'rfc822Name', value: 'a@example.com' }),
        extensions: []
      })
      const tbs = kind === 'precertificate' ? leaf.withPoison() : leaf.plain()
      return assembleCertificate(tbs, signer.algorithm, await signer.sign(tbs))
    }
  }
}
