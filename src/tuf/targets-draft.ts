import { Metadata } from '@tufjs/models'
import { LogError } from '../errors.js'
import type { TufRepository, TufTarget } from './contract.js'
import { currentRoot } from './current.js'
import { formatDraft, parseDraft } from './draft.js'
import { parseMetadata, type TufMetadata } from './metadata.js'
import { keysOfRole } from './roles.js'
import { assertThreshold, verifySignatures } from './signatures.js'
import {
  addTargets,
  buildTargets,
  nextVersion,
  signSnapshot,
  signTimestamp,
  type SigningContext,
  type UnfinishedRepository
} from './sign-roles.js'
import { sameTargetFiles, targetFiles } from './target-files.js'
import { assertNotExpired } from './times.js'

/** Targets metadata that was signed elsewhere, with the files it names. */
export interface DraftedTargets {
  readonly draft: string
  readonly targets: readonly TufTarget[]
}

/**
 * Unsigned targets metadata, one version newer, for keys that are elsewhere (signDraft).
 *
 * @param repository undefined for the first targets of all
 * @param options.rootDraft draft of the root whose targets keys are to sign, where that is not yet published
 * @throws LogError `invalid_request` for names and custom members, or when there is neither repository nor root draft
 */
export function draftTargets(
  repository: TufRepository | undefined,
  targets: readonly TufTarget[],
  {
    rootDraft,
    ...context
  }: Pick<SigningContext, 'lifetimes' | 'nowSeconds'> & { readonly rootDraft?: string }
): string {
  const trustedRoot = rootFor(repository, rootDraft)
  const version = nextVersion(repository?.targets ?? [])
  const metadata = new Metadata(buildTargets(version, targets, context))
  return formatDraft({ role: 'targets', metadata, trustedRoot })
}

function rootFor(
  repository: TufRepository | undefined,
  rootDraft: string | undefined
): TufMetadata<'root'> {
  if (rootDraft !== undefined) {
    const draft = parseDraft(rootDraft)
    if (draft.role === 'root') return draft.metadata
    throw new LogError('invalid_request', 'the draft given as root is one of targets')
  }
  const text = repository?.roots.at(-1)
  if (text === undefined) {
    throw new LogError('invalid_request', 'first targets need the draft of the first root')
  }
  return parseMetadata('root', text)
}

/**
 * Publishes targets metadata that was signed elsewhere.
 *
 * @param targets the files, as the server makes them now
 * @throws LogError as addDraftedTargets; `conflict` when keys of snapshot or timestamp are missing here
 */
export async function acceptTargets(
  repository: TufRepository,
  draft: string,
  { targets, ...context }: SigningContext & { readonly targets: readonly TufTarget[] }
): Promise<TufRepository> {
  const next = addDraftedTargets(repository, { draft, targets }, context)
  return signTimestamp(await signSnapshot(next, context), context)
}

/**
 * The repository with targets metadata that was signed elsewhere in front; snapshot and timestamp are behind.
 *
 * @throws LogError `conflict` when the draft is not of the next version, or names other files than `targets`;
 *   `verification_failed` when it has expired or the newest root wants more signatures; `too_large`; and as parseDraft
 */
export function addDraftedTargets(
  repository: UnfinishedRepository,
  { draft: text, targets }: DraftedTargets,
  { nowSeconds }: Pick<SigningContext, 'nowSeconds'>
): UnfinishedRepository {
  const draft = parseDraft(text)
  if (draft.role !== 'targets') throw new LogError('invalid_request', 'not a draft of targets')
  const { metadata } = draft
  const { version, expires, targets: drafted } = metadata.signed
  const next = nextVersion(repository.targets)
  if (version !== next) {
    throw new LogError(
      'conflict',
      `the draft is of targets version ${version}, and ${next} is next`
    )
  }
  assertNotExpired(expires, nowSeconds, 'the draft of targets')
  // Again, and by the root we trust: the one in the draft is whatever its author wrote.
  const root = currentRoot(repository)
  assertThreshold(metadata, verifySignatures(metadata, keysOfRole(root, 'targets')), root)
  if (!sameTargetFiles(drafted, targetFiles(targets))) {
    throw new LogError(
      'conflict',
      'the draft names other files than the server has now: draft again'
    )
  }
  return addTargets(repository, metadata, targets)
}
