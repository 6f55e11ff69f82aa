import { existsSync, readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { createLogKey } from '../config/key-files.js'
import { readPassphrase } from '../config/secrets.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import type { CeremonyKeys } from '../site/ensure-tuf-repository.js'
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
  const inside = relative(resolve(dataDir), folder)
  if (inside === '' || !inside.startsWith('..')) {
    throw new UsageError(`--ceremony ${given} is inside of the data directory ${dataDir}`)
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

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = /^[1-9][0-9]?$/.test(text) ? Number(text) : 0
  if (value < 1 || value > MAX_KEYS) {
    throw new UsageError(`--${name} must be a number from 1 to ${MAX_KEYS}: ${text}`)
  }
  return value
}

/**
 * Makes the keys of a ceremony.
 * @throws LogError `conflict` when there are files in the folder already
 */
export async function makeCeremonyKeys({
  folder,
  keys,
  threshold,
  offlineTargets,
  passphrase
}: Ceremony): Promise<Readonly<Partial<Record<'root' | 'targets', CeremonyKeys>>>> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new LogError('conflict', `${folder} is not empty: name another folder for --ceremony`)
  }
  const make = async (role: 'root' | 'targets'): Promise<CeremonyKeys> => {
    const signers: Signer[] = []
    while (signers.length < keys) {
      signers.push((await createLogKey(folder, `tuf-${role}`, passphrase)).signer)
    }
    return { signers, threshold }
  }
  const root = await make('root')
  return offlineTargets ? { root, targets: await make('targets') } : { root }
}
