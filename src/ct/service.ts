import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import type { CheckData } from '../keys/check-queue.js'
import { hashData } from '../keys/verify.js'
import type { NewLeaf } from '../log/contract.js'
import { hashLeaf } from '../merkle/hash.js'
import type { Checkpoint, Database, TreeRecord } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'
import { encodeCertificateList } from '../x509/ct-extra-data.js'
import { encodeMerkleTreeLeaf, parseMerkleTreeLeaf } from '../x509/merkle-tree-leaf.js'
import { ctEntryOf } from '../x509/precertificate.js'
import type { SignedCertificateTimestamp } from '../x509/sct.js'
import { createChainChecker } from './chain.js'
import type { CtLogView, CtService, SignedTreeHead, SubmissionKind } from './contract.js'
import { createLogView } from './log-view.js'
import type { OpenCtLog } from './open-ct-log.js'
import {
  newestTreeHead,
  readRefreshedTreeHead,
  refreshTreeHead,
  type RefreshedTreeHead
} from './refreshed-tree-head.js'
import { createTreeHeadCheck, logNameOf, readTreeHead } from './signing.js'

export interface CtServiceOptions {
  readonly database: Pick<Database, 'trees' | 'logStore' | 'register'>
  /** What writes the active tree. */
  readonly opened: OpenCtLog
  /** DER of every accepted root; asked for each submission, so that it may change. */
  readonly roots: () => readonly Uint8Array[]
  /** Submissions of strangers that may be under way at once. */
  readonly maxForeignSubmissions: number
  /** After this time without a new entry the tree head is signed anew. */
  readonly refreshMs: number
  /** Told when that failed. */
  readonly onProblem: (err: unknown) => void
  /** What checks signatures of chains; on this thread unless it says otherwise. */
  readonly checkData?: CheckData
}

/** How soon a stranger may try again. A batch takes some milliseconds; this is the shortest the header can say. */
const RETRY_AFTER_SECONDS = 1

/** How often an idle log looks whether its tree head has become old, in parts of the time after which it has. */
const LOOKS_PER_REFRESH = 60

const NO_EXTENSIONS = new Uint8Array(0)

/**
 * The certificate log of this server.
 *
 * @throws LogError `integrity`, `verification_failed` or `invalid_request` when a tree head that was kept is not good
 */
