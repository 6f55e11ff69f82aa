import type {
  ServiceUrl,
  TrustedAuthority,
  TrustedLog,
  TrustState,
  Validity
} from '../../src/trust/contract.js'
import {
  buildIntermediateCertificate,
  buildRootCertificate
} from '../../src/x509/ca-certificate.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { createTestTsa, newSigner, YEAR_SECONDS } from './test-tsa.js'

/** 2026-01-01T00:00:00Z: when the first generation of everything began. */
export const FIRST_SECONDS = 1_767_225_600
/** Half a year later the second took over. */
export const SECOND_SECONDS = FIRST_SECONDS + 180 * 24 * 3600
/** Another quarter later: what tests take for now. */
export const NOW_SECONDS = FIRST_SECONDS + 270 * 24 * 3600

export const HOST = 'sigstead.example.test'
const ORIGIN = `https://${HOST}`

export const FIRST: Validity = { startSeconds: FIRST_SECONDS, endSeconds: SECOND_SECONDS }
export const SECOND: Validity = { startSeconds: SECOND_SECONDS }

/**
 * A state with two generations of everything: real keys, real chains. Both certificate authorities are intermediates under
 * roots of their own, the second timestamp authority has a chain of three. One address for each kind of service.
 */
export async function createTrustState(): Promise<TrustState> {
  return {
    operator: HOST,
    rekorLogs: [await newLog(ORIGIN, FIRST), await newLog(ORIGIN, SECOND)],
    ctLogs: [await newLog(`${ORIGIN}/ct/2026`, FIRST), await newLog(`${ORIGIN}/ct/2027`, SECOND)],
    certificateAuthorities: [
      await newCertificateAuthority('first', FIRST),
      await newCertificateAuthority('second', SECOND)
    ],
    timestampAuthorities: [
      await newTimestampAuthority(FIRST, false),
      await newTimestampAuthority(SECOND, true)
    ],
    services: {
      rekor: [service(ORIGIN)],
      fulcio: [service(ORIGIN)],
      tsa: [service(`${ORIGIN}/api/v1/timestamp`)],
      oidc: [service('https://login.example.test')]
    }
  }
}

function service(url: string): ServiceUrl {
  return { url, majorApiVersion: 1, validity: { startSeconds: FIRST_SECONDS } }
}

/** A log with a new P-256 key. */
export async function newLog(baseUrl: string, validity: Validity): Promise<TrustedLog> {
  return { baseUrl, publicKey: (await newSigner()).publicKey, validity }
}

/** An intermediate under a root of its own, both for ten years. */
export async function newCertificateAuthority(
  name: string,
  validity: Validity
): Promise<TrustedAuthority> {
  const [rootSigner, signer] = [await newSigner(), await newSigner()]
  const times = {
    notBeforeSeconds: validity.startSeconds - 3600,
    notAfterSeconds: validity.startSeconds + 10 * YEAR_SECONDS
  }
  const root = await buildRootCertificate({
    ...times,
    subject: { organization: 'example.test', commonName: `${name} root` },
    serialNumber: 1n,
    signer: rootSigner
  })
  const intermediate = await buildIntermediateCertificate({
    ...times,
    subject: { organization: 'example.test', commonName: `${name} issuing` },
    serialNumber: 2n,
    publicKey: signer.publicKey,
    issuer: root,
    issuerSigner: rootSigner
  })
  return { url: ORIGIN, chain: derOf([intermediate, root]), validity }
}

/** A timestamp authority for a year: two certificates, or three. */
export async function newTimestampAuthority(
  validity: Validity,
  withIntermediate: boolean
): Promise<TrustedAuthority> {
  const madeAtSeconds = validity.startSeconds
  const { chain } = await createTestTsa({ madeAtSeconds, withIntermediate })
  return { url: `${ORIGIN}/api/v1/timestamp`, chain: derOf(chain), validity }
}

function derOf(
  chain: readonly [Certificate, ...Certificate[]]
): readonly [Uint8Array, ...Uint8Array[]] {
  const [first, ...others] = chain
  return [first.der, ...others.map(({ der }) => der)]
}
