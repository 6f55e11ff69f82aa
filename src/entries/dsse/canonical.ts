import { encodeBase64 } from '../../encoding/base64.js'
import { parseX509Key } from '../../x509/x509-format.js'
import { prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'
import type { CommittedDsse, CommittedSignature } from './parse.js'

/** Hashes and signatures, the latter sorted by their text: the order in the envelope says nothing. */
export function dsseLeafValue({
  envelopeHash,
  payloadHash,
  signatures
}: CommittedDsse): Uint8Array {
  return encodeLeafValue('dsse', '0.0.1', {
    envelopeHash: { ...envelopeHash },
    payloadHash: { ...payloadHash },
    signatures: sortSignatures(signatures).map(({ signature, verifier }) => ({
      signature,
      verifier: encodeBase64(verifier)
    }))
  })
}

/** Per signature the key hash, with prefix, and SANs; payload hash; envelope hash. */
export function dsseSearchKeys(
  { envelopeHash, payloadHash, signatures }: CommittedDsse,
  statementKeys: readonly string[] = []
): readonly string[] {
  const keys = sortSignatures(signatures).map(({ verifier }) => parseX509Key(verifier))
  return collectSearchKeys([
    ...keys.flatMap((key) => [`sha256:${keyHash(key)}`, ...key.subjects]),
    prefixedHash(payloadHash),
    prefixedHash(envelopeHash),
    ...statementKeys
  ])
}

// Base64 text is ASCII: code units are bytes.
function sortSignatures(signatures: readonly CommittedSignature[]): readonly CommittedSignature[] {
  return signatures.toSorted((a, b) => {
    if (a.signature === b.signature) return 0
    return a.signature < b.signature ? -1 : 1
  })
}
