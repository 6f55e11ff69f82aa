import { decodeBase64Loose, encodeBase64 } from '../../encoding/base64.js'
import { encodeUtf8 } from '../../encoding/text.js'
import type { PublicKey } from '../../keys/public-key.js'
import { encodeSshKey } from '../../keys/ssh-key.js'
import { hashData } from '../../keys/verify.js'
import { attestationOf } from '../attestation.js'
import { verifyEnvelopeWithKey } from '../dsse-envelope.js'
import type { VerifiedEntry, VerifyOptions } from '../entry-type.js'
import { IN_TOTO_PAYLOAD_TYPE, statementSearchKeys } from '../in-toto.js'
import { sha256Value } from '../leaf.js'
import { intotoLeafValue, intotoSearchKeys } from './canonical.js'
import type { CommittedIntoto, ProposedIntoto } from './parse.js'

/** Checks a proposed envelope against its one key. Hashes the client sent along are computed anew. */
export async function verifyIntoto(
  entry: ProposedIntoto | CommittedIntoto,
  { maxAttestationBytes }: VerifyOptions
): Promise<VerifiedEntry> {
  if (entry.form === 'committed') {
    return { leafValue: intotoLeafValue(entry), searchKeys: intotoSearchKeys(entry) }
  }
  const { key, envelope, envelopeText } = entry
  await verifyEnvelopeWithKey(envelope, key.publicKey, sshFingerprint(key.publicKey))
  // Unlike the verification before, Rekor takes only the standard alphabet here.
  const payload = decodeBase64Loose(envelope.payload, 'payload')
  const committed: CommittedIntoto = {
    form: 'committed',
    key,
    hash: sha256Value(encodeUtf8(envelopeText)),
    payloadHash: sha256Value(payload)
  }
  const statementKeys =
    envelope.payloadType === IN_TOTO_PAYLOAD_TYPE
      ? statementSearchKeys(payload, 'provenance')
      : undefined
  return {
    leafValue: intotoLeafValue(committed),
    searchKeys: intotoSearchKeys(committed, statementKeys),
    ...attestationOf(envelope.payload, payload, maxAttestationBytes)
  }
}

/** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
function sshFingerprint(key: PublicKey): string | undefined {
  const encoded = encodeSshKey(key)
  if (encoded === undefined) return undefined
  return `SHA256:${encodeBase64(hashData('sha256', encoded)).replace(/=+$/, '')}`
}
