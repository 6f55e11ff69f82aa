import { buildClientTrustConfig } from './client-trust-config.js'
import type { TrustedAuthority, TrustedLog, TrustFile, TrustState } from './contract.js'
import { certificatesPem, publicKeyPem, shortHash } from './legacy-targets.js'
import { buildSigningConfig } from './signing-config.js'
import { SIGNING_CONFIG_FILE, TRUSTED_ROOT_FILE } from './targets.js'
import { buildTrustedRoot } from './trusted-root.js'

export const CLIENT_TRUST_CONFIG_FILE = 'client_trust_config.json'

/**
 * Files for people, each name once: what TUF clients read, in one file too, then keys and chains in PEM. Those in use have plain
 * names (`rekor.pub`, `ctfe.pub`, `fulcio-chain.pem`, `tsa-chain.pem`), older ones the first digits of a hash in theirs:
 * cosign 2 takes one key and one TSA chain from a file. `fulcio-all.pem` and `tsa-all.pem` have every chain, newest first, for
 * those that take as many as there are.
 *
 * @throws LogError as buildTrustedRoot and buildSigningConfig
 */
export function buildDownloads(state: TrustState): readonly TrustFile[] {
  const authorities = state.certificateAuthorities
  return [
    { name: TRUSTED_ROOT_FILE, bytes: buildTrustedRoot(state) },
    { name: SIGNING_CONFIG_FILE, bytes: buildSigningConfig(state) },
    { name: CLIENT_TRUST_CONFIG_FILE, bytes: buildClientTrustConfig(state) },
    ...keyFiles('rekor', state.rekorLogs),
    ...keyFiles('ctfe', state.ctLogs),
    ...chainFiles('fulcio-chain', authorities),
    ...allChainsFile('fulcio-all.pem', authorities),
    ...chainFiles('tsa-chain', state.timestampAuthorities),
    ...allChainsFile('tsa-all.pem', state.timestampAuthorities)
  ]
}

function allChainsFile(
  name: string,
  authorities: readonly TrustedAuthority[]
): readonly TrustFile[] {
  if (authorities.length === 0) return []
  return [{ name, bytes: certificatesPem(authorities.toReversed().flatMap(({ chain }) => chain)) }]
}

function keyFiles(name: string, logs: readonly TrustedLog[]): readonly TrustFile[] {
  return firstOfEach(logs.map(({ publicKey }) => publicKey).toReversed(), shortHash).map(
    (publicKey, i) => ({
      name: i === 0 ? `${name}.pub` : `${name}-${shortHash(publicKey)}.pub`,
      bytes: publicKeyPem(publicKey)
    })
  )
}

/** Chains are told apart by their first certificates. */
function chainFiles(name: string, authorities: readonly TrustedAuthority[]): readonly TrustFile[] {
  const idOf = (chain: TrustedAuthority['chain']): string => shortHash(chain[0])
  return firstOfEach(authorities.map(({ chain }) => chain).toReversed(), idOf).map((chain, i) => ({
    name: i === 0 ? `${name}.pem` : `${name}-${idOf(chain)}.pem`,
    bytes: certificatesPem(chain)
  }))
}

function firstOfEach<T>(values: readonly T[], idOf: (value: T) => string): readonly T[] {
  const ids = values.map(idOf)
  return values.filter((_, i) => ids.indexOf(ids[i] ?? '') === i)
}
