import { decodeHex, encodeHex } from '../encoding/hex.js'
import { createRecent } from '../encoding/recent.js'
import { LogError } from '../errors.js'

/** What names an entry on the wire: a leaf, and unless it is a bare UUID the tree that has it. */
export interface EntryName {
  /** Decimal. */
  readonly treeId: string | undefined
  /** 32 bytes. */
  readonly leafHash: Uint8Array
}

const UUID_DIGITS = 64
const TREE_ID_DIGITS = 16
const MAX_TREE_ID = 2n ** 63n - 1n

/** Entry ID: tree ID as 16 hex digits, then the leaf hash as 64; lower case. */
export function formatEntryId(treeId: string, leafHash: Uint8Array): string {
  return formatHexTreeId(treeId) + encodeHex(leafHash)
}

/**
 * Reads an entry ID (80 hex digits) or a bare UUID (64), of either case.
 *
 * @throws LogError `invalid_request`; for a tree ID no tree can have `<id> is not a valid TreeID`
 * @see rekor-v1 §3.2
 */
export function parseEntryId(text: string): EntryName {
  if (text.length === UUID_DIGITS) return { treeId: undefined, leafHash: parseUuid(text) }
  if (text.length !== TREE_ID_DIGITS + UUID_DIGITS) {
    throw new LogError('invalid_request', 'entry ID is not 64 or 80 hex digits')
  }
  const leafHash = parseUuid(text.slice(TREE_ID_DIGITS))
  return { treeId: parseHexTreeId(text.slice(0, TREE_ID_DIGITS)), leafHash }
}

/** Few trees are asked for, each for every one of its entries. */
const hexTreeIds = createRecent<string>(64)

/** 16 hex digits of a decimal tree ID. */
export function formatHexTreeId(treeId: string): string {
  return hexTreeIds.get(treeId, () => BigInt(treeId).toString(16).padStart(TREE_ID_DIGITS, '0'))
}

/** Decimal tree ID of up to 16 hex digits. @throws LogError `invalid_request` */
export function parseHexTreeId(digits: string): string {
  if (!/^[0-9a-fA-F]{1,16}$/.test(digits)) {
    throw new LogError('invalid_request', 'tree ID is not up to 16 hex digits')
  }
  const value = BigInt(`0x${digits}`)
  if (value === 0n) throw new LogError('invalid_request', '0 is not a valid TreeID')
  if (value > MAX_TREE_ID) throw new LogError('invalid_request', `${digits} is not a valid TreeID`)
  return value.toString()
}

/** Whether a decimal number fits what a tree ID can be: 0 included, as only lookup by ID excludes it. */
export function isInt64(decimal: string): boolean {
  return /^[0-9]{1,40}$/.test(decimal) && BigInt(decimal) <= MAX_TREE_ID
}

/** 32 bytes of a UUID, which is the leaf hash. @throws LogError `invalid_request` */
export function parseUuid(text: string): Uint8Array {
  if (text.length !== UUID_DIGITS)
    throw new LogError('invalid_request', 'UUID is not 64 hex digits')
  return decodeHex(text)
}
