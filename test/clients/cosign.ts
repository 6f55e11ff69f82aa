import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Suite } from './clients.js'
import type { Session } from './session.js'
import type { Json } from './tamper.js'

/** A cosign key pair on disk: `NAME.key`, `NAME.pub`. */
export interface CosignKey {
  readonly name: string
  readonly privateFile: string
  readonly publicFile: string
}

/** The two shapes in which cosign keeps what the log answered. */
export const FORMATS = ['old', 'new'] as const
export type BundleFormat = (typeof FORMATS)[number]

/** Flags that make each generation use a plain log address and write the wanted bundle. */
const SIGN_FLAGS: Record<Suite, Record<BundleFormat, readonly string[]>> = {
  trixie: { old: [], new: ['--new-bundle-format'] },
  sid: {
    old: ['--use-signing-config=false', '--new-bundle-format=false'],
    new: ['--use-signing-config=false']
  }
}
const VERIFY_FLAGS: Record<Suite, Record<BundleFormat, readonly string[]>> = {
  trixie: { old: [], new: ['--new-bundle-format'] },
  sid: { old: ['--new-bundle-format=false'], new: [] }
}

/** Flags of every command that signs. @param key none: who signs is said otherwise */
export function signFlags(
  session: Session,
  suite: Suite,
  format: BundleFormat,
  key?: CosignKey
): string[] {
  return [
    ...['--yes', '--rekor-url', session.server.url],
    ...(key === undefined ? [] : ['--key', key.privateFile]),
    ...SIGN_FLAGS[suite][format]
  ]
}

/** Flags of every command that verifies, to say which kind of bundle comes. */
export function verifyFlags(suite: Suite, format: BundleFormat): readonly string[] {
  return VERIFY_FLAGS[suite][format]
}

/** Makes a key pair as cosign keeps them. RSA keys go through the newer cosign: the older one cannot import them. */
export async function makeKey(
  session: Session,
  name: string,
  kind: 'ecdsa' | 'rsa'
): Promise<CosignKey> {
  const pair =
    kind === 'ecdsa'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = session.write(
    `${name}.pem`,
    pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  )
  const outcome = await session.run('sid', 'cosign', [
    ...['import-key-pair', '--yes', '--key', pem, '--output-key-prefix', name]
  ])
  if (outcome.status !== 0) throw new Error(`import-key-pair: ${outcome.stderr}`)
  return {
    name,
    privateFile: `${session.dir}/${name}.key`,
    publicFile: `${session.dir}/${name}.pub`
  }
}

/** What a hand-made trusted root says about one log; each member can be made wrong on its own. */
export interface TrustedLog {
  readonly baseUrl: string
  /** PEM. */
  readonly key: string
  /** Log id to state instead of the key's own: 32 bytes. */
  readonly logId?: Uint8Array
  /** RFC 3339. */
  readonly validFrom?: string
}

/** A trusted root with nothing but the log's key, which is all that key-signed bundles need. */
export function trustedRoot(log: TrustedLog): string {
  const der = createPublicKey(log.key).export({ type: 'spki', format: 'der' })
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [
      {
        baseUrl: log.baseUrl,
        hashAlgorithm: 'SHA2_256',
        publicKey: {
          rawBytes: der.toString('base64'),
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          validFor: { start: log.validFrom ?? '2024-01-01T00:00:00Z' }
        },
        logId: { keyId: Buffer.from(log.logId ?? logIdOf(log.key)).toString('base64') }
      }
    ]
  })
}

/** SHA-256 of the DER key, by which clients find a log's key. */
export function logIdOf(key: string): Uint8Array {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest()
}

/** PEM of a fresh ECDSA P-256 key: another log's. */
export function otherLogKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

/** A bundle file as JSON. */
export function readBundle(path: string): Json {
  return JSON.parse(readFileSync(path, 'utf8')) as Json
}
