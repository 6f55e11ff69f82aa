import type { TrustState, TrustTarget } from './contract.js'
import { buildLegacyTargets } from './legacy-targets.js'
import { buildSigningConfig } from './signing-config.js'
import { buildTrustedRoot } from './trusted-root.js'

export const TRUSTED_ROOT_FILE = 'trusted_root.json'
export const SIGNING_CONFIG_FILE = 'signing_config.v0.2.json'

/**
 * All files of the TUF repository, each name once.
 *
 * @throws LogError as buildTrustedRoot and buildSigningConfig
 * @see rekor-v2-and-tiles §4.3
 */
export function buildTrustTargets(state: TrustState): readonly TrustTarget[] {
  return [
    { name: TRUSTED_ROOT_FILE, bytes: buildTrustedRoot(state) },
    { name: SIGNING_CONFIG_FILE, bytes: buildSigningConfig(state) },
    ...buildLegacyTargets(state)
  ]
}
