import { LogError } from '../errors.js'
import type { Appended, InclusionPromise, PendingLeaf } from './log-store.js'

// Thousands of small objects and buffers a second are dear to hand to a thread one by one: each is described, allocated
// and freed on both sides. A batch travels as one buffer, one array of numbers and one of texts.

/** A batch of leaves as a message: its buffers are transferred, not copied. */
export interface PackedLeaves {
  /** All bytes of all leaves, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** NUMBERS_PER_LEAF of each leaf. */
  readonly numbers: Float64Array<ArrayBuffer>
  /** Search keys of each leaf, followed by the key of its attestation where it has one. */
  readonly texts: readonly string[]
}

/** Time, number of search keys, then the length of each of the byte strings in their order. */
const NUMBERS_PER_LEAF = 7

/** Length of what a leaf does not have; 0 is that of an empty one. */
const ABSENT = -1

export function packLeaves(batch: readonly PendingLeaf[]): PackedLeaves {
  const numbers = new Float64Array(batch.length * NUMBERS_PER_LEAF)
  const texts: string[] = []
  let size = 0
  let at = 0
  for (const leaf of batch) {
    numbers[at++] = leaf.integratedTimeSeconds
    numbers[at++] = leaf.searchKeys.length
    for (const key of leaf.searchKeys) texts.push(key)
    if (leaf.attestation !== undefined) texts.push(leaf.attestation.key)
    for (const bytes of bytesOf(leaf)) {
      numbers[at++] = bytes?.length ?? ABSENT
      size += bytes?.length ?? 0
    }
  }
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const leaf of batch) {
    for (const part of bytesOf(leaf)) {
      if (part === undefined) continue
      bytes.set(part, offset)
      offset += part.length
    }
  }
  return { bytes, numbers, texts }
}

/** In the order in which they lie in the buffer. */
function bytesOf(leaf: PendingLeaf): readonly (Uint8Array | undefined)[] {
  const { leafHash, leafValue, attestation, submissionHash, extraData } = leaf
  return [leafHash, leafValue, attestation?.value, submissionHash, extraData]
}

/** The same leaves; their bytes are views of the one buffer. */
export function unpackLeaves({ bytes, numbers, texts }: PackedLeaves): readonly PendingLeaf[] {
  const reader = readParts(bytes)
  let nextText = 0
  const takeText = (): string => present(texts[nextText++])
  return Array.from({ length: numbers.length / NUMBERS_PER_LEAF }, (_, i): PendingLeaf => {
    const [time, keys, hash, value, attested, submission, extra] = numbers.subarray(
      i * NUMBERS_PER_LEAF,
      (i + 1) * NUMBERS_PER_LEAF
    )
    const searchKeys = Array.from({ length: present(keys) }, takeText)
    const leafHash = present(reader.take(present(hash)))
    const leafValue = present(reader.take(present(value)))
    const attestation = reader.take(present(attested))
    const submissionHash = reader.take(present(submission))
    const extraData = reader.take(present(extra))
    return {
      leafHash,
      leafValue,
      integratedTimeSeconds: present(time),
      searchKeys,
      ...(attestation === undefined
        ? {}
        : { attestation: { key: takeText(), value: attestation } }),
      ...(submissionHash === undefined ? {} : { submissionHash }),
      ...(extraData === undefined ? {} : { extraData })
    }
  })
}

/** Takes one byte string after the other off a buffer; undefined for an absent one. */
function readParts(bytes: Uint8Array): { take(length: number): Uint8Array | undefined } {
  let offset = 0
  return {
    take: (length) => {
      if (length === ABSENT) return undefined
      if (offset + length > bytes.length) throw cutShort()
      const part = bytes.subarray(offset, offset + length)
      offset += length
      return part
    }
  }
}

/** What became of a batch: index, time, and whether it was there before (1 or 0), of each leaf. */
export function packAppended(appended: readonly Appended[]): Float64Array {
  const numbers = new Float64Array(appended.length * 3)
  let at = 0
  for (const { leafIndex, integratedTimeSeconds, duplicate } of appended) {
    numbers[at++] = leafIndex
    numbers[at++] = integratedTimeSeconds
    numbers[at++] = duplicate ? 1 : 0
  }
  return numbers
}

export function unpackAppended(numbers: Float64Array): readonly Appended[] {
  return Array.from({ length: numbers.length / 3 }, (_, i) => ({
    leafIndex: present(numbers[3 * i]),
    integratedTimeSeconds: present(numbers[3 * i + 1]),
    duplicate: numbers[3 * i + 2] === 1
  }))
}

/** Promises as a message. */
export interface PackedPromises {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Leaf index and length of each. */
  readonly numbers: Float64Array<ArrayBuffer>
}

export function packPromises(promises: readonly InclusionPromise[]): PackedPromises {
  const numbers = new Float64Array(promises.length * 2)
  let size = 0
  promises.forEach(({ leafIndex, promise }, i) => {
    numbers[2 * i] = leafIndex
    numbers[2 * i + 1] = promise.length
    size += promise.length
  })
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const { promise } of promises) {
    bytes.set(promise, offset)
    offset += promise.length
  }
  return { bytes, numbers }
}

export function unpackPromises({ bytes, numbers }: PackedPromises): readonly InclusionPromise[] {
  const reader = readParts(bytes)
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    leafIndex: present(numbers[2 * i]),
    promise: present(reader.take(present(numbers[2 * i + 1])))
  }))
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw cutShort()
  return value
}

function cutShort(): LogError {
  return new LogError('internal', 'a message between threads is cut short')
}
