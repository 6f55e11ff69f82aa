import { LogError } from '../errors.js'
import {
  type MetadataText,
  type RoleExpiry,
  TUF_ROLES,
  type TufLifetimes,
  type TufRepository,
  type TufRole
} from './contract.js'
import { newest } from './current.js'
import { parseMetadata } from './metadata.js'
import { parseTime } from './times.js'

const DAY_SECONDS = 86_400

/** When the newest metadata of each role expires, in the order of TUF_ROLES. */
export function expiries(repository: TufRepository): readonly RoleExpiry[] {
  return TUF_ROLES.map((role) => expiryOf(repository, role))
}

/** When the newest metadata of a role expires. */
export function expiryOf(repository: TufRepository, role: TufRole): RoleExpiry {
  const { version, expires } = parseMetadata(role, newestText(repository, role)).signed
  return { role, version, expiresSeconds: parseTime(expires) }
}

function newestText(repository: TufRepository, role: TufRole): string {
  if (role === 'timestamp') return repository.timestamp.text
  if (role !== 'root') return listOf(repository, role)
  const text = repository.roots.at(-1)
  if (text === undefined) throw new LogError('integrity', 'the TUF repository has no root')
  return text
}

function listOf(repository: TufRepository, role: 'targets' | 'snapshot'): string {
  const list: readonly MetadataText[] =
    role === 'targets' ? repository.targets : repository.snapshots
  return newest(list, role).text
}

/**
 * Whether metadata should be signed again: less than two thirds of its lifetime left; a timestamp also when it is a day
 * old, so that a mirror that lags is noticed; and when it lives over a day longer than the setting says, which was
 * shortened since.
 */
export function isDue(
  { role, expiresSeconds }: RoleExpiry,
  { lifetimes, nowSeconds }: { readonly lifetimes: TufLifetimes; readonly nowSeconds: number }
): boolean {
  const lifetime = lifetimes[role].seconds
  const left = expiresSeconds - nowSeconds
  if (left * 3 < lifetime * 2 || left > lifetime + DAY_SECONDS) return true
  return role === 'timestamp' && left <= lifetime - DAY_SECONDS
}
