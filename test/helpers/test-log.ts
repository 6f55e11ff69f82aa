import { type KeyObject, generateKeyPairSync, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import type { BatchLimits, LogSigning, NewLeaf, TransparencyLog } from '../../src/log/contract.js'
import { type CheckReport, checkLog } from '../../src/log/check-log.js'
import type { LeafChecks } from '../../src/log/leaf-checks.js'
import { type TransparencyLogOptions, openTransparencyLog } from '../../src/log/sequencer.js'
import { hashLeaf } from '../../src/merkle/hash.js'
import { formatCheckpointBody, verifyCheckpoint } from '../../src/note/checkpoint.js'
import { keyIdOf } from '../../src/note/key-id.js'
import { formatSignedNote } from '../../src/note/signed-note.js'
import type {
  Database,
  LogStore,
  NewTree,
  StoredLeaf,
  TreeRecord
} from '../../src/store/log-store.js'
import { sha256 } from '../../src/store/sha256.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'

/** A log key that lives as long as the test. */
export interface TestKey {
  readonly publicKey: Uint8Array
  readonly privateKey: KeyObject
}

export function createTestKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    privateKey
  }
}

const NAME = 'log.example'

export function testTree(key: TestKey, treeId = '1234'): NewTree {
  return {
    treeId,
    log: 'rekor',
    origin: `${NAME} - ${treeId}`,
    publicKey: key.publicKey,
    keyName: 'log.pem',
    createdTimeSeconds: 1_700_000_000
  }
}

/** Promises of the test log: like a SET they cover position, time and content. */
function promiseMessage(tree: Pick<TreeRecord, 'offset'>, leaf: StoredLeaf): Uint8Array {
  const { leafIndex, integratedTimeSeconds, leafValue } = leaf
  return encodeUtf8(
    `${tree.offset + leafIndex} ${integratedTimeSeconds} ${encodeHex(sha256(leafValue))}`
  )
}

export function testSigning(key: TestKey, tree: Pick<TreeRecord, 'origin' | 'offset'>): LogSigning {
  const signWithKey = (message: Uint8Array): Uint8Array =>
    new Uint8Array(sign('sha256', message, key.privateKey))
  return {
    async signTreeHead(treeHead) {
      const body = formatCheckpointBody({ origin: tree.origin, ...treeHead })
      const signature = signWithKey(encodeUtf8(body))
      return formatSignedNote(body, [{ name: NAME, keyId: keyIdOf(key.publicKey), signature }])
    },
    async signPromises(leaves) {
      return leaves.map((leaf) => signWithKey(promiseMessage(tree, leaf)))
    }
  }
}

/** What checkLog needs to know about logs signed with testSigning. */
export function testChecks(): LeafChecks {
  const verifyWith =
    (publicKey: Uint8Array) =>
    (message: Uint8Array, signature: Uint8Array): void => {
      const key = { key: Buffer.from(publicKey), format: 'der', type: 'spki' } as const
      if (!verify('sha256', message, key, signature)) throw new Error('signature is wrong')
    }
  return {
    async verifyCheckpoint(tree, { note }) {
      await verifyCheckpoint(note, {
        origin: tree.origin,
        name: NAME,
        publicKeyId: keyIdOf(tree.publicKey),
        verify: verifyWith(tree.publicKey)
      })
    },
    verifyPromise(tree, leaf) {
      verifyWith(tree.publicKey)(promiseMessage(tree, leaf), leaf.inclusionPromise)
    }
  }
}

export function testLeaf(
  text: string,
  searchKeys: readonly string[] = [`key of ${text}`]
): NewLeaf {
  const leafValue = encodeUtf8(text)
  return { leafHash: hashLeaf(leafValue), leafValue, searchKeys }
}

export function testLeaves(count: number, first = 0): NewLeaf[] {
  return Array.from({ length: count }, (_, i) => testLeaf(`leaf ${first + i}`))
}

/** A folder that goes away with the test. */
export function tempFolder(t: { teardown(action: () => void): unknown }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sigstead-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A test in which databases are opened. */
export interface Teardown {
  teardown(action: () => void | Promise<void>): unknown
}

/** The database of a folder, made if need be, closed with the test at the latest. */
export async function openTestDatabase(t: Teardown, folder: string): Promise<Database> {
  const database = await openDatabase({
    path: join(folder, 'log.sqlite'),
    mode: 'write',
    create: true
  })
  t.teardown(() => database.close())
  return database
}

export const TEST_LIMITS: BatchLimits = {
  maxLeaves: 64,
  maxAgeMs: 0,
  maxQueuedLeaves: 10_000,
  maxQueuedBytes: 10_000_000
}

/** 2023-11-14, and it stands still. */
export const TEST_NOW_MS = 1_700_000_000_000

/** Opens the log of a tree as a server would; anything can be replaced. */
export async function openTestLog(
  store: LogStore,
  key: TestKey,
  options: Partial<TransparencyLogOptions> = {}
): Promise<TransparencyLog> {
  const record = await store.record()
  const checks = testChecks()
  return openTransparencyLog({
    store,
    signing: testSigning(key, record),
    identity: { origin: record.origin, publicKey: key.publicKey },
    verifyCheckpoint: async (note) =>
      checks.verifyCheckpoint(record, { note, treeHead: await store.treeHead() }),
    limits: TEST_LIMITS,
    now: () => TEST_NOW_MS,
    heartbeatMs: 60_000,
    ...options
  })
}

/** Re-verifies everything that is stored. To be called after every step. */
export function checkTestLog(database: Database): Promise<CheckReport> {
  const checks = testChecks()
  return checkLog({ database, checks: { rekor: checks, ct: checks } })
}

/** A folder with a database and one open tree. */
export interface TestLog {
  readonly folder: string
  readonly key: TestKey
  readonly database: Database
  readonly store: LogStore
}

export async function createTestLog(t: Teardown, treeId = '1234'): Promise<TestLog> {
  const folder = tempFolder(t)
  const key = createTestKey()
  const database = await openTestDatabase(t, folder)
  await database.createTree(testTree(key, treeId))
  return { folder, key, database, store: database.logStore(treeId) }
}
