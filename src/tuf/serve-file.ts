import { encodeUtf8 } from '../encoding/text.js'
import type { MetadataText, TufRepository } from './contract.js'
import { currentTargets } from './current.js'
import { hashedName } from './target-files.js'

/** A file as it is served. */
export interface ServedFile {
  readonly bytes: Uint8Array
  /** Whether there will never be anything else under this name. */
  readonly isImmutable: boolean
}

// One spelling of a version: no zero in front, and short enough to be a number.
const VERSIONED = /^([1-9][0-9]{0,8})\.(root|snapshot|targets)\.json$/
const TARGETS_FOLDER = 'targets/'

/**
 * What is served below the address of the repository.
 *
 * @param path relative, such as `timestamp.json` or `targets/<sha256>.trusted_root.json`
 * @returns undefined when there is no such file
 */
export function findFile(repository: TufRepository, path: string): ServedFile | undefined {
  if (path.startsWith(TARGETS_FOLDER)) {
    return findTarget(repository, path.slice(TARGETS_FOLDER.length))
  }
  const [, version, role] = VERSIONED.exec(path) ?? []
  const text =
    role === undefined
      ? newestText(repository, path)
      : versionText(repository, role, Number(version))
  if (text === undefined) return undefined
  return { bytes: encodeUtf8(text), isImmutable: role !== undefined }
}

function newestText(repository: TufRepository, path: string): string | undefined {
  switch (path) {
    case 'root.json':
      return repository.roots.at(-1)
    case 'targets.json':
      return repository.targets[0]?.text
    case 'snapshot.json':
      return repository.snapshots[0]?.text
    case 'timestamp.json':
      return repository.timestamp.text
    default:
      return undefined
  }
}

function versionText(repository: TufRepository, role: string, version: number): string | undefined {
  if (role === 'root') return repository.roots[version - 1]
  const list: readonly MetadataText[] =
    role === 'targets' ? repository.targets : repository.snapshots
  return list.find((metadata) => metadata.version === version)?.text
}

function findTarget(repository: TufRepository, name: string): ServedFile | undefined {
  const hashed = repository.files.get(name)
  if (hashed !== undefined) return { bytes: hashed, isImmutable: true }
  const { targets } = currentTargets(repository)
  const file = Object.hasOwn(targets, name) ? targets[name] : undefined
  const bytes = file === undefined ? undefined : repository.files.get(hashedName(file))
  return bytes === undefined ? undefined : { bytes, isImmutable: false }
}
