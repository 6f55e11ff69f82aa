import type { KeyObject } from 'node:crypto'
import { type KeyOwner, keyNameOf, storeKey, type StoredKey } from '../config/key-files.js'
import { readAuthorityPassphrase } from '../config/secrets.js'
import { encodePem } from '../encoding/pem.js'
import { createLocalSigner, generateLogKey, generateSigningKey } from '../keys/local-signer.js'
import type { NewAuthority } from '../store/authority-records.js'
import { buildRootCertificate } from '../x509/ca-certificate.js'
import type { Certificate } from '../x509/certificate.js'
import { randomSerial } from '../x509/leaf-certificate.js'
import { buildTsaCertificate, buildTsaRootCertificate } from '../x509/tsa-certificate.js'
import type { Site } from './site.js'

/** What becomes of a key that was made: it is stored, or, where all is only tried, nothing. */
export type KeepKey = (owner: KeyOwner, privateKey: KeyObject) => StoredKey

/** Keeps keys in the key folder. @param passphrase encrypts them */
export function keepIn({ paths }: Pick<Site, 'paths'>, passphrase: string | undefined): KeepKey {
  return (owner, privateKey) => storeKey(paths.keys, owner, privateKey, passphrase)
}

/** Keeps authorities' keys where and as the configuration says. */
export function keepAuthorityKeys(site: Pick<Site, 'paths' | 'config'>): KeepKey {
  return keepIn(site, readAuthorityPassphrase(site.config))
}

/** Keeps nothing: for a look at what would be. */
export const discardKeys: KeepKey = (owner, privateKey) => {
  const signer = createLocalSigner(privateKey)
  return { signer, keyName: keyNameOf(owner, signer.publicKey) }
}

/** An authority that was made just now. */
export interface CreatedAuthority {
  readonly authority: NewAuthority
  /** The certificate that issues or signs. */
  readonly certificate: Certificate
}

const DAY_SECONDS = 86_400

/** A certificate authority: a key and its self-signed root. */
export async function createAuthority(
  { config, world }: Pick<Site, 'config' | 'world'>,
  keep: KeepKey
): Promise<CreatedAuthority> {
  const { organization, commonName, keyAlgorithm, rootValidityDays } = config.ca
  const { signer, keyName } = keep('ca', await generateSigningKey(keyAlgorithm))
  // Dies here: the key is on the disk and unused.
  const notBeforeSeconds = Math.floor(world.now() / 1000)
  const certificate = await buildRootCertificate({
    subject: { organization, commonName },
    signer,
    serialNumber: randomSerial(world.randomBytes),
    notBeforeSeconds,
    notAfterSeconds: notBeforeSeconds + rootValidityDays * DAY_SECONDS
  })
  return { authority: { keyName, chain: [encodePem('CERTIFICATE', certificate.der)] }, certificate }
}

/** A timestamp authority: two keys, a root and what signs below it. */
export async function createTimestampingAuthority(
  { config, world }: Pick<Site, 'config' | 'world'>,
  keep: KeepKey
): Promise<CreatedAuthority> {
  const { organization, commonName, validityDays } = config.tsa
  const root = keep('tsa-root', await generateLogKey())
  const { signer, keyName } = keep('tsa', await generateLogKey())
  // Dies here: the keys are on the disk and unused.
  const madeAtSeconds = Math.floor(world.now() / 1000)
  const times = { madeAtSeconds, notAfterSeconds: madeAtSeconds + validityDays * DAY_SECONDS }
  const issuer = await buildTsaRootCertificate({
    subject: { organization, commonName: `${commonName}-root` },
    signer: root.signer,
    serialNumber: randomSerial(world.randomBytes),
    ...times
  })
  const certificate = await buildTsaCertificate({
    subject: { organization, commonName },
    publicKey: signer.publicKey,
    issuer,
    issuerSigner: root.signer,
    serialNumber: randomSerial(world.randomBytes),
    ...times
  })
  const chain = [certificate, issuer].map(({ der }) => encodePem('CERTIFICATE', der))
  return { authority: { keyName, chain }, certificate }
}
