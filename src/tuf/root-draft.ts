import { Metadata, type Root } from '@tufjs/models'
import { LogError } from '../errors.js'
import { type TufRepository, TUF_ROLES, type TufRole, type TufTarget } from './contract.js'
import { currentRoot, newest, publishedTargets } from './current.js'
import { assertFollowsText, formatDraft, parseDraft, type RootDraft } from './draft.js'
import { assertSize, formatMetadata, parseMetadata, sha256OfText } from './metadata.js'
import { buildRoot, keysByRole, keysOfRole, type KeysByRole, roleOf } from './roles.js'
import { canSign, missingSignatures } from './signatures.js'
import {
  expiresAt,
  signSnapshot,
  signTargets,
  signTimestamp,
  type SigningContext,
  type UnfinishedRepository
} from './sign-roles.js'
import { addDraftedTargets, type DraftedTargets } from './targets-draft.js'
import { assertNotExpired } from './times.js'
import { verifyNextRoot } from './verify-repository.js'

/** What a new root changes. Roles not named keep their keys; with none at all it only expires later. */
export interface RootChange {
  readonly roles?: Partial<KeysByRole>
}

/**
 * Unsigned root metadata, one version newer, for keys that are elsewhere (signDraft).
 *
 * @param repository undefined for the first root of all, whose change names every role
 * @throws LogError `invalid_request` when a role is missing, a threshold is 0 or cannot be reached, or a role has a key
 *   twice; `unsupported` for keys other than ECDSA P-256
 */
export function draftRoot(
  repository: TufRepository | undefined,
  { roles = {} }: RootChange,
  context: Pick<SigningContext, 'lifetimes' | 'nowSeconds'>
): string {
  const text = repository?.roots.at(-1)
  const trustedRoot = text === undefined ? undefined : parseMetadata('root', text)
  const before = trustedRoot === undefined ? {} : keysByRole(trustedRoot.signed)
  const version = (trustedRoot?.signed.version ?? 0) + 1
  const root = buildRoot(allRoles({ ...before, ...roles }), {
    version,
    expires: expiresAt('root', context)
  })
  return formatDraft({ role: 'root', metadata: new Metadata(root), trustedRoot })
}

function allRoles(roles: Partial<KeysByRole>): KeysByRole {
  const missing = TUF_ROLES.find((role) => roles[role] === undefined)
  if (missing !== undefined) {
    throw new LogError('invalid_request', `the first root needs keys of role ${missing}`)
  }
  return roles as KeysByRole // each is there
}

/**
 * A new repository from a first root that was signed elsewhere.
 *
 * @param confirmation hex SHA-256 of the text that becomes `1.root.json` (describeDraft)
 * @param options.targetsDraft targets metadata signed elsewhere, where the keys of targets are not here
 * @throws LogError as acceptRoot
 */
export async function acceptFirstRoot(
  draft: string,
  confirmation: string,
  {
    targets,
    targetsDraft,
    ...context
  }: SigningContext & { readonly targets: readonly TufTarget[]; readonly targetsDraft?: string }
): Promise<TufRepository> {
  const { trustedRoot, metadata } = parseRootDraft(draft)
  if (trustedRoot !== undefined) {
    throw new LogError('conflict', 'the draft is one of a later root, and there is no repository')
  }
  verifyNextRoot(undefined, metadata)
  const text = confirmedText(metadata, confirmation, context)
  const empty = { roots: [text], targets: [], snapshots: [], files: new Map() }
  const withTargets =
    targetsDraft === undefined
      ? await signTargets(empty, targets, context)
      : addDraftedTargets(empty, { draft: targetsDraft, targets }, context)
  return signTimestamp(await signSnapshot(withTargets, context), context)
}

/**
 * Publishes a root that was signed elsewhere. Where it changes keys of other roles, their metadata is signed again by
 * the keys at hand.
 *
 * @param confirmation hex SHA-256 of the text that becomes `N.root.json` (describeDraft)
 * @param options.draftedTargets targets metadata signed elsewhere for the new root, where its targets keys are not here
 * @throws LogError `conflict` when the draft does not follow the newest root, or keys are missing here;
 *   `verification_failed` when it is not what was confirmed, has expired, or has too few signatures of the old keys or
 *   the new ones; `too_large`; and as parseDraft
 */
export async function acceptRoot(
  repository: TufRepository,
  draft: string,
  confirmation: string,
  { draftedTargets, ...context }: SigningContext & { readonly draftedTargets?: DraftedTargets }
): Promise<TufRepository> {
  const rootDraft = parseRootDraft(draft)
  assertFollowsText(rootDraft, repository)
  const before = currentRoot(repository)
  const { metadata } = rootDraft
  verifyNextRoot(before, metadata)
  const text = confirmedText(metadata, confirmation, context)
  const changed = (role: TufRole): boolean => !isSameRole(before, metadata.signed, role)

  const withRoot = { ...repository, roots: [...repository.roots, text] }
  let next: UnfinishedRepository = withRoot
  if (draftedTargets !== undefined) next = addDraftedTargets(next, draftedTargets, context)
  else if (changed('targets')) next = await signTargetsAgain(withRoot, metadata.signed, context)
  if (next !== withRoot || changed('snapshot')) next = await signSnapshot(next, context)
  if (next !== withRoot || changed('timestamp')) return signTimestamp(next, context)
  return withRoot
}

/** Targets metadata may stay as it is when its keys are elsewhere, and those that signed still suffice. */
async function signTargetsAgain(
  repository: TufRepository,
  root: Root,
  context: SigningContext
): Promise<UnfinishedRepository> {
  if (!canSign(root, 'targets', context.signers.targets)) {
    const metadata = parseMetadata('targets', newest(repository.targets, 'targets').text)
    const signedBy = new Set(Object.keys(metadata.signatures)) // all good, or we had not published it
    if (missingSignatures(signedBy, root, 'targets') === 0) return repository
    throw new LogError(
      'conflict',
      'the new root changes the keys of targets, and these are not here: draft targets for it as well'
    )
  }
  return signTargets(repository, publishedTargets(repository), context)
}

function parseRootDraft(text: string): RootDraft {
  const draft = parseDraft(text)
  if (draft.role !== 'root') throw new LogError('invalid_request', 'not a draft of a root')
  return draft
}

function confirmedText(
  metadata: RootDraft['metadata'],
  confirmation: string,
  { nowSeconds }: SigningContext
): string {
  assertNotExpired(metadata.signed.expires, nowSeconds, 'the draft of a root')
  const text = formatMetadata(metadata)
  assertSize('root', text)
  // The right value is not told: whoever copies it from here has looked at nothing.
  if (confirmation !== sha256OfText(text)) {
    throw new LogError(
      'verification_failed',
      'a root is published only when the SHA-256 of its text is confirmed, and this is not it'
    )
  }
  return text
}

function isSameRole(a: Root, b: Root, role: TufRole): boolean {
  const ids = (root: Root): string => [...keysOfRole(root, role).keys()].sort().join()
  return ids(a) === ids(b) && roleOf(a, role).threshold === roleOf(b, role).threshold
}
