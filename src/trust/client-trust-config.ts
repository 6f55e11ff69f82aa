import type { TrustState } from './contract.js'
import { encodeJsonFile } from './json-file.js'
import { signingConfigJson } from './signing-config.js'
import { trustedRootJson } from './trusted-root.js'

export const CLIENT_TRUST_CONFIG_MEDIA_TYPE =
  'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'

/**
 * Trusted root and signing config in one file, as sigstore-python and what builds on it take it.
 *
 * @throws LogError as buildTrustedRoot and buildSigningConfig
 * @see rekor-v2-and-tiles §4.4
 */
export function buildClientTrustConfig(state: TrustState): Uint8Array {
  return encodeJsonFile({
    mediaType: CLIENT_TRUST_CONFIG_MEDIA_TYPE,
    trustedRoot: trustedRootJson(state),
    signingConfig: signingConfigJson(state)
  })
}
