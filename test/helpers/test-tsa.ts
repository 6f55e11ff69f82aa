import { createLocalSigner, generateSigningKey } from '../../src/keys/local-signer.js'
import type { SignatureAlgorithm, Signer } from '../../src/keys/signer.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { checkTimestampChain } from '../../src/x509/timestamp-chain.js'
import { createTimestampSigner, type TimestampSigner } from '../../src/x509/timestamp-response.js'
import {
  buildTsaCertificate,
  buildTsaIntermediateCertificate,
  buildTsaRootCertificate
} from '../../src/x509/tsa-certificate.js'

export const YEAR_SECONDS = 365 * 24 * 3600

export interface TestTsa {
  /** Leaf first, root last. */
  readonly chain: readonly [Certificate, ...Certificate[]]
  readonly signer: Signer
  readonly rootSigner: Signer
}

export async function newSigner(
  algorithm: SignatureAlgorithm = 'ecdsa-sha2-256-nistp256'
): Promise<Signer> {
  return createLocalSigner(await generateSigningKey(algorithm))
}

/** A new authority with a chain of two certificates, or of three. */
export async function createTestTsa({
  madeAtSeconds,
  algorithm,
  withIntermediate = false
}: {
  readonly madeAtSeconds: number
  readonly algorithm?: SignatureAlgorithm
  readonly withIntermediate?: boolean
}): Promise<TestTsa> {
  const [rootSigner, signer] = [await newSigner(), await newSigner(algorithm)]
  const notAfterSeconds = madeAtSeconds + YEAR_SECONDS
  const common = { madeAtSeconds, notAfterSeconds }
  const root = await buildTsaRootCertificate({
    ...common,
    subject: { organization: 'example.test', commonName: 'tsa root' },
    serialNumber: 1n,
    signer: rootSigner
  })
  const issuers: Certificate[] = [root]
  let issuerSigner = rootSigner
  if (withIntermediate) {
    const intermediateSigner = await newSigner()
    const intermediate = await buildTsaIntermediateCertificate({
      ...common,
      subject: { organization: 'example.test', commonName: 'tsa intermediate' },
      serialNumber: 2n,
      publicKey: intermediateSigner.publicKey,
      issuer: root,
      issuerSigner
    })
    issuers.unshift(intermediate)
    issuerSigner = intermediateSigner
  }
  const leaf = await buildTsaCertificate({
    ...common,
    subject: { organization: 'example.test', commonName: 'tsa' },
    serialNumber: 3n,
    publicKey: signer.publicKey,
    issuer: issuers[0] ?? root,
    issuerSigner
  })
  return { chain: [leaf, ...issuers], signer, rootSigner }
}

export async function timestampSignerOf(
  { chain, signer }: TestTsa,
  atSeconds: number,
  includeChain = false
): Promise<TimestampSigner> {
  const checked = await checkTimestampChain(chain, { publicKey: signer.publicKey, atSeconds })
  return createTimestampSigner({ chain: checked, signer, includeChain })
}
