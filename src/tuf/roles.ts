import { type Key, Root } from '@tufjs/models'
import { equalBytes } from '../encoding/bytes.js'
import { LogError } from '../errors.js'
import { type RoleKeys, TUF_ROLES, type TufRole } from './contract.js'
import { keyFromSpki, publicKeyOf, tufKeyId } from './keys.js'
import { parseMetadata, SPEC_VERSION } from './metadata.js'

export type KeysByRole = Readonly<Record<TufRole, RoleKeys>>

type RootRole = Root['roles'][string]

/** Keys and threshold of a role as root metadata has them. */
export function roleOf(root: Root, role: TufRole): RootRole {
  return root.roles[role] as RootRole // a Root has all four, or its constructor would have refused
}

/** Key objects of a role by id. */
export function keysOfRole(root: Root, role: TufRole): ReadonlyMap<string, Key> {
  return new Map(roleOf(root, role).keyIDs.map((keyId) => [keyId, root.keys[keyId] as Key])) // as read or built here
}

/** Keys of every role of a root. */
export function keysByRole(root: Root): KeysByRole {
  const of = (role: TufRole): RoleKeys => ({
    publicKeys: [...keysOfRole(root, role).values()].map((key) => publicKeyOf(key).spki),
    threshold: roleOf(root, role).threshold
  })
  return {
    root: of('root'),
    targets: of('targets'),
    snapshot: of('snapshot'),
    timestamp: of('timestamp')
  }
}

/** What a root says: its version, when it expires, and keys of every role. @throws LogError as parseMetadata */
export function readRoot(text: string): {
  readonly version: number
  readonly expires: string
  readonly roles: KeysByRole
} {
  const { signed } = parseMetadata('root', text)
  return { version: signed.version, expires: signed.expires, roles: keysByRole(signed) }
}

/**
 * Unsigned root metadata.
 *
 * @throws LogError `invalid_request` when a role's threshold is 0 or cannot be reached, or it has a key twice;
 *   `unsupported` for keys other than ECDSA P-256
 */
export function buildRoot(
  roles: KeysByRole,
  { version, expires }: { readonly version: number; readonly expires: string }
): Root {
  for (const role of TUF_ROLES) assertReachable(role, roles[role])
  const keys = TUF_ROLES.flatMap((role) => roles[role].publicKeys.map(keyFromSpki))
  const member = ({
    publicKeys,
    threshold
  }: RoleKeys): { keyids: string[]; threshold: number } => ({
    keyids: publicKeys.map(tufKeyId),
    threshold
  })
  // From JSON because the library keeps its class of roles to itself.
  return Root.fromJSON({
    spec_version: SPEC_VERSION,
    version,
    expires,
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map((key) => [key.keyID, key.toJSON()])),
    roles: Object.fromEntries(TUF_ROLES.map((role) => [role, member(roles[role])]))
  })
}

function assertReachable(role: TufRole, { publicKeys, threshold }: RoleKeys): void {
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new LogError(
      'invalid_request',
      `threshold of role ${role} must be 1 or more: ${threshold}`
    )
  }
  if (publicKeys.some((key, i) => publicKeys.slice(0, i).some((other) => equalBytes(key, other)))) {
    throw new LogError('invalid_request', `role ${role} has the same key twice`)
  }
  if (threshold > publicKeys.length) {
    throw new LogError(
      'invalid_request',
      `threshold of role ${role} is ${threshold}, and it has ${publicKeys.length} keys`
    )
  }
}
