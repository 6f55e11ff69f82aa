import { encodeBase64 } from '../../encoding/base64.js'
import { LogError } from '../../errors.js'
import { parseX509Key } from '../../x509/x509-format.js'
import { prefixedHash } from '../hash-value.js'
import { encodeLeafValue, keyHash } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'
import type { IntotoV002 } from './parse.js'

/**
 * The envelope without its payload, signatures as sent.
 *
 * @throws LogError `invalid_request` when a hash is missing. Rekor answers that with 500; the mistake is the client's.
 */
export function intotoV002LeafValue(entry: IntotoV002): Uint8Array {
  const { payloadType, signatures, hash, payloadHash } = entry
  if (hash === undefined) throw new LogError('invalid_request', 'missing envelope digest')
  if (payloadHash === undefined) throw new LogError('invalid_request', 'missing payload digest')
  return encodeLeafValue('intoto', '0.0.2', {
    content: {
      envelope: {
        payloadType,
        signatures: signatures.map(({ keyid, sig, publicKey }) => ({
          keyid: keyid === '' ? undefined : keyid,
          publicKey: encodeBase64(publicKey),
          sig: encodeBase64(sig)
        }))
      },
      hash: { ...hash },
      payloadHash: { ...payloadHash }
    }
  })
}

/** Per signature the hash, with prefix, of the normalised key and SANs; payload hash. Not the envelope hash. */
export function intotoV002SearchKeys(
  { signatures, payloadHash }: IntotoV002,
  statementKeys: readonly string[] = []
): readonly string[] {
  const keys = signatures.map(({ publicKey }) => parseX509Key(publicKey))
  return collectSearchKeys([
    ...keys.flatMap((key) => [`sha256:${keyHash(key)}`, ...key.subjects]),
    ...(payloadHash === undefined ? [] : [prefixedHash(payloadHash)]),
    ...statementKeys
  ])
}
