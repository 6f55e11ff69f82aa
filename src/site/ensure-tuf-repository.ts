import { join } from 'node:path'
import { createLogKey } from '../config/key-files.js'
import { readPassphrase } from '../config/secrets.js'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import { hashData } from '../keys/verify.js'
import { buildTrustTargets } from '../trust/targets.js'
import type { RoleKeys, TufRole } from '../tuf/contract.js'
import { createRepository } from '../tuf/create-repository.js'
import { circumstancesOf, readIssuers } from './circumstances.js'
import { readHoldings, trustStateOf } from './holdings.js'
import { removeUnfinishedKeys } from './init-parts.js'
import type { Site } from './site.js'
import { loadRepository, repositoryChange, tufLifetimes } from './tuf-repository.js'

/** Keys of roles that are not to lie in the data directory. */
export interface CeremonyKeys {
  readonly signers: readonly Signer[]
  readonly threshold: number
}

export interface MadeRepository {
  /** Hex SHA-256 of root.json: what people compare. */
  readonly rootSha256: string
  /** Key files by role, of those in the data directory. */
  readonly keyFiles: Readonly<Partial<Record<TufRole, string>>>
}

/**
 * The TUF repository with all trust material of the parts there are.
 *
 * @param elsewhere keys of roles that were made outside of the data directory
 * @returns undefined when there was one
 */
export async function ensureTufRepository(
  site: Site,
  elsewhere: Readonly<Partial<Record<'root' | 'targets', CeremonyKeys>>> = {}
): Promise<MadeRepository | undefined> {
  const { config, paths, database, world } = site
  const { register } = database
  if ((await loadRepository(register)) !== undefined) return undefined
  removeUnfinishedKeys(paths, 'tuf-')
  const passphrase = readPassphrase(config.log)
  const keyFiles: Partial<Record<TufRole, string>> = {}
  const keysOf = async (role: TufRole): Promise<CeremonyKeys> => {
    const given = role === 'root' || role === 'targets' ? elsewhere[role] : undefined
    if (given !== undefined) return given
    const { signer, keyName } = await createLogKey(paths.keys, `tuf-${role}`, passphrase)
    keyFiles[role] = join(paths.keys, keyName)
    return { signers: [signer], threshold: 1 }
  }
  const keys = {
    root: await keysOf('root'),
    targets: await keysOf('targets'),
    snapshot: await keysOf('snapshot'),
    timestamp: await keysOf('timestamp')
  }
  // Dies here: the keys are on the disk and unused.
  const issuers = await readIssuers(config)
  const state = trustStateOf(
    await readHoldings(database),
    circumstancesOf(config, issuers, config.publicUrl)
  )
  const repository = await createRepository({
    roles: {
      root: roleKeys(keys.root),
      targets: roleKeys(keys.targets),
      snapshot: roleKeys(keys.snapshot),
      timestamp: roleKeys(keys.timestamp)
    },
    signers: {
      root: keys.root.signers,
      targets: keys.targets.signers,
      snapshot: keys.snapshot.signers,
      timestamp: keys.timestamp.signers
    },
    targets: buildTrustTargets(state),
    lifetimes: tufLifetimes(config),
    nowSeconds: Math.floor(world.now() / 1000)
  })
  if (!(await register.swapAll([repositoryChange(undefined, repository)]))) {
    throw new LogError('conflict', 'somebody else made a TUF repository meanwhile')
  }
  const root = encodeUtf8(repository.roots[0] ?? '')
  return { rootSha256: encodeHex(hashData('sha256', root)), keyFiles }
}

function roleKeys({ signers, threshold }: CeremonyKeys): RoleKeys {
  return { publicKeys: signers.map(({ publicKey }) => publicKey), threshold }
}
