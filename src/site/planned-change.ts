import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import {
  type AuthorityRecord,
  authorityChange,
  loadAuthorityState,
  type NewAuthority,
  activate
} from '../store/authority-records.js'
import type { CellChange, Database, NewTree, Register } from '../store/log-store.js'
import type { Holdings } from './holdings.js'

/** A rotation that is decided on: the key is made and stored, and nothing signs with it yet. */
export type PlannedChange =
  | { readonly what: 'log' | 'ct'; readonly tree: NewTree }
  | {
      readonly what: 'ca' | 'tsa'
      readonly authority: NewAuthority
      readonly atSeconds: number
    }

/** What there is once it has happened. */
export function holdingsAfter(holdings: Holdings, change: PlannedChange): Holdings {
  switch (change.what) {
    case 'log':
      return { ...holdings, rekor: [...holdings.rekor, change.tree] }
    case 'ct':
      return { ...holdings, ct: [...holdings.ct, change.tree] }
    case 'ca':
      return { ...holdings, ca: activate(holdings.ca, change.authority, change.atSeconds) }
    case 'tsa':
      return { ...holdings, tsa: activate(holdings.tsa, change.authority, change.atSeconds) }
  }
}

/**
 * What there is while it waits for its day: the key that will sign is known beside the one that does, whose time has no end
 * yet.
 */
export function holdingsWith(holdings: Holdings, change: PlannedChange): Holdings {
  switch (change.what) {
    case 'log':
      return { ...holdings, rekor: beforeLast(holdings.rekor, { ...change.tree, isStaged: true }) }
    case 'ct':
      return { ...holdings, ct: beforeLast(holdings.ct, { ...change.tree, isStaged: true }) }
    case 'ca':
      return { ...holdings, ca: beforeLast(holdings.ca, stagedAuthority(change)) }
    case 'tsa':
      return { ...holdings, tsa: beforeLast(holdings.tsa, stagedAuthority(change)) }
  }
}

function stagedAuthority({
  authority,
  atSeconds
}: {
  readonly authority: NewAuthority
  readonly atSeconds: number
}): AuthorityRecord {
  return { ...authority, activeFromSeconds: atSeconds }
}

/** The last one of a list is the one in use. */
function beforeLast<T>(list: readonly T[], item: T): readonly T[] {
  return [...list.slice(0, -1), item, ...list.slice(-1)]
}

/**
 * Makes it so, together with `cells`, in one transaction.
 * @throws LogError `conflict` when something else changed meanwhile
 */
export async function commitChange(
  database: Pick<Database, 'createTree' | 'register'>,
  change: PlannedChange,
  cells: readonly CellChange[]
): Promise<void> {
  if ('tree' in change) {
    await database.createTree(change.tree, cells)
    return
  }
  const { register } = database
  const stored = await loadAuthorityState(register, change.what)
  const next = activate(stored.authorities, change.authority, change.atSeconds)
  if (!(await register.swapAll([authorityChange(stored, next), ...cells]))) {
    throw new LogError('conflict', 'the authorities were changed by somebody else meanwhile')
  }
}

/** The same change at another time: when it happens rather than when it was decided on. */
export function changeAt(change: PlannedChange, nowSeconds: number): PlannedChange {
  return 'tree' in change
    ? { ...change, tree: { ...change.tree, createdTimeSeconds: nowSeconds } }
    : { ...change, atSeconds: nowSeconds }
}

const CELL = 'rotation/staged'
const NONE = new Uint8Array(0)

/** A change that waits until somebody has signed for it. */
export interface StagedChange {
  /** Undefined where none waits. */
  readonly change: PlannedChange | undefined
  readonly stored: Uint8Array | undefined
}

/** @throws LogError `integrity` */
export async function loadStagedChange(register: Pick<Register, 'read'>): Promise<StagedChange> {
  const stored = await register.read(CELL)
  if (stored === undefined || stored.length === 0) return { change: undefined, stored }
  return { change: parseChange(stored), stored }
}

/** The change of the register that lets `next` wait, or nothing. */
export function stagedChange(before: StagedChange, next: PlannedChange | undefined): CellChange {
  return {
    key: CELL,
    expected: before.stored,
    next: next === undefined ? NONE : formatChange(next)
  }
}

export function formatChange(change: PlannedChange): Uint8Array {
  const value =
    'tree' in change
      ? { ...change, tree: { ...change.tree, publicKey: encodeBase64(change.tree.publicKey) } }
      : change
  return encodeUtf8(JSON.stringify(value))
}

/** @throws LogError `integrity` for what formatChange does not write */
export function parseChange(bytes: Uint8Array): PlannedChange {
  try {
    const value = parseJson(bytes)
    if (!isJsonObject(value)) throw new Error('no object')
    const { what } = value
    if (what === 'log' || what === 'ct') return { what, tree: parseTree(value.tree) }
    if (what !== 'ca' && what !== 'tsa') throw new Error('what')
    return { what, authority: parseAuthority(value.authority), atSeconds: number(value.atSeconds) }
  } catch (err) {
    const problem = err instanceof Error ? err.message : String(err)
    throw new LogError('integrity', `what is kept of a rotation is damaged: ${problem}`, {
      cause: err
    })
  }
}

function parseTree(value: unknown): NewTree {
  if (!isJsonObject(value)) throw new Error('tree')
  const { treeId, log, origin, publicKey, keyName, createdTimeSeconds } = value
  if (log !== 'rekor' && log !== 'ct') throw new Error('log')
  return {
    treeId: text(treeId),
    log,
    origin: text(origin),
    publicKey: decodeBase64(text(publicKey), 'publicKey'),
    keyName: text(keyName),
    createdTimeSeconds: number(createdTimeSeconds)
  }
}

function parseAuthority(value: unknown): NewAuthority {
  if (!isJsonObject(value) || !Array.isArray(value.chain)) throw new Error('authority')
  return { keyName: text(value.keyName), chain: value.chain.map(text) }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('a text is missing')
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('a number is missing')
  return value
}
