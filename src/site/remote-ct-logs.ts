import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { equalBytes } from '../encoding/bytes.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { Register } from '../store/log-store.js'

/** A certificate log elsewhere that our certificates are handed to. */
export interface RemoteCtLog {
  readonly url: string
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Uint8Array
}

/** One that they are or were handed to. */
export interface UsedCtLog extends RemoteCtLog {
  readonly startSeconds: number
  /** Absent while it is used. */
  readonly endSeconds?: number
}

const CELL = 'ct/remote-logs'

/**
 * Every remote log there was, oldest first. Configuration only knows the one in use, and what was issued before must stay
 * verifiable.
 *
 * @throws LogError `integrity`
 */
export async function loadUsedCtLogs(
  register: Pick<Register, 'read'>
): Promise<readonly UsedCtLog[]> {
  const stored = await register.read(CELL)
  return stored === undefined ? [] : parse(stored)
}

/**
 * Remembers which one is in use from now on.
 *
 * @param current undefined where there is none
 * @throws LogError `conflict` when somebody else did meanwhile
 */
export async function noteCtLogInUse(
  register: Register,
  current: RemoteCtLog | undefined,
  nowSeconds: number
): Promise<void> {
  const stored = await register.read(CELL)
  const before = stored === undefined ? [] : parse(stored)
  const next = usedFromNow(before, current, nowSeconds)
  if (next === before) return
  if (!(await register.swap(CELL, stored, format(next)))) {
    throw new LogError('conflict', 'somebody else changed the remote certificate logs meanwhile')
  }
}

function usedFromNow(
  before: readonly UsedCtLog[],
  current: RemoteCtLog | undefined,
  nowSeconds: number
): readonly UsedCtLog[] {
  const last = before.at(-1)
  const isOpen = last !== undefined && last.endSeconds === undefined
  const isSame =
    current === undefined
      ? !isOpen
      : isOpen && last.url === current.url && equalBytes(last.publicKey, current.publicKey)
  if (isSame) return before
  const ended = before.map((log) =>
    log.endSeconds === undefined ? { ...log, endSeconds: nowSeconds } : log
  )
  return current === undefined ? ended : [...ended, { ...current, startSeconds: nowSeconds }]
}

function format(logs: readonly UsedCtLog[]): Uint8Array {
  return encodeUtf8(
    JSON.stringify(logs.map((log) => ({ ...log, publicKey: encodeBase64(log.publicKey) })))
  )
}

function parse(bytes: Uint8Array): readonly UsedCtLog[] {
  const damaged = (): LogError =>
    new LogError('integrity', 'what is kept of remote certificate logs is damaged')
  let value: unknown
  try {
    value = parseJson(bytes)
  } catch (err) {
    throw new LogError('integrity', damaged().message, { cause: err })
  }
  if (!Array.isArray(value)) throw damaged()
  return value.map((log: unknown): UsedCtLog => {
    if (!isJsonObject(log)) throw damaged()
    const { url, publicKey, startSeconds, endSeconds } = log
    if (
      typeof url !== 'string' ||
      typeof publicKey !== 'string' ||
      typeof startSeconds !== 'number' ||
      (endSeconds !== undefined && typeof endSeconds !== 'number')
    ) {
      throw damaged()
    }
    return {
      url,
      publicKey: decodeBase64(publicKey, 'publicKey'),
      startSeconds,
      ...(endSeconds === undefined ? {} : { endSeconds })
    }
  })
}
