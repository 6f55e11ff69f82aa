import type { TufRepository, TufRole, TufTarget } from './contract.js'
import { currentRoot, publishedTargets } from './current.js'
import { expiryOf, isDue } from './expiry.js'
import { isPublished } from './publish.js'
import { canSign } from './signatures.js'
import {
  signSnapshot,
  signTargets,
  signTimestamp,
  type SigningContext,
  type UnfinishedRepository
} from './sign-roles.js'

/**
 * Signs again what is due (see isDue), and what names it. Roles with too few keys here are left alone; the root always
 * is. With `targets`, files that changed are published as well, if the keys of targets are here.
 *
 * @returns the same repository when nothing is due
 */
export async function refresh(
  repository: TufRepository,
  { targets, ...context }: SigningContext & { readonly targets?: readonly TufTarget[] }
): Promise<TufRepository> {
  const root = currentRoot(repository)
  const able = (role: TufRole): boolean => canSign(root, role, context.signers[role])
  const due = (role: TufRole): boolean => isDue(expiryOf(repository, role), context)
  if (!able('timestamp')) return repository
  let next: UnfinishedRepository = repository
  if (able('snapshot')) {
    const files = targets ?? publishedTargets(repository)
    if (able('targets') && (due('targets') || !isPublished(repository, files))) {
      next = await signTargets(next, files, context)
    }
    if (next !== repository || due('snapshot')) next = await signSnapshot(next, context)
  }
  return next !== repository || due('timestamp') ? signTimestamp(next, context) : repository
}
