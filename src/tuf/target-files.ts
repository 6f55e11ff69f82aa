import { canonicalize } from '@tufjs/canonical-json'
import { TargetFile } from '@tufjs/models'
import { encodeHex } from '../encoding/hex.js'
import { isJsonObject } from '../encoding/json.js'
import { LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import type { TufTarget } from './contract.js'

type Members = TargetFile['unrecognizedFields']

/** Letters and digits first, so that no name is hidden, goes up a folder, or is a member every object has. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** A file is also served with its hash before its name: a name that looks like that could be two files. */
const HASHED_NAME = /^[0-9a-f]{64}\./

/** Far more than a stack ever has. The library takes time by the square of their number. */
const MAX_TARGETS = 1000

/** @throws LogError `too_large` for more files than one repository may have */
export function assertTargetCount(count: number): void {
  if (count > MAX_TARGETS) {
    throw new LogError('too_large', `${count} TUF targets: there may be ${MAX_TARGETS}`)
  }
}

/** @throws LogError `invalid_request` unless `name` is a plain file name that nothing else is served by */
export function assertTargetName(name: string): void {
  if (!PLAIN_NAME.test(name) || HASHED_NAME.test(name)) {
    throw new LogError('invalid_request', `not a name for a TUF target: ${JSON.stringify(name)}`)
  }
}

/** What targets metadata says of a file. @throws LogError `invalid_request` for its name or custom member */
export function targetFile({ name, bytes, custom }: TufTarget): TargetFile {
  assertTargetName(name)
  return new TargetFile({
    path: name,
    length: bytes.length,
    hashes: { sha256: encodeHex(hashData('sha256', bytes)) },
    ...(custom === undefined ? {} : { unrecognizedFields: { custom: plainJson(name, custom) } })
  })
}

/**
 * All files, by name.
 * @throws LogError `invalid_request` as targetFile, or when two have the same name; `too_large` for
 *   too many
 */
export function targetFiles(targets: readonly TufTarget[]): Record<string, TargetFile> {
  assertTargetCount(targets.length)
  const files = new Map<string, TargetFile>()
  for (const target of targets) {
    if (files.has(target.name)) {
      throw new LogError('invalid_request', `two TUF targets are named ${target.name}`)
    }
    files.set(target.name, targetFile(target))
  }
  return Object.fromEntries(files)
}

/** Name of a file with its hash, under which it never changes. */
export function hashedName({ path, hashes }: TargetFile): string {
  return `${hashes.sha256}.${path}`
}

/** Whether both name the same files with the same content and custom members. */
export function sameTargetFiles(
  a: Readonly<Record<string, TargetFile>>,
  b: Readonly<Record<string, TargetFile>>
): boolean {
  return canonicalTargets(a) === canonicalTargets(b)
}

function canonicalTargets(files: Readonly<Record<string, TargetFile>>): string {
  return canonicalize(
    Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.toJSON()]))
  )
}

/** A copy that is JSON without fractions, which canonical JSON does not have. */
function plainJson(name: string, custom: Readonly<Record<string, unknown>>): Members {
  try {
    const copy = JSON.parse(JSON.stringify(custom)) as Members // of an object
    if (isJsonObject(copy) && canonicalize(copy) === canonicalize(custom)) return copy
  } catch (err) {
    throw new LogError('invalid_request', `custom of ${name} is not canonical JSON`, { cause: err })
  }
  throw new LogError('invalid_request', `custom of ${name} is not JSON`)
}
