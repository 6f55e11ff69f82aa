import { LogError } from '../errors.js'
import { TUF_ROLES, type TufRepository, type TufRole } from './contract.js'
import { currentTargets } from './current.js'
import { assertFollowsText, type Draft, draftKeys, draftRoots, parseDraft } from './draft.js'
import { formatMetadata, sha256OfText } from './metadata.js'
import { keysOfRole, roleOf } from './roles.js'
import { missingSignatures } from './signatures.js'
import { sameTargetFiles } from './target-files.js'
import { nextVersion } from './sign-roles.js'
import { parseTime } from './times.js'

/** What a draft is and what it changes, for people. */
export interface DraftDescription {
  readonly role: 'root' | 'targets'
  readonly version: number
  readonly expiresSeconds: number
  /** Hex SHA-256 of the text that would be published, with the signatures it has now: what an operator confirms. */
  readonly sha256: string
  readonly keys: readonly DraftKey[]
  /** For each root whose keys must sign, the old one first, how many signatures are missing. */
  readonly missing: readonly { readonly rootVersion: number; readonly signatures: number }[]
  /** Of a root draft: what it changes of each role. */
  readonly roles: readonly RoleChange[]
  /** Of a targets draft: every file, and those that would go. */
  readonly files: readonly FileChange[]
}

/** A key that may sign a draft. */
export interface DraftKey {
  readonly keyId: string
  /** Versions of the roots that have it. */
  readonly rootVersions: readonly number[]
  readonly hasSigned: boolean
}

export interface RoleChange {
  readonly role: TufRole
  readonly addedKeyIds: readonly string[]
  readonly removedKeyIds: readonly string[]
  readonly keptKeyIds: readonly string[]
  /** 0 for a first root. */
  readonly thresholdBefore: number
  readonly threshold: number
}

export interface FileChange {
  readonly name: string
  readonly length: number
  /** Hex. */
  readonly sha256: string
  /** `unknown` where there is no repository to compare with. */
  readonly change: 'added' | 'changed' | 'unchanged' | 'removed' | 'unknown'
}

/**
 * Describes a draft; with a repository, as a change of that.
 *
 * @throws LogError `conflict` when the draft is not the next version of the repository, and as parseDraft
 */
export function describeDraft(
  text: string,
  repository: TufRepository | undefined
): DraftDescription {
  const draft = parseDraft(text)
  if (repository !== undefined) assertNext(draft, repository)
  const { metadata, role } = draft
  const roots = draftRoots(draft)
  const signedBy = new Set(Object.keys(metadata.signatures)) // all good: parseDraft looked
  return {
    role,
    version: metadata.signed.version,
    expiresSeconds: parseTime(metadata.signed.expires),
    sha256: sha256OfText(formatMetadata(metadata)),
    keys: [...draftKeys(draft).keys()].map((keyId) => ({
      keyId,
      rootVersions: roots
        .filter((root) => keysOfRole(root, role).has(keyId))
        .map(({ version }) => version),
      hasSigned: signedBy.has(keyId)
    })),
    missing: roots.map((root) => ({
      rootVersion: root.version,
      signatures: missingSignatures(signedBy, root, role)
    })),
    roles: draft.role === 'root' ? roleChanges(draft) : [],
    files: draft.role === 'targets' ? fileChanges(draft, repository) : []
  }
}

function assertNext(draft: Draft, repository: TufRepository): void {
  const { version } = draft.metadata.signed
  const next = draft.role === 'root' ? repository.roots.length + 1 : nextVersion(repository.targets)
  if (version !== next) {
    throw new LogError(
      'conflict',
      `the draft is of ${draft.role} version ${version}, and ${next} is next`
    )
  }
  if (draft.role === 'root') assertFollowsText(draft, repository)
}

function roleChanges({
  metadata,
  trustedRoot
}: Extract<Draft, { role: 'root' }>): readonly RoleChange[] {
  return TUF_ROLES.map((role) => {
    const before = trustedRoot === undefined ? [] : [...keysOfRole(trustedRoot.signed, role).keys()]
    const after = [...keysOfRole(metadata.signed, role).keys()]
    return {
      role,
      addedKeyIds: after.filter((keyId) => !before.includes(keyId)),
      removedKeyIds: before.filter((keyId) => !after.includes(keyId)),
      keptKeyIds: after.filter((keyId) => before.includes(keyId)),
      thresholdBefore: trustedRoot === undefined ? 0 : roleOf(trustedRoot.signed, role).threshold,
      threshold: roleOf(metadata.signed, role).threshold
    }
  })
}

function fileChanges(
  { metadata }: Extract<Draft, { role: 'targets' }>,
  repository: TufRepository | undefined
): readonly FileChange[] {
  const before = repository === undefined ? undefined : currentTargets(repository).targets
  const after = metadata.signed.targets
  const entry = (file: (typeof after)[string], change: FileChange['change']): FileChange => ({
    name: file.path,
    length: file.length,
    sha256: file.hashes.sha256 ?? '', // plain metadata has it
    change
  })
  const named = Object.values(after).map((file) => {
    const old =
      before !== undefined && Object.hasOwn(before, file.path) ? before[file.path] : undefined
    if (before === undefined) return entry(file, 'unknown')
    if (old === undefined) return entry(file, 'added')
    const isSame = sameTargetFiles({ file: old }, { file })
    return entry(file, isSame ? 'unchanged' : 'changed')
  })
  const removed = Object.values(before ?? {})
    .filter(({ path }) => !Object.hasOwn(after, path))
    .map((file) => entry(file, 'removed'))
  return [...named, ...removed]
}
