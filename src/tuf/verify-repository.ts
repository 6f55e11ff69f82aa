import type { Key, Root } from '@tufjs/models'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import type { MetadataText, TufRepository, TufRole } from './contract.js'
import { newest } from './current.js'
import { parseMetadata, type TufMetadata } from './metadata.js'
import { keysOfRole } from './roles.js'
import { hashedNames, KEPT_VERSIONS, metaFileOf } from './sign-roles.js'
import { assertOnlySignedBy, assertSignedBy, missingSignatures } from './signatures.js'

/**
 * Verifies all of a repository: the chain of roots by the thresholds of the one before and its own, every other role by
 * the newest root (older targets and snapshots by any root), that versions follow each other, that lengths and hashes
 * fit what they name, and that there is every file and no other. Time plays no part: what has expired is signed again.
 *
 * @throws LogError naming what is wrong
 * @see TUF specification section 5
 */
export function verifyRepository(repository: TufRepository): void {
  const roots = verifyRoots(repository.roots)
  verifyList('targets', repository.targets, roots)
  verifyList('snapshot', repository.snapshots, roots)
  verifyList('timestamp', [repository.timestamp], roots)
  verifySnapshots(repository)
  verifyTimestamp(repository)
  verifyFiles(repository)
}

/**
 * A chain of roots, oldest first: version n at n - 1, each signed by its own keys and those before.
 * @throws LogError
 */
export function verifyRoots(texts: readonly string[]): readonly [Root, ...Root[]] {
  const roots: Root[] = []
  for (const text of texts) {
    const metadata = parseMetadata('root', text)
    verifyNextRoot(roots.at(-1), metadata)
    roots.push(metadata.signed)
  }
  const [first, ...others] = roots
  if (first === undefined) throw new LogError('integrity', 'there is no root')
  return [first, ...others]
}

/**
 * @param previous the root before, undefined for the first
 * @throws LogError `conflict` unless `metadata` is the next version, `verification_failed` unless the threshold of keys
 *   of both has signed, and nobody else
 * @see TUF specification section 5.3
 */
export function verifyNextRoot(previous: Root | undefined, metadata: TufMetadata<'root'>): void {
  const { signed } = metadata
  assertRootFollows(previous, signed)
  assertOnlySignedBy(
    metadata,
    keysOfRoots(previous === undefined ? [signed] : [previous, signed], 'root')
  )
  if (previous !== undefined) assertSignedBy(metadata, previous, 'root')
  assertSignedBy(metadata, signed, 'root')
}

/** @throws LogError `conflict` unless the version of `root` is the one after that of `previous` */
export function assertRootFollows(previous: Root | undefined, root: Root): void {
  const expected = (previous?.version ?? 0) + 1
  if (root.version !== expected) {
    throw new LogError('conflict', `root version ${root.version} where ${expected} is next`)
  }
}

/** Keys that any of these roots gives a role, by id. */
export function keysOfRoots(roots: readonly Root[], role: TufRole): ReadonlyMap<string, Key> {
  return new Map(roots.flatMap((root) => [...keysOfRole(root, role)]))
}

/** Newest first, one version after the other. */
function verifyList(
  role: Exclude<TufRole, 'root'>,
  list: readonly MetadataText[],
  roots: readonly [Root, ...Root[]]
): void {
  const first = newest(list, role)
  if (list.length > KEPT_VERSIONS) throw new LogError('integrity', `too many ${role} metadata`)
  const current = roots.at(-1) ?? roots[0]
  const keys = keysOfRoots(roots, role)
  for (const [age, { version, text }] of list.entries()) {
    const metadata = parseMetadata(role, text)
    if (metadata.signed.version !== version || version !== first.version - age) {
      throw new LogError('integrity', `${role} metadata: version ${version} is out of order`)
    }
    assertOnlySignedBy(metadata, keys)
    // Older ones were signed for an older root, if keys were changed since.
    if (age === 0 || !roots.some((root) => missingSignatures(metadata, root, role) === 0)) {
      assertSignedBy(metadata, current, role)
    }
  }
}

function verifySnapshots({ snapshots, targets }: TufRepository): void {
  for (const [age, { version, text }] of snapshots.entries()) {
    const meta = parseMetadata('snapshot', text).signed.meta['targets.json']
    const named = targets.find((metadata) => metadata.version === meta?.version)
    if (named === undefined || !metaFileOf(named).equals(meta as ReturnType<typeof metaFileOf>)) {
      throw new LogError('integrity', `snapshot version ${version} names other targets metadata`)
    }
    if (age === 0 && named !== targets[0]) {
      throw new LogError(
        'integrity',
        `snapshot version ${version} does not name the newest targets`
      )
    }
  }
}

function verifyTimestamp({ timestamp, snapshots }: TufRepository): void {
  const { snapshotMeta } = parseMetadata('timestamp', timestamp.text).signed
  if (!metaFileOf(newest(snapshots, 'snapshot')).equals(snapshotMeta)) {
    throw new LogError('integrity', 'the timestamp does not name the newest snapshot')
  }
}

function verifyFiles({ targets, files }: TufRepository): void {
  const named = new Set(targets.flatMap(hashedNames))
  for (const { text } of targets) {
    for (const { path, length, hashes } of Object.values(
      parseMetadata('targets', text).signed.targets
    )) {
      const bytes = files.get(`${hashes.sha256}.${path}`)
      if (bytes === undefined) throw new LogError('integrity', `the file ${path} is missing`)
      if (bytes.length !== length || encodeHex(hashData('sha256', bytes)) !== hashes.sha256) {
        throw new LogError('integrity', `the file ${path} is not what targets metadata says`)
      }
    }
  }
  const stray = [...files.keys()].find((name) => !named.has(name))
  if (stray !== undefined) throw new LogError('integrity', `no metadata names the file ${stray}`)
}
