import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import type { Checkpoint, LogStore, TreeRecord } from '../store/log-store.js'
import { badThing, expectGood } from './check-error.js'
import type { RightEdge } from './right-edge.js'
import { assertCheckpointOf } from './same-log.js'

/** How many checkpoints are read at once. */
const CHECKPOINTS_PER_PAGE = 256

type VerifySignature = (checkpoint: Checkpoint) => void | Promise<void>

/** Walks the published checkpoints of a tree beside its leaves. */
export class CheckpointChecker {
  readonly #store: LogStore
  readonly #tree: TreeRecord
  readonly #verifySignature: VerifySignature
  #page: readonly Checkpoint[] = []
  #next = 0
  #lastSize: number
  #atEnd = false
  count = 0
  /** At which size compareAt has something to do: of what it read last, so it may be a size that was passed. */
  nextSize: number | undefined

  /** @param lastSize of the last checkpoint that was checked, or any size up to that of the next one; -1 for none */
  constructor(store: LogStore, tree: TreeRecord, verifySignature: VerifySignature, lastSize = -1) {
    this.#store = store
    this.#tree = tree
    this.#verifySignature = verifySignature
    this.#lastSize = lastSize
  }

  /** Checks the checkpoint at the size the tree has now, if one was published. */
  async compareAt(edge: RightEdge): Promise<void> {
    const checkpoint = await this.#peek()
    if (checkpoint === undefined || checkpoint.treeHead.treeSize !== edge.treeSize) return
    await this.#compare(edge, checkpoint)
    await this.#peek()
  }

  async #compare(edge: RightEdge, checkpoint: Checkpoint): Promise<void> {
    this.#next++
    this.count++
    const { treeId } = this.#tree
    const { treeSize, rootHash } = checkpoint.treeHead
    this.#lastSize = treeSize
    const place = { treeId, index: treeSize }
    assertCheckpointOf(this.#tree, checkpoint)
    const computed = edge.rootHash()
    if (!equalBytes(rootHash, computed)) {
      throw badThing(
        'checkpoint',
        place,
        `checkpoint of tree ${treeId} at size ${treeSize} has root ${encodeHex(rootHash)}, its entries give ` +
          encodeHex(computed)
      )
    }
    await expectGood('checkpoint', place, `checkpoint of tree ${treeId} at size ${treeSize}`, () =>
      this.#verifySignature(checkpoint)
    )
  }

  /** A checkpoint for a tree that is larger than the leaves: entries were lost. */
  async assertNoneLeft(): Promise<void> {
    const checkpoint = await this.#peek()
    if (checkpoint === undefined) return
    const { treeSize } = checkpoint.treeHead
    throw badThing(
      'checkpoint',
      { treeId: this.#tree.treeId, index: treeSize },
      `tree ${this.#tree.treeId} was published at size ${treeSize}, which its entries do not reach`
    )
  }

  async #peek(): Promise<Checkpoint | undefined> {
    if (this.#next >= this.#page.length && !this.#atEnd) {
      this.#page = await this.#store.checkpoints(this.#lastSize, CHECKPOINTS_PER_PAGE)
      this.#next = 0
      this.#atEnd = this.#page.length === 0
    }
    const checkpoint = this.#page[this.#next]
    this.nextSize = checkpoint?.treeHead.treeSize
    return checkpoint
  }
}
