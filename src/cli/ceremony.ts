import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { readPassphrase } from '../config/secrets.js'
import { LogError } from '../errors.js'
import type { CeremonyKeys } from '../site/ensure-tuf-repository.js'
import { type CarriedKey, makeCarriedKey, prepareKeyFolder } from './carried-key.js'
import { type FlagSpec, UsageError } from './command.js'

export const CEREMONY_FLAGS: readonly FlagSpec[] = [
  {
    name: 'ceremony',
    value: 'FOLDER',
    meaning:
      'Make the keys of the TUF root there, outside of the data directory: carry them away afterwards.'
  },
  { name: 'root-keys', value: 'N', meaning: 'With --ceremony: how many root keys. Default: 3.' },
  {
    name: 'root-threshold',
    value: 'N',
    meaning: 'With --ceremony: how many of them must sign. Default: more than half.'
  },
  {
    name: 'offline-targets',
    meaning: 'With --ceremony: the keys of TUF targets there as well, in the same number.'
  },
  {
    name: 'ceremony-passphrase',
    value: 'FILE',
    meaning: 'With --ceremony: passphrase that encrypts these keys, in a file.'
  }
]

const MAX_KEYS = 32

/** What the flags ask for. */
export interface Ceremony {
  /** Whole path. */
  readonly folder: string
  readonly keys: number
  readonly threshold: number
  readonly offlineTargets: boolean
  readonly passphrase: string | undefined
}

/** @returns undefined without `--ceremony`. @throws UsageError */
export function readCeremony(
  flags: ReadonlyMap<string, string>,
  dataDir: string
): Ceremony | undefined {
  const given = flags.get('ceremony')
  if (given === undefined) {
    const stray = CEREMONY_FLAGS.find(({ name }) => flags.has(name))
    if (stray !== undefined) throw new UsageError(`--${stray.name} needs --ceremony FOLDER`)
    return undefined
  }
  const folder = resolve(given)
  if (isWithin(folder, dataDir)) {
    throw new UsageError(`--ceremony ${given} is inside of the data directory ${dataDir}`)
  }
  // It would never be empty, as it must be.
  if (isWithin(dataDir, folder)) {
    throw new UsageError(`the data directory ${dataDir} is inside of --ceremony ${given}`)
  }
  const keys = readCount('root-keys', flags.get('root-keys')) ?? 3
  const threshold =
    readCount('root-threshold', flags.get('root-threshold')) ?? Math.floor(keys / 2) + 1
  if (threshold > keys) {
    throw new UsageError(`--root-threshold is ${threshold}, and there are ${keys} root keys`)
  }
  const passphrase = readPassphrase({
    keyPassphraseFile: flags.get('ceremony-passphrase'),
    keyPassphrase: undefined
  })
  return { folder, keys, threshold, offlineTargets: flags.has('offline-targets'), passphrase }
}

function isWithin(path: string, folder: string): boolean {
  const inside = relative(realPath(folder), realPath(path))
  return inside !== '..' && !inside.startsWith(`..${sep}`)
}

/** Where a path leads, whose last parts may not exist yet. */
function realPath(path: string): string {
  const whole = resolve(path)
  const folder = dirname(whole)
  if (existsSync(whole) || folder === whole) return realpathSync(whole)
  return join(realPath(folder), relative(folder, whole))
}

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = /^[1-9][0-9]?$/.test(text) ? Number(text) : 0
  if (value < 1 || value > MAX_KEYS) {
    throw new UsageError(`--${name} must be a number from 1 to ${MAX_KEYS}: ${text}`)
  }
  return value
}

/** Keys that were made elsewhere, by role. */
export interface CeremonyOutcome {
  readonly folder: string
  readonly keyFiles: Readonly<Partial<Record<'root' | 'targets', readonly string[]>>>
  readonly threshold: number
}

/** @throws LogError `conflict` when there is anything in the folder, or it cannot be made */
export function assertEmptyFolder({ folder }: Pick<Ceremony, 'folder'>): void {
  if (prepareKeyFolder(folder).length > 0) {
    throw new LogError('conflict', `${folder} is not empty: name another folder for --ceremony`)
  }
}

/**
 * Makes the keys of a ceremony.
 * @throws LogError `conflict` when there are files in the folder already
 */
export async function makeCeremonyKeys(ceremony: Ceremony): Promise<{
  readonly keys: Readonly<Partial<Record<'root' | 'targets', CeremonyKeys>>>
  readonly outcome: CeremonyOutcome
}> {
  const { folder, keys, threshold, offlineTargets, passphrase } = ceremony
  assertEmptyFolder(ceremony)
  const make = async (role: 'root' | 'targets'): Promise<readonly CarriedKey[]> => {
    const made: CarriedKey[] = []
    while (made.length < keys) made.push(await makeCarriedKey(folder, role, passphrase))
    return made
  }
  const root = await make('root')
  const targets = offlineTargets ? await make('targets') : undefined
  const keysOf = (made: readonly CarriedKey[]): CeremonyKeys => ({
    signers: made.map(({ signer }) => signer),
    threshold
  })
  const filesOf = (made: readonly CarriedKey[]) => made.map(({ keyFile }) => keyFile)
  return {
    keys: { root: keysOf(root), ...(targets === undefined ? {} : { targets: keysOf(targets) }) },
    outcome: {
      folder,
      threshold,
      keyFiles: {
        root: filesOf(root),
        ...(targets === undefined ? {} : { targets: filesOf(targets) })
      }
    }
  }
}
