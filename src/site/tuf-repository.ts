import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DataPaths } from '../config/data-dir.js'
import { keyNameOf } from '../config/key-files.js'
import type { Config } from '../config/schema.js'
import { readSigner } from '../config/secrets.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import type { CellChange, Register } from '../store/log-store.js'
import {
  type RoleKeys,
  TUF_ROLES,
  type TufLifetimes,
  type TufRepository,
  type TufRole,
  type TufSigners
} from '../tuf/contract.js'
import { encodeRepository, readRepository } from '../tuf/read-repository.js'

const CELL = 'tuf/repository'

const DAY_SECONDS = 86_400

/** In days. Everything that is online is signed again after a third of its life, so these are what an outage may last. */
const LIFETIMES = {
  standard: { root: 730, targets: 730, snapshot: 30, timestamp: 30 },
  'air-gap': { root: 3650, targets: 3650, snapshot: 1825, timestamp: 1825 }
} as const satisfies Record<Config['tuf']['lifetimes'], Record<TufRole, number>>

/** A repository with what is needed to change it. */
export interface StoredRepository {
  readonly repository: TufRepository
  /** As it was read. */
  readonly stored: Uint8Array
}

/** @returns undefined where there is none yet. @throws LogError `integrity` */
export async function loadRepository(
  register: Pick<Register, 'read'>
): Promise<StoredRepository | undefined> {
  const stored = await register.read(CELL)
  return stored === undefined ? undefined : { repository: readRepository(stored), stored }
}

/** The change of the register that publishes `next`. @param before what is published now */
export function repositoryChange(
  before: StoredRepository | undefined,
  next: TufRepository
): CellChange {
  return { key: CELL, expected: before?.stored, next: encodeRepository(next) }
}

/** How long metadata are good for that are signed now. */
export function tufLifetimes({ tuf }: Pick<Config, 'tuf'>): TufLifetimes {
  const { lifetimes, rootDays, targetsDays, snapshotDays, timestampDays } = tuf
  const profile = LIFETIMES[lifetimes]
  const lifetime = (role: TufRole, days: number) => ({
    seconds: (days === 0 ? profile[role] : days) * DAY_SECONDS
  })
  return {
    root: lifetime('root', rootDays),
    targets: lifetime('targets', targetsDays),
    snapshot: lifetime('snapshot', snapshotDays),
    timestamp: lifetime('timestamp', timestampDays)
  }
}

/**
 * Signers of those keys of the repository that lie in the key folder.
 *
 * @throws LogError as readSigner
 */
export function readTufSigners(
  paths: Pick<DataPaths, 'keys'>,
  roles: Readonly<Record<TufRole, RoleKeys>>,
  passphrase: string | undefined
): TufSigners {
  const signersOf = (role: TufRole): readonly Signer[] =>
    roles[role].publicKeys
      .map((publicKey) => fileOf(paths, role, publicKey))
      .filter((file) => existsSync(file))
      .map((file) => readSigner(file, passphrase))
  return Object.fromEntries(
    TUF_ROLES.map((role) => [role, signersOf(role)])
  ) as unknown as TufSigners // one for each role
}

/**
 * @param among roles to look at
 * @throws LogError `conflict` naming the missing keys without which nothing can be kept fresh
 */
export function assertOnlineKeys(
  paths: Pick<DataPaths, 'keys'>,
  roles: Readonly<Record<TufRole, RoleKeys>>,
  signers: TufSigners,
  among: readonly TufRole[] = TUF_ROLES
): void {
  for (const role of ['snapshot', 'timestamp'] as const) {
    if (!among.includes(role)) continue
    const { publicKeys, threshold } = roles[role]
    const missing = publicKeys
      .map((key) => fileOf(paths, role, key))
      .filter((file) => !existsSync(file))
    if (signers[role].length < threshold) {
      throw new LogError(
        'conflict',
        `the TUF ${role} key ${missing.join(', ')} is missing: restore it from your backup, or replace it with ` +
          `sigstead rotate tuf-${role}`
      )
    }
  }
}

function fileOf({ keys }: Pick<DataPaths, 'keys'>, role: TufRole, publicKey: Uint8Array): string {
  return join(keys, keyNameOf(`tuf-${role}`, publicKey))
}
