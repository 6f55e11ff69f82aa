import { LogError } from '../../errors.js'
import { formatGoTime } from './go-time.js'
import { isGoodSignature } from './key.js'
import type { TufMetadata } from './metadata.js'
import type { TufRoot } from './root.js'

const TOP_LEVEL_ROLES: readonly string[] = ['root', 'targets', 'snapshot', 'timestamp']

/** Characters of a name in a message. */
const MAX_SHOWN = 64

/**
 * Checks metadata against the keys that a root gives a role.
 *
 * @param nowMs milliseconds since the epoch; undefined where it does not matter whether the metadata have expired
 * @throws LogError `verification_failed`
 * @see rekor-v1 §8.10
 */
export function verifyMetadata(
  root: TufRoot,
  role: string,
  metadata: TufMetadata,
  nowMs: number | undefined
): void {
  assertThreshold(root, role, metadata)
  const { type, version, expiresMs } = metadata
  // Roles beside the four may sign targets only.
  const expected = TOP_LEVEL_ROLES.includes(role) ? role : 'targets'
  if (type.toLowerCase() !== expected) throw refused('tuf: meta file has wrong type')
  if (version < 0) throw refused(`version ${version} is lower than current version 0`)
  if (nowMs !== undefined && expiresMs <= nowMs) {
    throw refused(`expired at ${formatGoTime(expiresMs)}`)
  }
}

/** Signatures that are not good, or of keys without a say, are passed over. Each key counts once. */
function assertThreshold(
  { keys, roles }: TufRoot,
  role: string,
  { signatures, signedBytes }: TufMetadata
): void {
  if (signatures.length === 0) throw refused('tuf: data has no signatures')
  const { keyIds, threshold } = roles.get(role) ?? {}
  if (keyIds === undefined || threshold === undefined) {
    throw refused(`tuf: unknown role ${JSON.stringify(role.slice(0, MAX_SHOWN))}`)
  }
  const signers = new Set<string>()
  for (const { keyId, bytes } of signatures) {
    const key = keyIds.has(keyId) ? keys.get(keyId) : undefined
    if (key === undefined || signers.has(key.id)) continue
    if (isGoodSignature(key, signedBytes, bytes)) signers.add(key.id)
    if (signers.size === threshold) return // the rest changes nothing
  }
  throw refused('tuf: valid signatures did not meet threshold')
}

function refused(message: string): LogError {
  return new LogError('verification_failed', message)
}
