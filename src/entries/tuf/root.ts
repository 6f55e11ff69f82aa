import { type JsonValue } from '../../encoding/canonical-json.js'
import { isJsonObject } from '../../encoding/json.js'
import { LogError } from '../../errors.js'
import { matchesShape } from '../go-struct.js'
import { readKey, type TufKey } from './key.js'
import { arrayMember, integerMember, objectMember } from './members.js'
import type { TufMetadata } from './metadata.js'

/** Reading one takes up to 0.2 ms. */
export const MAX_KEYS = 1024
/** Likewise keys of one role. */
const MAX_KEY_IDS = 1024

interface TufRole {
  readonly keyIds: ReadonlySet<string>
  readonly threshold: number
}

/** A root file as read; its signatures were not checked. */
export interface TufRoot {
  readonly metadata: TufMetadata
  /** By the id the root gives them. */
  readonly keys: ReadonlyMap<string, TufKey>
  /** By name: the four of the specification, or whatever else the root names. */
  readonly roles: ReadonlyMap<string, TufRole>
}

/**
 *     signed: { …, consistent_snapshot, keys: { <id>: key }, roles: { <name>: { keyids: […], threshold } } }
 *
 * One key that cannot be read, or a role without a threshold, spoils the whole root.
 *
 * @throws LogError `invalid_request`, `unsupported`
 */
export function readRoot(metadata: TufMetadata): TufRoot {
  const { signed } = metadata
  if (!matchesShape(signed, { consistent_snapshot: 'boolean' })) {
    throw invalid('tuf: consistent_snapshot must be true or false')
  }
  const keys = Object.entries(objectMember(signed, 'keys') ?? {})
  if (keys.length > MAX_KEYS) throw invalid(`tuf root contains more than ${MAX_KEYS} keys`)
  const roles = Object.entries(objectMember(signed, 'roles') ?? {})
  return {
    metadata,
    keys: new Map(keys.map(([id, key = null]) => [id, readKey(key)])),
    roles: new Map(roles.map(([name, role = null]) => [name, readRole(role)]))
  }
}

function readRole(value: JsonValue): TufRole {
  if (value === null) throw invalid('tuf root contains nil role')
  if (!isJsonObject(value)) throw invalid('tuf: a role must be an object')
  const keyIds = arrayMember(value, 'keyids', MAX_KEY_IDS)
  if (!keyIds.every((keyId) => typeof keyId === 'string')) {
    throw invalid('tuf: keyids must be strings')
  }
  const threshold = integerMember(value, 'threshold')
  if (threshold < 1) throw invalid('tuf: invalid role threshold')
  return { keyIds: new Set(keyIds), threshold }
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
