import type { AddedLeaf, NewLeaf } from '../log/contract.js'
import type { EntryVerifier, VerifiedLeaf } from '../rekor/entry-verifier.js'
import type { AddItem, AnswerItem, ToMain, ToThread } from './messages.js'
import type { Outbox } from '../log/outbox.js'
import { receivedError } from '../encoding/sent-error.js'

/** Another tree than the one asked for grows now. */
export class TreeMovedOn extends Error {}

/** What only the main thread does, as another thread asks for it. */
export interface MainThread {
  /**
   * Adds a leaf to the tree that grows.
   * @param treeId the one that the caller takes for it
   * @throws TreeMovedOn when it is another one, and nothing was added; as TransparencyLog.add
   */
  add(treeId: string, leaf: NewLeaf): Promise<AddedLeaf>
  /** What takes longer to verify than to be sent. */
  readonly verifier: EntryVerifier
  /** An answer has come. @returns whether it was one */
  receive(item: ToThread): item is AnswerItem
}

interface Call {
  resolve(value: AddedLeaf | VerifiedLeaf | string): void
  reject(err: Error): void
}

export function createMainThread(outbox: Pick<Outbox<ToMain>, 'send'>): MainThread {
  const calls = new Map<number, Call>()
  let lastId = 0

  /** @param makeItem with the id under which the answer will come */
  function call<T extends AddedLeaf | VerifiedLeaf | string>(
    makeItem: (id: number) => ToMain,
    transfer: readonly ArrayBuffer[] = []
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++lastId
      // The answer to a kind of item is of one kind: see ToThread.
      calls.set(id, { resolve: resolve as Call['resolve'], reject })
      outbox.send(makeItem(id), transfer)
    })
  }

  function settle(id: number, action: (call: Call) => void): true {
    const waiting = calls.get(id)
    calls.delete(id)
    if (waiting !== undefined) action(waiting)
    return true
  }

  return {
    add: (treeId, leaf) => call((id) => addItem(id, treeId, leaf)),
    verifier: {
      verifyEntry: (proposed, purpose, byteLength) =>
        call((id) => ({ type: 'verify', id, proposed, purpose, byteLength })),
      keyHash: (format, content) =>
        call((id) => ({ type: 'keyHash', id, format, content: Uint8Array.from(content) }))
    },
    receive(item): item is AnswerItem {
      switch (item.type) {
        case 'added': {
          const { type: _type, id, ...added } = item
          return settle(id, ({ resolve }) => resolve(added))
        }
        case 'verified':
          return settle(item.id, ({ resolve }) => resolve(item.leaf))
        case 'keyHashed':
          return settle(item.id, ({ resolve }) => resolve(item.hash))
        case 'moved':
          return settle(item.id, ({ reject }) => reject(new TreeMovedOn('another tree grows now')))
        case 'refused':
          return settle(item.id, ({ reject }) => reject(receivedError(item.error)))
        default:
          return false
      }
    }
  }
}

const HASH_BYTES = 32

/** Without submission hash and extra data: entries have none. */
function addItem(id: number, treeId: string, leaf: NewLeaf): AddItem {
  const { leafHash, leafValue, searchKeys, attestation } = leaf
  // What is part of a larger piece of memory would be sent with all of it.
  const bytes = new Uint8Array(HASH_BYTES + leafValue.length)
  bytes.set(leafHash)
  bytes.set(leafValue, HASH_BYTES)
  return {
    type: 'add',
    id,
    treeId,
    bytes,
    searchKeys,
    attestation: attestation && { key: attestation.key, value: Uint8Array.from(attestation.value) }
  }
}

/** The leaf of an AddItem. */
export function leafOf({ bytes, searchKeys, attestation }: AddItem): NewLeaf {
  return {
    leafHash: bytes.subarray(0, HASH_BYTES),
    leafValue: bytes.subarray(HASH_BYTES),
    searchKeys,
    ...(attestation === undefined ? {} : { attestation })
  }
}
