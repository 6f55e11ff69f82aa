import type { TufRepository, TufTarget } from './contract.js'
import { assertSize, formatMetadata } from './metadata.js'
import { buildRoot, type KeysByRole } from './roles.js'
import { signForRole } from './signatures.js'
import {
  expiresAt,
  signSnapshot,
  signTargets,
  signTimestamp,
  type SigningContext
} from './sign-roles.js'

export interface CreateRepositoryOptions extends SigningContext {
  readonly roles: KeysByRole
  readonly targets: readonly TufTarget[]
}

/**
 * A new repository, every role at version 1, all keys being here.
 *
 * @throws LogError `invalid_request` when a threshold is 0 or above the number of keys, a role has a key twice, or a
 *   target's name or custom member cannot be published; `unsupported` for keys other than ECDSA P-256; `conflict` when
 *   a role has too few signers; `too_large`
 */
export async function createRepository(options: CreateRepositoryOptions): Promise<TufRepository> {
  const { roles, signers, targets } = options
  const root = buildRoot(roles, { version: 1, expires: expiresAt('root', options) })
  const text = formatMetadata(await signForRole(root, 'root', root, signers.root))
  assertSize('root', text)
  const empty = { roots: [text], targets: [], snapshots: [], files: new Map() }
  const withTargets = await signTargets(empty, targets, options)
  return signTimestamp(await signSnapshot(withTargets, options), options)
}
