import { createPrivateKey } from 'node:crypto'
import { createLocalSigner } from '../../src/keys/local-signer.js'
import { type Certificate } from '../../src/x509/certificate.js'
import { parseCertificateChainPem } from '../../src/x509/issuing-chain.js'
import { parseCertificate } from '../../src/x509/certificate.js'
import { checkTimestampChain, type TimestampChain } from '../../src/x509/timestamp-chain.js'
import { createTimestampSigner, type TimestampSigner } from '../../src/x509/timestamp-response.js'
import { fromBase64 } from './ct-vectors.js'
import { fulcioVector } from './fulcio-vectors.js'

export interface TsaRequestVector {
  readonly name: string
  readonly contentType: string
  readonly requestB64?: string
  readonly requestText?: string
  readonly expect: {
    readonly status: number
    readonly contentType?: string
    readonly policy?: string
    readonly hash?: string
    readonly nonceHex?: string
    readonly embedsCertificates?: boolean
    readonly body?: { readonly code: number; readonly message?: string }
  }
}

export interface TsaPairVector {
  readonly name: string
  readonly requestB64: string
  readonly responseB64: string
  readonly tstInfoB64: string
  readonly signedAttributesB64: string
  readonly expect: {
    readonly hash: 'sha256' | 'sha384' | 'sha512'
    readonly genTime: string
    readonly serialHex: string
    readonly nonceHex?: string
    readonly accuracySeconds: number
    readonly policy: string
    readonly embeddedCertificates: number
  }
}

interface TsaVector {
  readonly artifactB64: string
  readonly requests: readonly TsaRequestVector[]
  readonly own: {
    readonly leafPrivateKeyPem: string
    readonly chainPem: string
    readonly pairs: readonly TsaPairVector[]
  }
  readonly real: readonly {
    readonly name: string
    readonly responseB64: string
    readonly artifactB64: string
    readonly authorities: readonly { readonly chain: readonly string[] }[]
  }[]
}

/** tsa.json, as far as it is used. */
export const tsaVector: TsaVector = fulcioVector('tsa.json')

/** Leaf and root of the test authority there, valid through 2035. */
export const ownChain: readonly Certificate[] = parseCertificateChainPem(tsaVector.own.chainPem)

/** A moment within, 2026-01-02 03:04:05 UTC. */
export const OWN_TIME_SECONDS = 1767323045

/** With the key of that authority. */
export const ownSigner = createLocalSigner(createPrivateKey(tsaVector.own.leafPrivateKeyPem))

export function ownTimestampChain(): Promise<TimestampChain> {
  return checkTimestampChain(ownChain, {
    publicKey: ownSigner.publicKey,
    atSeconds: OWN_TIME_SECONDS
  })
}

export async function ownTimestampSigner(includeChain = false): Promise<TimestampSigner> {
  return createTimestampSigner({
    chain: await ownTimestampChain(),
    signer: ownSigner,
    includeChain
  })
}

/** One of the pairs, by its name. */
export function ownPair(name: string): TsaPairVector {
  const found = tsaVector.own.pairs.find((pair) => pair.name === name)
  if (found === undefined) throw new Error(`no pair ${name}`)
  return found
}

/** Trusted chain of a response of a public instance. */
export function realChain(
  authorities: readonly { readonly chain: readonly string[] }[]
): readonly [Certificate, ...Certificate[]] {
  const [leaf, ...others] = (authorities[0]?.chain ?? []).map((text) =>
    parseCertificate(fromBase64(text))
  )
  if (leaf === undefined) throw new Error('no chain')
  return [leaf, ...others]
}
