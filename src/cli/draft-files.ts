import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { JsonValue } from '../encoding/canonical-json.js'
import { LogError } from '../errors.js'
import type { DraftDescription } from '../tuf/describe-draft.js'

/** Larger than any metadata that clients would take. */
const MAX_DRAFT_BYTES = 16 * 1024 * 1024

/** Writes a draft, in place of an older one, and never half of it. @returns its whole path */
export function writeDraft(fileName: string, draft: string): string {
  const path = resolve(fileName)
  try {
    writeFileSync(`${path}.part`, draft)
    renameSync(`${path}.part`, path)
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('invalid_request', `${path} cannot be written: ${code}`, { cause: err })
  }
  return path
}

/** @throws LogError `invalid_request` when it cannot be read or is too large */
export function readDraft(fileName: string): string {
  let text: string
  try {
    text = readFileSync(fileName, 'utf8')
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('invalid_request', `${fileName} cannot be read: ${code}`, { cause: err })
  }
  if (text.length > MAX_DRAFT_BYTES) {
    throw new LogError('invalid_request', `${fileName} is larger than ${MAX_DRAFT_BYTES} bytes`)
  }
  return text
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
    if (change !== 'unchanged') lines.push(`file      ${change} ${name} ${hash}`)
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
