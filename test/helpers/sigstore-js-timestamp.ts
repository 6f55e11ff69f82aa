import { RFC3161Timestamp, X509Certificate } from '@sigstore/core'
import { Verifier } from '@sigstore/verify'
import type { Certificate } from '../../src/x509/certificate.js'

/**
 * Verifies a timestamp over the signature of a bundle as sigstore-js does, with an authority of its trusted root.
 * @throws what sigstore-js throws
 */
export function verifyWithSigstoreJs(
  response: Uint8Array,
  data: Uint8Array,
  chain: readonly Certificate[]
): void {
  const { keyObject: publicKey } = chain[0]?.publicKey ?? { keyObject: undefined }
  if (publicKey === undefined) throw new Error('empty chain')
  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [
        {
          certChain: chain.map(({ der }) => X509Certificate.parse(Buffer.from(der))),
          validFor: { start: new Date(0), end: new Date('2999-01-01') }
        }
      ],
      tlogs: [],
      ctlogs: [],
      publicKey: () => ({ publicKey, validFor: () => true })
    },
    { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 1 }
  )
  verifier.verify({
    // Only the timestamp is of interest.
    signature: {
      signature: Buffer.from(data),
      compareSignature: () => true,
      compareDigest: () => true,
      verifySignature: () => true
    },
    key: { $case: 'public-key', hint: '' },
    tlogEntries: [],
    timestamps: [
      {
        $case: 'timestamp-authority',
        timestamp: RFC3161Timestamp.parse(Buffer.from(response))
      }
    ]
  })
}
