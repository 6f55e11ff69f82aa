import { equalBytes } from '../encoding/bytes.js'
import { encodeHex } from '../encoding/hex.js'
import { encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { parsePublicKey } from '../keys/public-key.js'
import { hashData } from '../keys/verify.js'
import type {
  SigstoreCustom,
  TrustedAuthority,
  TrustedLog,
  TrustState,
  TrustTarget
} from './contract.js'

/** Hex digits that tell files of one kind apart: 64 bits of a hash of what is in them. */
const NAME_DIGITS = 16

/**
 * Keys and certificates one by one, for clients that know no trusted root: cosign 2, gitsign 0.13, Kyverno. They find them by
 * `usage`, in no order; the names are those they try where metadata say nothing. `Expired` only makes cosign say so: what
 * was signed then still verifies.
 *
 * @see rekor-v2-and-tiles §4.3, clients §9
 */
export function buildLegacyTargets(state: TrustState): readonly TrustTarget[] {
  // Of the usage Rekor only ECDSA: cosign 2.5 verifies no entry at all while there is one key of another kind.
  const rekorLogs = state.rekorLogs.filter(
    ({ publicKey }) => parsePublicKey(publicKey).type === 'ecdsa'
  )
  return [
    ...logTargets(rekorLogs, state.rekorLogs.at(-1), { usage: 'Rekor', name: 'rekor' }),
    ...logTargets(state.ctLogs, state.ctLogs.at(-1), { usage: 'CTFE', name: 'ctfe' }),
    ...fulcioTargets(state.certificateAuthorities),
    ...timestampTargets(state.timestampAuthorities.at(-1))
  ]
}

/** First digits of SHA-256, which of a key are those of the log id. */
export function shortHash(bytes: Uint8Array): string {
  return encodeHex(hashData('sha256', bytes)).slice(0, NAME_DIGITS)
}

/** PEM of one log's key. */
export function publicKeyPem(publicKey: Uint8Array): Uint8Array {
  return encodeUtf8(encodePem('PUBLIC KEY', publicKey))
}

/** PEM of certificates, in their order. */
export function certificatesPem(chain: readonly Uint8Array[]): Uint8Array {
  return encodeUtf8(chain.map((der) => encodePem('CERTIFICATE', der)).join(''))
}

/**
 * The key in use has the plain name. cosign keeps keys by log id, so a key is listed once: with the status it has now.
 */
function logTargets(
  logs: readonly TrustedLog[],
  active: TrustedLog | undefined,
  { usage, name }: { readonly usage: 'Rekor' | 'CTFE'; readonly name: string }
): readonly TrustTarget[] {
  const targets = new Map<string, TrustTarget>()
  for (const { publicKey, baseUrl } of logs.toReversed()) {
    const isActive = active !== undefined && equalBytes(publicKey, active.publicKey)
    const id = shortHash(publicKey)
    if (targets.has(id)) continue
    targets.set(id, {
      name: isActive ? `${name}.pub` : `${name}-${id}.pub`,
      bytes: publicKeyPem(publicKey),
      custom: custom(usage, isActive, baseUrl)
    })
  }
  return [...targets.values()]
}

/** cosign takes a certificate for a root when subject and issuer are the same, for an intermediate otherwise. */
function fulcioTargets(authorities: readonly TrustedAuthority[]): readonly TrustTarget[] {
  const targets = new Map<string, TrustTarget>()
  for (const { chain, url } of authorities.toReversed()) {
    const isActive = targets.size === 0
    for (const [i, der] of chain.entries()) {
      const id = shortHash(der)
      if (targets.has(id)) continue // several chains may share a root: it has the status of the newest
      const activeName =
        i === chain.length - 1 ? 'fulcio.crt.pem' : `fulcio_intermediate_v${i + 1}.crt.pem`
      targets.set(id, {
        name: isActive ? activeName : `fulcio-${id}.crt.pem`,
        bytes: certificatesPem([der]),
        custom: custom('Fulcio', isActive, url)
      })
    }
  }
  return [...targets.values()]
}

/**
 * Only the chain in use: cosign 2 puts all targets of this usage together, whatever their status, and refuses them unless there
 * is exactly one leaf. Timestamps of an older chain need the trusted root, or that chain given by hand.
 */
function timestampTargets(authority: TrustedAuthority | undefined): readonly TrustTarget[] {
  if (authority === undefined) return []
  const { chain, url } = authority
  return chain.map((der, i) => ({
    name: timestampName(i, chain.length),
    bytes: certificatesPem([der]),
    custom: custom('TSA', true, url)
  }))
}

function timestampName(i: number, length: number): string {
  if (i === 0) return 'tsa_leaf.crt.pem'
  return i === length - 1 ? 'tsa_root.crt.pem' : `tsa_intermediate_${i - 1}.crt.pem`
}

function custom(
  usage: SigstoreCustom['usage'],
  isActive: boolean,
  uri: string
): { readonly sigstore: SigstoreCustom } {
  return { sigstore: { usage, status: isActive ? 'Active' : 'Expired', uri } }
}