export async function createCtService(options: CtServiceOptions): Promise<CtService> {
  const { database, opened, maxForeignSubmissions } = options
  const { log, clock } = opened
  const { register } = database
  const checker = createChainChecker(options.roots, options.checkData)
  let foreign = 0
  let refreshed = await readKept(register, log.record)

  const readPublished = createHeadReader(log.record)
  const activeHead = (): SignedTreeHead =>
    newestTreeHead(readPublished(log.checkpoint()), refreshed?.head)

  const active = createLogView({
    record: log.record,
    store: log.store,
    signedTreeHead: activeHead
  })
  const views: readonly CtLogView[] = [...(await closedViews(database, log.record.treeId)), active]

  let refreshing: Promise<void> | undefined
  const timer = setInterval(() => {
    refreshing ??= refreshIfOld()
      .catch(options.onProblem)
      .finally(() => (refreshing = undefined))
  }, options.refreshMs / LOOKS_PER_REFRESH)
  timer.unref() // whoever forgets to close should still be able to exit

  async function refreshIfOld(): Promise<void> {
    if (clock.nowMs() - activeHead().timestampMs < options.refreshMs) return
    if (log.failure !== undefined) return // what it says may not be true any more
    const checkpoint = log.checkpoint()
    refreshed = await refreshTreeHead(register, log.record, opened.signing, checkpoint, refreshed)
  }

  async function submitOwn(
    kind: SubmissionKind,
    chain: readonly Uint8Array[]
  ): Promise<SignedCertificateTimestamp> {
    const { submitted, issuer, rest } = await checker.check(kind, chain)
    const submissionHash = hashData('sha256', submitted.der)
    const known = await findPublished(submissionHash)
    if (known !== undefined) return known
    const leafValue = encodeMerkleTreeLeaf({
      timestampMs: clock.nowMs(),
      entry: ctEntryOf(submitted, issuer),
      extensions: NO_EXTENSIONS
    })
    const leaf: NewLeaf = {
      leafHash: hashLeaf(leafValue, sha256),
      leafValue,
      searchKeys: [],
      submissionHash,
      attestation: keep(encodeCertificateList(rest)),
      ...(kind === 'precertificate' ? { extraData: submitted.der } : {})
    }
    const added = await log.add(leaf)
    const value = added.duplicate ? await storedValue(added.leafIndex) : leafValue
    return renderSct(value, added.inclusionPromise)
  }

  /** The timestamp an earlier submission got, unless it is still on its way. */
  async function findPublished(
    submissionHash: Uint8Array
  ): Promise<SignedCertificateTimestamp | undefined> {
    const leafIndex = await log.store.findSubmission(submissionHash)
    if (leafIndex === undefined || leafIndex >= log.checkpoint().treeHead.treeSize) return undefined
    const leaf = await log.store.leaf(leafIndex)
    if (leaf?.inclusionPromise === undefined) {
      throw new LogError('integrity', `entry ${leafIndex} is published without its timestamp`)
    }
    return renderSct(leaf.leafValue, leaf.inclusionPromise)
  }

  async function storedValue(leafIndex: number): Promise<Uint8Array> {
    const leaf = await log.store.leaf(leafIndex)
    if (leaf === undefined) throw new LogError('integrity', `entry ${leafIndex} is gone`)
    return leaf.leafValue
  }

  /** @param leafValue of the entry, which has the time in it */
  function renderSct(leafValue: Uint8Array, signature: Uint8Array): SignedCertificateTimestamp {
    const { timestampMs, extensions } = parseMerkleTreeLeaf(leafValue)
    return {
      logId: active.logId,
      timestampMs,
      extensions,
      signature: { algorithm: 'ecdsa', signature }
    }
  }

  return {
    active,
    find: (logName) => views.find(({ logId }) => logNameOf(logId) === logName),
    roots: options.roots,
    submitOwn,
    async submit(kind, chain) {
      if (foreign >= maxForeignSubmissions) {
        throw new LogError(
          'overloaded',
          `${maxForeignSubmissions} submissions are under way already`,
          { details: { retryAfterSeconds: RETRY_AFTER_SECONDS } }
        )
      }
      foreign++
      try {
        return await submitOwn(kind, chain)
      } finally {
        foreign--
      }
    },
    async close() {
      clearInterval(timer)
      await refreshing
    }
  }
}

/** Chains are the same for thousands of entries: stored once, by their hash. */
function keep(value: Uint8Array): NonNullable<NewLeaf['attestation']> {
  return { key: `sha256:${encodeHex(sha256(value))}`, value }
}

async function readKept(
  register: Database['register'],
  record: TreeRecord
): Promise<RefreshedTreeHead | undefined> {
  const kept = await readRefreshedTreeHead(register, record)
  if (kept !== undefined) await createTreeHeadCheck(record)(kept.note)
  return kept
}

/** Logs that take no more entries show their last tree head. */
async function closedViews(
  database: CtServiceOptions['database'],
  activeTreeId: string
): Promise<readonly CtLogView[]> {
  const records = (await database.trees('ct')).filter(({ treeId }) => treeId !== activeTreeId)
  return Promise.all(
    records.map(async (record) => {
      const store = database.logStore(record.treeId)
      const [published, { treeSize }] = await Promise.all([store.checkpoint(), store.treeHead()])
      if (published?.treeHead.treeSize !== treeSize) {
        throw new LogError(
          'integrity',
          `closed certificate log ${record.treeId} has ${treeSize} entries, published are ` +
            `${published?.treeHead.treeSize ?? 'none'}: run sigstead verify`
        )
      }
      const head = await createTreeHeadCheck(record)(published.note)
      const kept = await readKept(database.register, record)
      const newest = newestTreeHead(head, kept?.head)
      return createLogView({ record, store, signedTreeHead: () => newest })
    })
  )
}

/** Reads a checkpoint once, however often it is asked for. */
function createHeadReader(record: TreeRecord): (checkpoint: Checkpoint) => SignedTreeHead {
  let last: { readonly note: string; readonly head: SignedTreeHead } | undefined
  return ({ note }) => {
    if (last?.note !== note) last = { note, head: readTreeHead(record, note) }
    return last.head
  }
}
