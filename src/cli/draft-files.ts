import { accessSync, constants, existsSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join, parse, resolve } from 'node:path'
import { syncFolder, writeDurably } from '../config/key-files.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { decodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import type { DraftDescription } from '../tuf/describe-draft.js'
import type { FlagSpec } from './command.js'
import { readInput } from './input-file.js'

/** Larger than any draft (tuf/draft.ts). */
const MAX_DRAFT_BYTES = 16 * 1024 * 1024

export const OUT_FLAG: FlagSpec = {
  name: 'out',
  value: 'FILE',
  meaning: 'Where the draft is written; must not exist. Default: a new file in this folder.'
}

/**
 * Looks whether a new draft can be written, before something is done that cannot be done twice.
 *
 * @param out file that was asked for; undefined: some name in this folder
 * @throws LogError `conflict` when there is such a file, which may carry signatures; `invalid_request`
 */
export function assertDraftPlace(out: string | undefined): void {
  const path = resolve(out ?? 'draft')
  if (out !== undefined && existsSync(path)) throw existing(path)
  const folder = dirname(path)
  try {
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    accessSync(folder, constants.W_OK)
  } catch (err) {
    throw unwritable(out === undefined ? folder : path, err)
  }
}

/**
 * Writes a new draft, whole or not at all. Never in place of another file: that may be a draft which somebody has signed.
 *
 * @param out file that was asked for
 * @param name for it in this folder, where none was; a number is added where that is taken
 * @returns its whole path
 */
export function writeNewDraft(out: string | undefined, name: string, draft: string): string {
  const path = resolve(out ?? freeName(name))
  if (existsSync(path)) throw existing(path)
  replaceDraft(path, draft)
  return path
}

/** Writes a draft that has one more signature in place of what it was, whole or not at all. */
export function replaceDraft(fileName: string, draft: string): void {
  const path = resolve(fileName)
  const part = `${path}.part`
  try {
    // What a killed command left.
    rmSync(part, { force: true })
    writeDurably(part, draft, 0o644)
    // No hard links: drafts lie on sticks with file systems that have none.
    renameSync(part, path)
    syncFolder(dirname(path))
  } catch (err) {
    if (lstatSync(part, { throwIfNoEntry: false })?.isFile()) rmSync(part)
    throw unwritable(path, err)
  }
}

function freeName(name: string): string {
  const { dir, name: stem, ext } = parse(name)
  let free = name
  for (let number = 2; existsSync(free); number++) free = join(dir, `${stem}-${number}${ext}`)
  return free
}

function existing(path: string): LogError {
  return new LogError(
    'conflict',
    `${path} exists, and may have signatures in it: name another file with --out`
  )
}

function unwritable(path: string, cause: unknown): LogError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  return new LogError('invalid_request', `${path} cannot be written: ${code}`, { cause })
}

/** @throws LogError `invalid_request` when it cannot be read or is no text, `too_large` */
export function readDraft(fileName: string): string {
  const bytes = readInput(fileName, MAX_DRAFT_BYTES)
  try {
    return decodeUtf8(bytes)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError('invalid_request', `${fileName} is no draft: ${err.message}`, { cause: err })
  }
}

/** What a draft changes and who must still sign, a line each. */
export function describeDraftLines(description: DraftDescription): string[] {
  const { role, version, expiresSeconds, sha256, keys, missing, roles, files } = description
  const lines = [
    `${role} version ${version}, good until ${new Date(expiresSeconds * 1000).toISOString()}`
  ]
  for (const change of roles) {
    const {
      role: changed,
      addedKeyIds,
      removedKeyIds,
      keptKeyIds,
      threshold,
      thresholdBefore
    } = change
    const parts = [
      ...addedKeyIds.map((id) => `+${id}`),
      ...removedKeyIds.map((id) => `-${id}`),
      ...(thresholdBefore === threshold ? [] : [`threshold ${thresholdBefore} to ${threshold}`])
    ]
    const kept = `${keptKeyIds.length + addedKeyIds.length} keys, threshold ${threshold}`
    lines.push(
      `role      ${changed}: ${parts.length === 0 ? `as before (${kept})` : parts.join(' ')}`
    )
  }
  for (const { name, change, sha256: hash } of files) {
    if (change === 'unchanged') continue
    // Without a repository to compare with, every file is named.
    lines.push(`file      ${change === 'unknown' ? '' : `${change} `}${name} ${hash}`)
  }
  for (const { keyId, hasSigned } of keys) {
    lines.push(`${hasSigned ? 'signed by' : 'not by   '} ${keyId}`)
  }
  for (const { rootVersion, signatures } of missing) {
    if (signatures > 0) {
      lines.push(`missing   ${signatures} more by keys that root version ${rootVersion} names`)
    }
  }
  lines.push(`SHA-256   ${sha256} with the signatures it has now`)
  return lines
}

/** The same for programs. */
export function plainDescription(description: DraftDescription): Record<string, JsonValue> {
  return JSON.parse(JSON.stringify(description)) as Record<string, JsonValue>
}
