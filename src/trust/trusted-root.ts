import { encodeBase64 } from '../encoding/base64.js'
import { parsePublicKey } from '../keys/public-key.js'
import { parseCertificate } from '../x509/certificate.js'
import { logIdOf } from '../x509/ct-signature.js'
import { readSubjectNames } from '../x509/subject-name.js'
import type { TrustedAuthority, TrustedLog, TrustState } from './contract.js'
import { encodeJsonFile, encodeValidity } from './json-file.js'
import { keyDetailsOf } from './key-details.js'

/** The version all clients read. Those before sigstore-go 1.3 refuse a whole file for one member they do not know. */
export const TRUSTED_ROOT_MEDIA_TYPE = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1'

/** The only hash our trees have. */
export const HASH_ALGORITHM = 'SHA2_256'

/**
 * `trusted_root.json`: every log and authority there is and was, oldest first as the state has them. The same state gives
 * the same bytes.
 *
 * @throws LogError `unsupported` for a log key that cannot stand in it; `invalid_request` for malformed keys and certificates;
 *   `internal` for times that are none
 * @see rekor-v2-and-tiles §4.1
 */
export function buildTrustedRoot(state: TrustState): Uint8Array {
  return encodeJsonFile(trustedRootJson(state))
}

/** The same before it is written, to stand in a larger file. */
export function trustedRootJson(state: TrustState): object {
  return {
    mediaType: TRUSTED_ROOT_MEDIA_TYPE,
    tlogs: state.rekorLogs.map(logJson),
    certificateAuthorities: state.certificateAuthorities.map(authorityJson),
    ctlogs: state.ctLogs.map(logJson),
    timestampAuthorities: state.timestampAuthorities.map(authorityJson)
  }
}

function logJson({ baseUrl, publicKey, validity }: TrustedLog): object {
  const key = parsePublicKey(publicKey)
  return {
    baseUrl,
    hashAlgorithm: HASH_ALGORITHM,
    publicKey: {
      rawBytes: encodeBase64(key.spki),
      keyDetails: keyDetailsOf(key),
      validFor: encodeValidity(validity)
    },
    logId: { keyId: encodeBase64(logIdOf(key)) }
  }
}

/** Named after the certificate that issues or signs, so that several under one root can be told apart. */
function authorityJson({ url, chain, validity }: TrustedAuthority): object {
  const { organization, commonName } = readSubjectNames(parseCertificate(chain[0]).subject)
  return {
    subject: { organization: organization ?? '', commonName: commonName ?? '' },
    uri: url,
    certChain: { certificates: chain.map((der) => ({ rawBytes: encodeBase64(der) })) },
    validFor: encodeValidity(validity)
  }
}
