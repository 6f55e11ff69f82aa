import { readFile } from 'node:fs/promises'
import type { IdentityConfig } from '../ca/identity/config/identity-config.js'
import { loadIdentityConfig } from '../ca/identity/config/load.js'
import { readRemoteLogKey } from '../config/log-key-file.js'
import type { Config } from '../config/schema.js'
import type { Circumstances } from './holdings.js'

const NO_ISSUERS: IdentityConfig = {
  issuers: [],
  patterns: [],
  ciProviders: new Map(),
  warnings: []
}

/** Whose ID tokens are believed. Without a file nobody's: every token that comes is refused by name. */
export async function readIssuers({ ca }: Pick<Config, 'ca'>): Promise<IdentityConfig> {
  return ca.issuersFile === undefined ? NO_ISSUERS : loadIdentityConfig(ca.issuersFile, readFile)
}

/**
 * What configuration says that clients must know.
 *
 * @param publicUrl where clients reach the server, once that is known
 * @throws LogError `invalid_request` when the key of a remote certificate log cannot be read
 */
export function circumstancesOf(
  config: Config,
  issuers: IdentityConfig,
  publicUrl: string
): Circumstances {
  const { ca, tsa, trust } = config
  const { url } = ca.ctLog
  const usesRemoteLog = ca.enabled && ca.sct !== 'none' && url !== undefined
  return {
    publicUrl,
    operator: trust.operator ?? new URL(publicUrl).hostname,
    serves: { ca: ca.enabled, tsa: tsa.enabled },
    oidcIssuer: trust.oidcIssuer ?? defaultIssuer(issuers),
    ...(usesRemoteLog
      ? { remoteCtLog: { url, publicKey: readRemoteLogKey(ca.ctLog.publicKeyFile ?? '').spki } }
      : {})
  }
}

/** People are asked to log in, and people have e-mail addresses. */
function defaultIssuer({ issuers }: IdentityConfig): string | undefined {
  return (issuers.find(({ type }) => type === 'email') ?? issuers[0])?.issuerUrl
}
