import type { KeyObject } from 'node:crypto'
import { encodeHex } from '../encoding/hex.js'
import { encodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { createProver } from '../log/proofs.js'
import type { Checkpoint, LogStore, StoredLeaf, TreeRecord } from '../store/log-store.js'
import { renderLogEntry, type LoggedEntry } from './log-entry.js'
import { publicKeyOf } from './signing.js'
import { logIdOf } from './statement.js'

/** One tree as it is published: nothing beyond its checkpoint can be seen, and nothing here signs. */
export interface TreeView {
  readonly record: TreeRecord
  /** 32 bytes. */
  readonly logId: Uint8Array
  readonly publicKey: KeyObject
  readonly publicKeyPem: string
  /** @throws LogError `internal` when nothing was published yet */
  checkpoint(): Checkpoint
  /** Position of the leaf with this hash, if it is published. */
  findLeaf(leafHash: Uint8Array): Promise<number | undefined>
  /** Whether the leaf at this position is published. */
  hasLeaf(leafIndex: number): boolean
  /** The entry at this position, if it is published. */
  readEntry(leafIndex: number): Promise<LoggedEntry | undefined>
  /** Proof in the tree of `checkpoint`. */
  proveInclusion(leafIndex: number, checkpoint: Checkpoint): Promise<readonly Uint8Array[]>
  proveConsistency(firstSize: number, secondSize: number): Promise<readonly Uint8Array[]>
}

export interface TreeViewOptions {
  readonly record: TreeRecord
  readonly store: LogStore
  /** The checkpoint published last. */
  readonly checkpoint: () => Checkpoint | undefined
  /** What is kept beside the log for a leaf. */
  readonly attestationOf: (leafValue: Uint8Array) => Promise<Uint8Array | undefined>
}

export function createTreeView(options: TreeViewOptions): TreeView {
  const { record, store } = options
  const logId = logIdOf(record.publicKey)
  const prover = createProver(store)

  function checkpoint(): Checkpoint {
    const published = options.checkpoint()
    if (published === undefined) {
      throw new LogError('internal', `tree ${record.treeId} has no published checkpoint`)
    }
    return published
  }

  const view: TreeView = {
    record,
    logId,
    publicKey: publicKeyOf(record),
    publicKeyPem: encodePem('PUBLIC KEY', record.publicKey),
    checkpoint,
    hasLeaf: (leafIndex) => leafIndex < checkpoint().treeHead.treeSize,
    async findLeaf(leafHash) {
      const leafIndex = await store.findLeaf(leafHash)
      return leafIndex !== undefined && view.hasLeaf(leafIndex) ? leafIndex : undefined
    },
    async readEntry(leafIndex) {
      const published = checkpoint()
      if (leafIndex >= published.treeHead.treeSize) return undefined
      const [leaf, proof] = await Promise.all([
        store.leaf(leafIndex),
        view.proveInclusion(leafIndex, published)
      ])
      const attestation = await options.attestationOf(assertPublished(leaf).leafValue)
      return renderLogEntry({
        record,
        logId,
        leaf: assertPublished(leaf),
        checkpoint: published,
        inclusionProof: proof,
        attestation
      })
    },
    proveInclusion: (leafIndex, { treeHead }) => prover.inclusion(leafIndex, treeHead.treeSize),
    proveConsistency: (firstSize, secondSize) => prover.consistency(firstSize, secondSize)
  }
  return view

  function assertPublished(leaf: StoredLeaf | undefined): Required<StoredLeaf> {
    if (leaf?.inclusionPromise === undefined) {
      throw new LogError('integrity', `tree ${record.treeId} has a published leaf without promise`)
    }
    return { ...leaf, inclusionPromise: leaf.inclusionPromise }
  }
}

/** getLogInfo of one tree, as it goes over the wire (rekor-v1 §2.6). */
export interface TreeInfo {
  readonly rootHash: string
  readonly signedTreeHead: string
  /** Decimal. */
  readonly treeID: string
  readonly treeSize: number
}

export function renderTreeInfo(view: TreeView): TreeInfo {
  const { note, treeHead } = view.checkpoint()
  return {
    rootHash: encodeHex(treeHead.rootHash),
    treeSize: treeHead.treeSize,
    signedTreeHead: note,
    treeID: view.record.treeId
  }
}
