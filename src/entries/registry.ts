import { LogError } from '../errors.js'
import { alpine } from './alpine/index.js'
import { cose } from './cose/index.js'
import { dsse } from './dsse/index.js'
import type { EntryType } from './entry-type.js'
import { hashedrekord } from './hashedrekord/index.js'
import { helm } from './helm/index.js'
import { intotoV001 } from './intoto-v001/index.js'
import { intotoV002 } from './intoto-v002/index.js'
import { jar } from './jar/index.js'
import { rekord } from './rekord/index.js'
import { rfc3161 } from './rfc3161/index.js'
import { rpm } from './rpm/index.js'
import { tuf } from './tuf/index.js'

/** Every kind and version of entry this log takes. To add one: a folder, a line here, its vectors. */
export const ENTRY_TYPES: readonly EntryType[] = [
  alpine,
  cose,
  dsse,
  hashedrekord,
  helm,
  intotoV001,
  intotoV002,
  jar,
  rekord,
  rfc3161,
  rpm,
  tuf
]

/** Kinds this log takes, each once. */
export const ENTRY_KINDS: readonly string[] = [...new Set(ENTRY_TYPES.map(({ kind }) => kind))]

/** @throws LogError `unsupported` with Rekor's text where it has one (rekor-v1 §6.1) */
export function findEntryType(kind: string, version: string): EntryType {
  const versions = ENTRY_TYPES.filter((type) => type.kind === kind)
  const found = versions.find((type) => type.version === version)
  if (found !== undefined) return found
  throw new LogError(
    'unsupported',
    versions.length === 0
      ? `could not unmarshal entry for kind '${kind}'`
      : `${kind} implementation for version '${version}' not found: ` +
          `unable to locate entry for version ${version}`
  )
}
