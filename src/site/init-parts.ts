import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { activate, loadAuthorityState, saveAuthorityState } from '../store/authority-records.js'
import type { DataPaths } from '../config/data-dir.js'
import { createLogKey, storeKey } from '../config/key-files.js'
import { batchLimits } from '../config/schema.js'
import { readAuthorityPassphrase, readPassphrase, readTreeSigner } from '../config/secrets.js'
import { createCtTree } from '../ct/new-tree.js'
import { openCtLog } from '../ct/open-ct-log.js'
import { encodeHex } from '../encoding/hex.js'
import { encodePem } from '../encoding/pem.js'
import { generateSigningKey } from '../keys/local-signer.js'
import { hashData } from '../keys/verify.js'
import { createRekorTree } from '../rekor/new-tree.js'
import { openRekorLog } from '../rekor/open-rekor-log.js'
import { checkpointNameOf } from '../rekor/signing.js'
import { logIdOf } from '../rekor/statement.js'
import type { TreeRecord } from '../store/log-store.js'
import { buildRootCertificate } from '../x509/ca-certificate.js'
import { randomSerial } from '../x509/leaf-certificate.js'
import type { Site } from './site.js'
import { buildTsaCertificate, buildTsaRootCertificate } from '../x509/tsa-certificate.js'

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

const DAY_SECONDS = 86_400

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

/** The certificate authority: a key and its self-signed root. @returns undefined when there was one */
export async function ensureAuthority(site: Site): Promise<MadeAuthority | undefined> {
  const { config, paths, database, world } = site
  const stored = await loadAuthorityState(database.register, 'ca')
  if (stored.authorities.length > 0) return undefined
  removeUnfinishedKeys(paths, 'ca-')
  const { organization, commonName, keyAlgorithm, rootValidityDays } = config.ca
  const privateKey = await generateSigningKey(keyAlgorithm)
  const { signer, keyName } = storeKey(
    paths.keys,
    'ca',
    privateKey,
    readAuthorityPassphrase(config)
  )
  // Dies here: the key is on the disk and unused.
  const nowSeconds = Math.floor(world.now() / 1000)
  const root = await buildRootCertificate({
    subject: { organization, commonName },
    signer,
    serialNumber: randomSerial(world.randomBytes),
    notBeforeSeconds: nowSeconds,
    notAfterSeconds: nowSeconds + rootValidityDays * DAY_SECONDS
  })
  const chain = [encodePem('CERTIFICATE', root.der)]
  const next = activate(stored.authorities, { keyName, chain }, nowSeconds)
  await saveAuthorityState(database.register, stored, next)
  return {
    subject: `O=${organization}, CN=${commonName}`,
    fingerprint: encodeHex(hashData('sha256', root.der)),
    notAfter: new Date(root.notAfterSeconds * 1000).toISOString(),
    keyFile: join(paths.keys, keyName)
  }
}

/** The timestamp authority: two keys, a root and what signs below it. @returns undefined when there was one */
export async function ensureTimestampAuthority(site: Site): Promise<MadeAuthority | undefined> {
  const { config, paths, database, world } = site
  const stored = await loadAuthorityState(database.register, 'tsa')
  if (stored.authorities.length > 0) return undefined
  removeUnfinishedKeys(paths, 'tsa-')
  const { organization, commonName, validityDays } = config.tsa
  const passphrase = readAuthorityPassphrase(config)
  const root = await createLogKey(paths.keys, 'tsa-root', passphrase)
  const leaf = await createLogKey(paths.keys, 'tsa', passphrase)
  // Dies here: the keys are on the disk and unused.
  const madeAtSeconds = Math.floor(world.now() / 1000)
  const notAfterSeconds = madeAtSeconds + validityDays * DAY_SECONDS
  const rootCertificate = await buildTsaRootCertificate({
    subject: { organization, commonName: `${commonName}-root` },
    signer: root.signer,
    serialNumber: randomSerial(world.randomBytes),
    madeAtSeconds,
    notAfterSeconds
  })
  const certificate = await buildTsaCertificate({
    subject: { organization, commonName },
    publicKey: leaf.signer.publicKey,
    issuer: rootCertificate,
    issuerSigner: root.signer,
    serialNumber: randomSerial(world.randomBytes),
    madeAtSeconds,
    notAfterSeconds
  })
  const chain = [certificate, rootCertificate].map(({ der }) => encodePem('CERTIFICATE', der))
  const next = activate(stored.authorities, { keyName: leaf.keyName, chain }, madeAtSeconds)
  await saveAuthorityState(database.register, stored, next)
  return {
    subject: `O=${organization}, CN=${commonName}`,
    fingerprint: encodeHex(hashData('sha256', certificate.der)),
    notAfter: new Date(notAfterSeconds * 1000).toISOString(),
    keyFile: join(paths.keys, leaf.keyName)
  }
}

/** Host name for the origin of a new tree: that of the Rekor log, where nothing else is said. */
async function hostnameOf({ config, database }: Site): Promise<string> {
  if (config.log.hostname !== undefined) return config.log.hostname
  const tree = (await database.trees('rekor')).at(-1)
  return tree === undefined ? new URL(config.publicUrl).hostname : checkpointNameOf(tree)
}

/** Keys that an interrupted init left have signed nothing, as long as nothing names them. */
function removeUnfinishedKeys({ initMarker, keys }: DataPaths, prefix: string): void {
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
