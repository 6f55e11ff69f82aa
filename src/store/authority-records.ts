import { decodeUtf8, encodeUtf8 } from '../encoding/text.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { LogError } from '../errors.js'
import type { CellChange, Register } from './log-store.js'

/** A key with a chain, which issues or has issued. */
export interface AuthorityRecord {
  /** Bare name of the key's file in the key folder. */
  readonly keyName: string
  /** PEM certificates, the issuing one first, the root last. */
  readonly chain: readonly string[]
  /** When it began to issue. */
  readonly activeFromSeconds: number
  /** When it ceased to; absent while it issues. */
  readonly activeUntilSeconds?: number
}

/** One that is to issue. */
export type NewAuthority = Pick<AuthorityRecord, 'keyName' | 'chain'>

/** Every authority there was, oldest first. The last one issues. */
export type AuthorityState = readonly AuthorityRecord[]

/** Which service's authorities: one cell of the register for each. */
export type AuthorityOwner = 'ca' | 'tsa'

const VERSION = 1

/** The state, with what is needed to change it. */
export interface StoredAuthorityState {
  readonly owner: AuthorityOwner
  readonly authorities: AuthorityState
  /** As it was read; undefined where there was none. */
  readonly stored: Uint8Array | undefined
}

/** @throws LogError `integrity` when what is kept is not what was written */
export async function loadAuthorityState(
  register: Pick<Register, 'read'>,
  owner: AuthorityOwner
): Promise<StoredAuthorityState> {
  const stored = await register.read(cellOf(owner))
  return { owner, authorities: stored === undefined ? [] : parseAuthorityState(stored), stored }
}

/** The change of the register that replaces what was read. */
export function authorityChange(
  { owner, stored }: StoredAuthorityState,
  next: AuthorityState
): CellChange {
  return { key: cellOf(owner), expected: stored, next: formatAuthorityState(next) }
}

/** @throws LogError `conflict` when somebody else changed it meanwhile */
export async function saveAuthorityState(
  register: Pick<Register, 'swapAll'>,
  before: StoredAuthorityState,
  next: AuthorityState
): Promise<void> {
  if (!(await register.swapAll([authorityChange(before, next)]))) {
    throw new LogError('conflict', 'the authorities were changed by somebody else meanwhile')
  }
}

/** The authority that issues. @throws LogError `conflict` when there is none */
export function activeAuthority(authorities: AuthorityState): AuthorityRecord {
  const active = authorities.at(-1)
  if (active === undefined) {
    throw new LogError('conflict', 'there is no authority yet: run sigstead init')
  }
  return active
}

/**
 * Makes another authority the one that issues; the one before stays known, for what it has issued.
 * @throws LogError `already_exists` when it issues already
 */
export function activate(
  authorities: AuthorityState,
  next: NewAuthority,
  nowSeconds: number
): AuthorityState {
  const before = authorities.at(-1)
  if (before?.keyName === next.keyName && before.chain.join() === next.chain.join()) {
    throw new LogError('already_exists', 'this chain issues already')
  }
  const closed = before === undefined ? [] : [{ ...before, activeUntilSeconds: nowSeconds }]
  const { keyName, chain } = next
  return [...authorities.slice(0, -1), ...closed, { keyName, chain, activeFromSeconds: nowSeconds }]
}

export function formatAuthorityState(authorities: AuthorityState): Uint8Array {
  return encodeUtf8(JSON.stringify({ version: VERSION, authorities }))
}

/** @throws LogError `integrity` */
export function parseAuthorityState(bytes: Uint8Array): AuthorityState {
  const problem = (what: string): LogError =>
    new LogError('integrity', `what is kept of the authorities is damaged: ${what}`)
  let value: unknown
  try {
    decodeUtf8(bytes)
    value = parseJson(bytes)
  } catch (err) {
    throw new LogError('integrity', problem('no JSON').message, { cause: err })
  }
  if (!isJsonObject(value) || value.version !== VERSION || !Array.isArray(value.authorities)) {
    throw problem('version')
  }
  return value.authorities.map((record: unknown, i, all) => {
    if (!isJsonObject(record)) throw problem(`authority ${i}`)
    const { keyName, chain, activeFromSeconds, activeUntilSeconds } = record
    const isLast = i === all.length - 1
    if (
      typeof keyName !== 'string' ||
      !Array.isArray(chain) ||
      chain.length === 0 ||
      !chain.every((pem) => typeof pem === 'string') ||
      !isSeconds(activeFromSeconds) ||
      isLast !== (activeUntilSeconds === undefined) ||
      (activeUntilSeconds !== undefined && !isSeconds(activeUntilSeconds))
    ) {
      throw problem(`authority ${i}`)
    }
    return {
      keyName,
      chain: chain as readonly string[], // checked above
      activeFromSeconds,
      ...(activeUntilSeconds === undefined ? {} : { activeUntilSeconds })
    }
  })
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function cellOf(owner: AuthorityOwner): string {
  return `${owner}/authorities`
}
