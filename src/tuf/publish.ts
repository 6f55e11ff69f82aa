import type { TufRepository, TufTarget } from './contract.js'
import { currentTargets } from './current.js'
import { signSnapshot, signTargets, signTimestamp, type SigningContext } from './sign-roles.js'
import { sameTargetFiles, targetFiles } from './target-files.js'

/**
 * Publishes these files in place of those before: new targets, snapshot and timestamp metadata.
 *
 * @returns the same repository when names, contents and custom members are as they were
 * @throws LogError `conflict` when too few keys of a role are here (for targets there are drafts), `invalid_request`,
 *   `too_large`
 */
export async function publishTargets(
  repository: TufRepository,
  { targets, ...context }: SigningContext & { readonly targets: readonly TufTarget[] }
): Promise<TufRepository> {
  if (isPublished(repository, targets)) return repository
  const withTargets = await signTargets(repository, targets, context)
  return signTimestamp(await signSnapshot(withTargets, context), context)
}

/** Whether the newest targets metadata names just these files. @throws LogError `invalid_request` */
export function isPublished(
  repository: Pick<TufRepository, 'targets'>,
  targets: readonly TufTarget[]
): boolean {
  return sameTargetFiles(targetFiles(targets), currentTargets(repository).targets)
}
