import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  activate,
  type AuthorityOwner,
  loadAuthorityState,
  saveAuthorityState
} from '../store/authority-records.js'
import type { DataPaths } from '../config/data-dir.js'
import { createLogKey } from '../config/key-files.js'
import { batchLimits } from '../config/schema.js'
import { readPassphrase, readTreeSigner } from '../config/secrets.js'
import { createCtTree } from '../ct/new-tree.js'
import { openCtLog } from '../ct/open-ct-log.js'
import { encodeHex } from '../encoding/hex.js'
import { hashData } from '../keys/verify.js'
import { createRekorTree } from '../rekor/new-tree.js'
import { openRekorLog } from '../rekor/open-rekor-log.js'
import { checkpointNameOf } from '../rekor/signing.js'
import { logIdOf } from '../rekor/statement.js'
import type { TreeRecord } from '../store/log-store.js'
import {
  createAuthority,
  createTimestampingAuthority,
  type CreatedAuthority,
  keepAuthorityKeys,
  type KeepKey
} from './authorities.js'
import type { Site } from './site.js'

export interface MadeLog {
  readonly treeId: string
  readonly origin: string
  /** Hex. */
  readonly logId: string
  readonly keyFile: string
}

export interface MadeAuthority {
  readonly subject: string
  /** Hex SHA-256 of the root certificate. */
  readonly fingerprint: string
  /** ISO 8601. */
  readonly notAfter: string
  readonly keyFile: string
}

/** For logs that are closed again right after. */
const NO_HEARTBEAT_MS = 60_000

/** The Rekor log with its first entry. @returns undefined when it was there, whole */
export async function ensureRekorLog(site: Site): Promise<MadeLog | undefined> {
  const { config, paths, database, world } = site
  const passphrase = readPassphrase(config.log)
  const hostname = config.log.hostname ?? new URL(config.publicUrl).hostname
  const isNew = existsSync(paths.initMarker)
  if (!isNew) return undefined
  let [tree] = await database.trees('rekor')
  if (tree === undefined) {
    // Keys of an interrupted init that no tree names have signed nothing.
    rmSync(paths.keys, { recursive: true, force: true })
    const { signer, keyName } = await createLogKey(paths.keys, 'rekor', passphrase)
    // Dies here: the key is on the disk and unused, and the next init throws it away.
    tree = await createRekorTree({ database, hostname, signer, keyName, ...world })
  }
  const log = await openRekorLog({
    database,
    signerOf: (record) => readTreeSigner(paths, record, passphrase),
    hostname,
    limits: batchLimits(config),
    now: world.now,
    heartbeatMs: NO_HEARTBEAT_MS
  })
  await log.close()
  return describeLog(paths, tree)
}

/** The certificate log, empty and published. @returns undefined when it was there */
export async function ensureCtLog(site: Site): Promise<MadeLog | undefined> {
  const { config, paths, database, world } = site
  const [existing] = await database.trees('ct')
  if (existing !== undefined && !existsSync(paths.initMarker)) return undefined
  const passphrase = readPassphrase(config.log)
  let tree = existing
  if (tree === undefined) {
    removeUnfinishedKeys(paths, 'ct-')
    const { signer, keyName } = await createLogKey(paths.keys, 'ct', passphrase)
    const hostname = await hostnameOf(site)
    tree = await createCtTree({ database, hostname, signer, keyName, ...world })
  }
  const { log } = await openCtLog({
    database,
    signerOf: (record) => readTreeSigner(paths, record, passphrase),
    limits: batchLimits(config),
    now: world.now,
    heartbeatMs: NO_HEARTBEAT_MS
  })
  await log.close()
  return describeLog(paths, tree)
}

/** The certificate authority. @returns undefined when there was one */
export async function ensureAuthority(site: Site): Promise<MadeAuthority | undefined> {
  return ensureOwner(site, 'ca', createAuthority)
}

/** The timestamp authority. @returns undefined when there was one */
export async function ensureTimestampAuthority(site: Site): Promise<MadeAuthority | undefined> {
  return ensureOwner(site, 'tsa', createTimestampingAuthority)
}

async function ensureOwner(
  site: Site,
  owner: AuthorityOwner,
  create: (site: Site, keep: KeepKey) => Promise<CreatedAuthority>
): Promise<MadeAuthority | undefined> {
  const { config, paths, database, world } = site
  const stored = await loadAuthorityState(database.register, owner)
  if (stored.authorities.length > 0) return undefined
  removeUnfinishedKeys(paths, `${owner}-`)
  const { authority, certificate } = await create(site, keepAuthorityKeys(site))
  const nowSeconds = Math.floor(world.now() / 1000)
  await saveAuthorityState(
    database.register,
    stored,
    activate(stored.authorities, authority, nowSeconds)
  )
  const { organization, commonName } = config[owner]
  return {
    subject: `O=${organization}, CN=${commonName}`,
    fingerprint: encodeHex(hashData('sha256', certificate.der)),
    notAfter: new Date(certificate.notAfterSeconds * 1000).toISOString(),
    keyFile: join(paths.keys, authority.keyName)
  }
}

/** Host name for the origin of a new tree: that of the Rekor log, where nothing else is said. */
async function hostnameOf({ config, database }: Site): Promise<string> {
  if (config.log.hostname !== undefined) return config.log.hostname
  const tree = (await database.trees('rekor')).at(-1)
  return tree === undefined ? new URL(config.publicUrl).hostname : checkpointNameOf(tree)
}

/** Keys that an interrupted init left have signed nothing, as long as nothing names them. */
export function removeUnfinishedKeys({ initMarker, keys }: DataPaths, prefix: string): void {
  if (!existsSync(initMarker)) return
  for (const name of readdirSync(keys)) {
    if (name.startsWith(prefix)) rmSync(join(keys, name))
  }
}

function describeLog(paths: DataPaths, tree: TreeRecord): MadeLog {
  const { treeId, origin, keyName, publicKey } = tree
  return {
    treeId,
    origin,
    logId: encodeHex(logIdOf(publicKey)),
    keyFile: join(paths.keys, keyName)
  }
}
