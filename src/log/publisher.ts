import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { hashLeaf } from '../merkle/hash.js'
import type { FetchTile, TreeHead } from '../merkle/tree.js'
import type { Checkpoint, InclusionPromise, LogStore, StoredLeaf } from '../store/log-store.js'
import { sha256 } from '../store/sha256.js'
import type { LogSigning } from './contract.js'
import { RightEdge, loadRightEdge } from './right-edge.js'

/** Leaves that are read back and signed for at once. A batch seldom has more; a backlog after a crash may. */
const LEAVES_AT_ONCE = 1024

export interface PublisherOptions {
  readonly store: LogStore
  readonly signing: LogSigning
  /** Checks note, origin and signature. @throws when the checkpoint is not a good one of this tree */
  readonly verifyCheckpoint: (checkpoint: Checkpoint) => Promise<void>
}

/** Promises made by one publication, by leaf index. */
export type Promises = ReadonlyMap<number, Uint8Array>

/**
 * Signs what is committed and publishes it: after every batch, and at start what an earlier process left behind. The
 * same steps either way.
 */
export class Publisher {
  readonly #store: LogStore
  readonly #signing: LogSigning
  readonly #verifyCheckpoint: PublisherOptions['verifyCheckpoint']
  readonly #fetchTile: FetchTile
  /** What we last saw published; owned by the one loop that calls us. */
  #published: Checkpoint | undefined
  /** Right edge of the tree at the published size, kept from the leaves we read back, not from tiles. */
  #edge = new RightEdge()

  constructor({ store, signing, verifyCheckpoint }: PublisherOptions) {
    this.#store = store
    this.#signing = signing
    this.#verifyCheckpoint = verifyCheckpoint
    this.#fetchTile = (level, tileIndex) => store.tile(level, tileIndex)
  }

  get published(): Checkpoint | undefined {
    return this.#published
  }

  /**
   * Reads what is published: at start, and whenever a failure left open what became of a publication.
   *
   * @throws LogError `integrity` when the published checkpoint went back or contradicts the tiles; as verifyCheckpoint
   */
  async load(): Promise<void> {
    const published = await this.#store.checkpoint()
    if (published !== undefined) await this.#verifyCheckpoint(published)
    await this.#adopt(published)
  }

  /**
   * Publishes everything that is committed. Reads the new leaves back and follows the tree from the last published
   * root: only a head that these very bytes lead to is signed, so a damaged tile or a wrong `integrate` never is.
   *
   * @param onPublishing called once the store has been asked to publish: what it is asked from then on comes after that
   * @returns the promises for the leaves that were not published before
   * @throws LogError `integrity` when stored leaves do not lead to the stored head; as `publish` of the store and as
   *   the signer
   */
  async publishCommitted(onPublishing?: () => void): Promise<Promises> {
    const head = await this.#store.treeHead()
    const published = this.#published
    const publishedSize = published?.treeHead.treeSize ?? 0
    const edge = this.#edge.clone()
    const promises = await this.#promiseLeaves(edge, publishedSize, head.treeSize)
    assertRoot(this.#store.treeId, edge, head)
    if (published !== undefined && head.treeSize === publishedSize) return promises

    const next = { treeHead: head, note: await this.#signing.signTreeHead(head) }
    await this.#verifyCheckpoint(next) // it is kept for ever: a signer that misbehaves is caught before
    const stored: InclusionPromise[] = []
    for (const [leafIndex, promise] of promises) stored.push({ leafIndex, promise })
    // Ends the process before this commit: the head is ahead of the checkpoint, nobody was told; the next start signs
    // the same head again. After it: everything is public, only the answers are lost.
    const publishing = this.#store.publish(published, next, stored)
    onPublishing?.()
    const now = await publishing
    if (now === next) {
      this.#published = next
      this.#edge = edge
    } else {
      await this.#adopt(now) // another instance was faster and published our leaves with its own
    }
    return promises
  }

  /** Reads back the leaves [start, end), adds them to `edge`, and signs a promise for each that has none. */
  async #promiseLeaves(edge: RightEdge, start: number, end: number): Promise<Promises> {
    const promises = new Map<number, Uint8Array>()
    for (let from = start; from < end; from += LEAVES_AT_ONCE) {
      const to = Math.min(end, from + LEAVES_AT_ONCE)
      const leaves = await this.#store.leaves(from, to)
      for (let leafIndex = from; leafIndex < to; leafIndex++) {
        edge.push(this.#readBackHash(leaves[leafIndex - from], leafIndex))
      }
      const unsigned = leaves.filter(({ inclusionPromise }) => inclusionPromise === undefined)
      const signed = await this.#signing.signPromises(unsigned)
      for (const { leafIndex, inclusionPromise } of leaves) {
        if (inclusionPromise !== undefined) promises.set(leafIndex, inclusionPromise)
      }
      unsigned.forEach(({ leafIndex }, i) => promises.set(leafIndex, signed[i] as Uint8Array)) // one for each leaf
    }
    return promises
  }

  /** Hash of the bytes that were stored, which is what was asked to be stored. */
  #readBackHash(leaf: StoredLeaf | undefined, leafIndex: number): Uint8Array {
    const leafHash = leaf === undefined ? undefined : hashLeaf(leaf.leafValue, sha256)
    if (
      leaf === undefined ||
      leafHash === undefined ||
      leaf.leafIndex !== leafIndex ||
      !equalBytes(leaf.leafHash, leafHash)
    ) {
      throw new LogError(
        'integrity',
        `leaf ${leafIndex} of tree ${this.#store.treeId} is missing or not what its hash says`,
        { details: { what: 'leaf', treeId: this.#store.treeId, index: leafIndex } }
      )
    }
    return leafHash
  }

  async #adopt(now: Checkpoint | undefined): Promise<void> {
    const before = this.#published?.treeHead
    const treeHead = now?.treeHead
    const treeSize = treeHead?.treeSize ?? 0
    const edge = await loadRightEdge(treeSize, this.#fetchTile)
    if (treeHead !== undefined) assertRoot(this.#store.treeId, edge, treeHead)
    const wentBack = before !== undefined && (treeHead === undefined || treeSize < before.treeSize)
    if (wentBack) {
      throw new LogError(
        'integrity',
        `tree ${this.#store.treeId} was published at size ${before.treeSize} and now is at ${treeSize}`
      )
    }
    this.#published = now
    this.#edge = edge
  }
}

function assertRoot(treeId: string, edge: RightEdge, head: TreeHead): void {
  const got = edge.rootHash()
  if (edge.treeSize !== head.treeSize || !equalBytes(got, head.rootHash)) {
    throw new LogError(
      'integrity',
      `the entries of tree ${treeId} lead to root ${encodeHex(got)} at size ${edge.treeSize}, stored is ` +
        `${encodeHex(head.rootHash)} at size ${head.treeSize}. Stop writing, run verify`,
      { details: { what: 'treeHead', treeId, index: head.treeSize } }
    )
  }
}
