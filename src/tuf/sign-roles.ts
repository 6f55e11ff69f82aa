import { MetaFile, Snapshot, Targets, Timestamp } from '@tufjs/models'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type {
  MetadataText,
  TufLifetimes,
  TufRepository,
  TufRole,
  TufSigners,
  TufTarget
} from './contract.js'
import { currentRoot, newest } from './current.js'
import {
  assertSize,
  formatMetadata,
  parseMetadata,
  sha256OfText,
  SPEC_VERSION,
  type TufMetadata
} from './metadata.js'
import { signForRole } from './signatures.js'
import { hashedName, targetFiles } from './target-files.js'
import { formatTime } from './times.js'

/** What signing needs. */
export interface SigningContext {
  readonly signers: TufSigners
  readonly lifetimes: TufLifetimes
  readonly nowSeconds: number
}

/** A repository on its way: its timestamp, if it has one, may be behind the rest. */
export type UnfinishedRepository = Omit<TufRepository, 'timestamp'> &
  Partial<Pick<TufRepository, 'timestamp'>>

/**
 * How many targets and snapshots are kept: a client that has read a timestamp finishes with what that names while two
 * more are published.
 */
export const KEPT_VERSIONS = 3

/** Time at which metadata of a role expires that is signed now. @throws LogError `invalid_request` */
export function expiresAt(
  role: TufRole,
  { lifetimes, nowSeconds }: Pick<SigningContext, 'lifetimes' | 'nowSeconds'>
): string {
  const { seconds } = lifetimes[role]
  if (!(seconds > 0)) {
    throw new LogError('invalid_request', `${role} metadata must live for some time: ${seconds} s`)
  }
  return formatTime(nowSeconds + seconds)
}

/** Unsigned targets metadata. @throws LogError `invalid_request` for names and custom members */
export function buildTargets(
  version: number,
  targets: readonly TufTarget[],
  context: Pick<SigningContext, 'lifetimes' | 'nowSeconds'>
): Targets {
  const expires = expiresAt('targets', context)
  return new Targets({
    specVersion: SPEC_VERSION,
    version,
    expires,
    targets: targetFiles(targets)
  })
}

/** Signs new targets metadata. @throws LogError `conflict` when too few keys are here, `too_large` */
export async function signTargets(
  repository: UnfinishedRepository,
  targets: readonly TufTarget[],
  context: SigningContext
): Promise<UnfinishedRepository> {
  const signed = buildTargets(nextVersion(repository.targets), targets, context)
  const root = currentRoot(repository)
  const metadata = await signForRole(root, 'targets', signed, context.signers.targets)
  return addTargets(repository, metadata, targets)
}

/** Puts signed targets metadata in front, with its files, and lets go of what nothing names any more. */
export function addTargets(
  repository: UnfinishedRepository,
  metadata: TufMetadata<'targets'>,
  targets: readonly TufTarget[]
): UnfinishedRepository {
  const kept = [servedText('targets', metadata), ...repository.targets].slice(0, KEPT_VERSIONS)
  const files = new Map(repository.files)
  for (const target of targets) {
    const file = metadata.signed.targets[target.name]
    if (file !== undefined) files.set(hashedName(file), target.bytes)
  }
  const named = new Set(kept.flatMap(hashedNames))
  return {
    ...repository,
    targets: kept,
    files: new Map([...files].filter(([name]) => named.has(name)))
  }
}

/** Names under which the files of targets metadata are kept. */
export function hashedNames({ text }: MetadataText): readonly string[] {
  return Object.values(parseMetadata('targets', text).signed.targets).map(hashedName)
}

/** Signs a snapshot of the newest targets metadata. @throws LogError `conflict` when too few keys are here */
export async function signSnapshot(
  repository: UnfinishedRepository,
  context: SigningContext
): Promise<UnfinishedRepository> {
  const signed = new Snapshot({
    specVersion: SPEC_VERSION,
    version: nextVersion(repository.snapshots),
    expires: expiresAt('snapshot', context),
    meta: { 'targets.json': metaFileOf(newest(repository.targets, 'targets')) }
  })
  const root = currentRoot(repository)
  const metadata = await signForRole(root, 'snapshot', signed, context.signers.snapshot)
  const snapshots = [servedText('snapshot', metadata), ...repository.snapshots]
  return { ...repository, snapshots: snapshots.slice(0, KEPT_VERSIONS) }
}

/** Signs a timestamp of the newest snapshot. @throws LogError `conflict` when too few keys are here */
export async function signTimestamp(
  repository: UnfinishedRepository,
  context: SigningContext
): Promise<TufRepository> {
  const { timestamp } = repository
  const signed = new Timestamp({
    specVersion: SPEC_VERSION,
    version: nextVersion(timestamp === undefined ? [] : [timestamp]),
    expires: expiresAt('timestamp', context),
    snapshotMeta: metaFileOf(newest(repository.snapshots, 'snapshot'))
  })
  const root = currentRoot(repository)
  const metadata = await signForRole(root, 'timestamp', signed, context.signers.timestamp)
  return { ...repository, timestamp: servedText('timestamp', metadata) }
}

/** What snapshot and timestamp say of the metadata below. */
export function metaFileOf({ version, text }: MetadataText): MetaFile {
  return new MetaFile({
    version,
    length: encodeUtf8(text).length,
    hashes: { sha256: sha256OfText(text) }
  })
}

/** Version of the next one of a list, newest first. */
export function nextVersion(list: readonly MetadataText[]): number {
  return (list[0]?.version ?? 0) + 1
}

function servedText(role: TufRole, metadata: TufMetadata): MetadataText {
  const text = formatMetadata(metadata)
  assertSize(role, text)
  return { version: metadata.signed.version, text }
}
