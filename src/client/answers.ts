import { decodeBase64 } from '../encoding/base64.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { decodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'

/** An entry as the server tells it: well-formed, nothing verified. */
export interface EntryAnswer {
  /** 80 hex digits, lower case. */
  readonly entryId: string
  readonly leafValue: Uint8Array
  readonly integratedTimeSeconds: number
  /** 32 bytes. */
  readonly logId: Uint8Array
  /** Over all shards. */
  readonly logIndex: number
  readonly attestation: Uint8Array | undefined
  readonly signedEntryTimestamp: Uint8Array
  readonly inclusionProof: InclusionProofAnswer
}

export interface InclusionProofAnswer {
  /** Within the tree. */
  readonly leafIndex: number
  readonly treeSize: number
  readonly rootHash: Uint8Array
  /** Nearest the leaf first. */
  readonly hashes: readonly Uint8Array[]
  /** Signed note. */
  readonly checkpoint: string
}

export interface TreeAnswer {
  /** Decimal. */
  readonly treeId: string
  readonly treeSize: number
  readonly rootHash: Uint8Array
  /** Signed note. */
  readonly checkpoint: string
}

export interface LogInfoAnswer {
  readonly active: TreeAnswer
  /** Oldest first. */
  readonly inactive: readonly TreeAnswer[]
}

type Members = { readonly [member: string]: JsonValue | undefined }

/**
 * One entry of an answer of GET entries or of POST. @throws LogError `upstream` naming what is wrong with it
 * @see rekor-v1 §2.1
 */
export function parseEntryAnswer(value: JsonValue): EntryAnswer {
  const [only, ...more] = Object.entries(members(value, 'answer'))
  if (only === undefined || more.length > 0) throw bad('answer', 'an object with one member')
  const [entryId, inner] = only
  if (!/^[0-9a-f]{80}$/.test(entryId)) throw bad('entry ID', '80 lower-case hex digits')
  const entry = members(inner, entryId)
  const verification = members(entry.verification, 'verification')
  const proof = members(verification.inclusionProof, 'inclusionProof')
  const attestation = entry.attestation
  return {
    entryId,
    leafValue: base64(entry.body, 'body'),
    integratedTimeSeconds: count(entry.integratedTime, 'integratedTime'),
    logId: hash(entry.logID, 'logID'),
    logIndex: count(entry.logIndex, 'logIndex'),
    attestation:
      attestation === undefined || attestation === null
        ? undefined
        : base64(members(attestation, 'attestation').data, 'attestation.data'),
    signedEntryTimestamp: base64(verification.signedEntryTimestamp, 'signedEntryTimestamp'),
    inclusionProof: {
      leafIndex: count(proof.logIndex, 'inclusionProof.logIndex'),
      treeSize: count(proof.treeSize, 'inclusionProof.treeSize'),
      rootHash: hash(proof.rootHash, 'inclusionProof.rootHash'),
      hashes: list(proof.hashes, 'inclusionProof.hashes').map((each) =>
        hash(each, 'inclusionProof.hashes')
      ),
      checkpoint: text(proof.checkpoint, 'inclusionProof.checkpoint')
    }
  }
}

/** Answer of GET log. @throws LogError `upstream` @see rekor-v1 §2.6 */
export function parseLogInfoAnswer(value: JsonValue): LogInfoAnswer {
  const { inactiveShards } = members(value, 'answer')
  return {
    active: parseTree(value),
    inactive:
      inactiveShards === undefined || inactiveShards === null
        ? []
        : list(inactiveShards, 'inactiveShards').map(parseTree)
  }
}

function parseTree(value: JsonValue): TreeAnswer {
  const tree = members(value, 'tree')
  const treeId = text(tree.treeID, 'treeID')
  if (!/^[1-9][0-9]{0,18}$/.test(treeId)) throw bad('treeID', 'a positive decimal number')
  return {
    treeId,
    treeSize: count(tree.treeSize, 'treeSize'),
    rootHash: hash(tree.rootHash, 'rootHash'),
    checkpoint: text(tree.signedTreeHead, 'signedTreeHead')
  }
}

/** Answer of GET log/proof; its root is the current one. @throws LogError `upstream` @see rekor-v1 §2.8 */
export function parseProofAnswer(value: JsonValue): {
  readonly rootHash: Uint8Array
  readonly hashes: readonly Uint8Array[]
} {
  const proof = members(value, 'answer')
  return {
    rootHash: hash(proof.rootHash, 'rootHash'),
    hashes: list(proof.hashes, 'hashes').map((each) => hash(each, 'hashes'))
  }
}

/** Answer of POST index/retrieve. @throws LogError `upstream` */
export function parseSearchAnswer(value: JsonValue): readonly string[] {
  return list(value, 'answer').map((each) => {
    const id = text(each, 'entry ID')
    if (!/^(?:[0-9a-f]{64}|[0-9a-f]{80})$/.test(id)) throw bad('entry ID', '64 or 80 hex digits')
    return id
  })
}

function members(value: JsonValue | undefined, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(what, 'an object')
  }
  return value as Members // checked above
}

function list(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw bad(what, 'a list')
  return value as readonly JsonValue[] // checked above
}

function text(value: JsonValue | undefined, what: string): string {
  if (typeof value !== 'string') throw bad(what, 'text')
  return value
}

function count(value: JsonValue | undefined, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw bad(what, 'a number >= 0')
  }
  return value
}

function hash(value: JsonValue | undefined, what: string): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{64}$/.test(value))
    throw bad(what, '64 hex digits')
  return decodeHex(value)
}

function base64(value: JsonValue | undefined, what: string): Uint8Array {
  try {
    return decodeBase64(text(value, what), what)
  } catch (err) {
    throw bad(what, 'base64', err)
  }
}

function bad(what: string, wanted: string, cause?: unknown): LogError {
  return new LogError('upstream', `the server's answer is malformed: ${what} is not ${wanted}`, {
    cause
  })
}
