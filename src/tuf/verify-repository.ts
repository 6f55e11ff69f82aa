import type { Key, Root, Snapshot, Targets } from '@tufjs/models'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import type { MetadataText, TufRepository, TufRole } from './contract.js'
import { parseMetadata, type SignedByRole, type TufMetadata } from './metadata.js'
import { keysOfRole } from './roles.js'
import { KEPT_VERSIONS, metaFileOf } from './sign-roles.js'
import { assertThreshold, missingSignatures, verifySignatures } from './signatures.js'
import { hashedName } from './target-files.js'

type Verified<Role extends TufRole> = MetadataText & { readonly signed: SignedByRole[Role] }

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
  const targets = verifyList('targets', repository.targets, roots)
  const snapshots = verifyList('snapshot', repository.snapshots, roots)
  const [timestamp] = verifyList('timestamp', [repository.timestamp], roots)
  for (const snapshot of snapshots) verifySnapshot(snapshot, targets)
  if (snapshots[0].signed.meta['targets.json']?.version !== targets[0].version) {
    throw new LogError('integrity', 'the newest snapshot does not name the newest targets')
  }
  if (!metaFileOf(snapshots[0]).equals(timestamp.signed.snapshotMeta)) {
    throw new LogError('integrity', 'the timestamp does not name the newest snapshot')
  }
  verifyFiles(
    targets.map(({ signed }) => signed),
    repository.files
  )
}

/** A chain, oldest first: version n at n - 1, each signed by its own keys and those before. */
function verifyRoots(texts: readonly string[]): readonly Root[] {
  const roots: Root[] = []
  for (const text of texts) {
    const metadata = parseMetadata('root', text)
    verifyNextRoot(roots.at(-1), metadata)
    roots.push(metadata.signed)
  }
  if (roots.length === 0) throw new LogError('integrity', 'there is no root')
  return roots
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
  const roots = previous === undefined ? [signed] : [previous, signed]
  const signedBy = verifySignatures(metadata, keysOfRoots(roots, 'root'))
  for (const root of roots) assertThreshold(metadata, signedBy, root)
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
function verifyList<Role extends Exclude<TufRole, 'root'>>(
  role: Role,
  list: readonly MetadataText[],
  roots: readonly Root[]
): readonly [Verified<Role>, ...Verified<Role>[]] {
  if (list.length > KEPT_VERSIONS) throw new LogError('integrity', `too many ${role} metadata`)
  const keys = keysOfRoots(roots, role)
  const [first, ...older] = list.map(({ version, text }, age) => {
    const metadata = parseMetadata(role, text)
    if (metadata.signed.version !== version || version !== (list[0]?.version ?? 0) - age) {
      throw new LogError('integrity', `${role} metadata: version ${version} is out of order`)
    }
    const signedBy = verifySignatures(metadata, keys)
    // Older ones were signed for an older root, if keys were changed since.
    const accepted = age > 0 && roots.some((root) => missingSignatures(signedBy, root, role) === 0)
    if (!accepted) assertThreshold(metadata, signedBy, roots.at(-1) as Root) // there is one
    return { version, text, signed: metadata.signed }
  })
  if (first === undefined) throw new LogError('integrity', `there is no ${role} metadata`)
  return [first, ...older]
}

function verifySnapshot(
  { version, signed }: { readonly version: number; readonly signed: Snapshot },
  targets: readonly MetadataText[]
): void {
  const meta = signed.meta['targets.json']
  const named = targets.find((metadata) => metadata.version === meta?.version)
  if (named === undefined || meta === undefined || !metaFileOf(named).equals(meta)) {
    throw new LogError('integrity', `snapshot version ${version} names other targets metadata`)
  }
}

function verifyFiles(targets: readonly Targets[], files: TufRepository['files']): void {
  const named = new Set<string>()
  for (const file of targets.flatMap((signed) => Object.values(signed.targets))) {
    const bytes = files.get(hashedName(file))
    if (bytes === undefined) throw new LogError('integrity', `the file ${file.path} is missing`)
    const sha256 = encodeHex(hashData('sha256', bytes))
    if (bytes.length !== file.length || sha256 !== file.hashes.sha256) {
      throw new LogError('integrity', `the file ${file.path} is not what targets metadata says`)
    }
    named.add(hashedName(file))
  }
  const stray = [...files.keys()].find((name) => !named.has(name))
  if (stray !== undefined) throw new LogError('integrity', `no metadata names the file ${stray}`)
}
