import { decodeBase64Loose } from '../../encoding/base64.js'
import { attestationOf } from '../attestation.js'
import { verifyEnvelope } from '../dsse-envelope.js'
import type { VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { IN_TOTO_PAYLOAD_TYPE, statementSearchKeys } from '../in-toto.js'
import { sha256Value } from '../leaf.js'
import { intotoV002LeafValue, intotoV002SearchKeys } from './canonical.js'
import { bytesToText, type IntotoV002 } from './parse.js'

/** Checks every signature and every key of a proposal. In a committed form nothing is left to check. */
export async function verifyIntotoV002(
  entry: IntotoV002,
  { maxAttestationBytes }: VerifyOptions
): Promise<VerifiedEntry> {
  const { payloadType, payloadText, signatures } = entry
  if (payloadText === undefined) {
    return { leafValue: intotoV002LeafValue(entry), searchKeys: intotoV002SearchKeys(entry) }
  }
  await verifyEnvelope(
    {
      payloadType,
      payload: payloadText,
      signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: bytesToText(sig) }))
    },
    signatures.map(({ publicKey }) => publicKey),
    'check'
  )
  // Unlike the verification before, Rekor takes only the standard alphabet here.
  const payload = decodeBase64Loose(payloadText, 'could not decode envelope payload')
  const committed: IntotoV002 = { ...entry, payloadHash: sha256Value(payload) }
  return {
    leafValue: intotoV002LeafValue(committed),
    searchKeys: proposalSearchKeys(committed, payload),
    ...attestationOf(payloadText, payload, maxAttestationBytes)
  }
}

/** Rekor indexes an entry that claims to be in-toto and is no statement under no key at all. */
function proposalSearchKeys(committed: IntotoV002, payload: Uint8Array): readonly string[] {
  if (committed.payloadType !== IN_TOTO_PAYLOAD_TYPE) return intotoV002SearchKeys(committed)
  const statementKeys = statementSearchKeys(payload, 'provenance')
  return statementKeys === undefined ? [] : intotoV002SearchKeys(committed, statementKeys)
}
