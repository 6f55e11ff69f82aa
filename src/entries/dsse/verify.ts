import { encodeUtf8 } from '../../encoding/text.js'
import { verifyEnvelope } from '../dsse-envelope.js'
import type { VerifiedEntry } from '../entry-type.js'
import { IN_TOTO_PAYLOAD_TYPE, statementSearchKeys } from '../in-toto.js'
import { sha256Value } from '../leaf.js'
import { dsseLeafValue, dsseSearchKeys } from './canonical.js'
import type { CommittedDsse, ProposedDsse } from './parse.js'

/** Checks every signature of a proposed envelope. A committed form has nothing left that could be checked. */
export async function verifyDsse(entry: ProposedDsse | CommittedDsse): Promise<VerifiedEntry> {
  if (entry.form === 'committed') {
    return { leafValue: dsseLeafValue(entry), searchKeys: dsseSearchKeys(entry) }
  }
  const { envelope, envelopeText, verifiers } = entry
  const { payload, keys } = await verifyEnvelope(envelope, verifiers, 'ignore')
  const committed: CommittedDsse = {
    form: 'committed',
    envelopeHash: sha256Value(encodeUtf8(envelopeText)),
    payloadHash: sha256Value(payload),
    signatures: [...keys].map(([signature, key]) => ({ signature, verifier: key.canonical }))
  }
  const statementKeys =
    envelope.payloadType === IN_TOTO_PAYLOAD_TYPE
      ? statementSearchKeys(payload, 'predicate')
      : undefined
  return {
    leafValue: dsseLeafValue(committed),
    searchKeys: dsseSearchKeys(committed, statementKeys)
  }
}
