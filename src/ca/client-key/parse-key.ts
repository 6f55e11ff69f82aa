import { DER_TAG, parseDer, readConstructed, readInteger, readOid } from '../../encoding/der.js'
import { decodePem } from '../../encoding/pem.js'
import { isLogError, LogError } from '../../errors.js'
import { type PublicKey, rsaPublicKey } from '../../keys/public-key.js'
import { readRecentKey } from '../../x509/recent-key.js'
import { CLIENT_MESSAGES } from '../client-messages.js'
import { insecureKey } from './weak-key.js'

/** Kinds of key that Fulcio can read and then finds insecure, so that its clients are told so: X25519 and DSA. */
const READ_BUT_REFUSED: readonly string[] = ['1.3.101.110', '1.2.840.10040.4.1']

/**
 * Reads the key to be certified: PEM of a SubjectPublicKeyInfo (`PUBLIC KEY`) or of a PKCS#1 key (`RSA PUBLIC KEY`), where
 * text around the first block does not matter, or the bare DER of a SubjectPublicKeyInfo, which some v1 clients send.
 *
 * @throws LogError `invalid_request` with the message clients know
 * @see fulcio §11.1
 */
export function parseClientKey(content: Uint8Array): PublicKey {
  try {
    const block = decodePem(content)?.block
    if (block === undefined) return readSpki(content)
    if (block.type === 'PUBLIC KEY') return readSpki(block.bytes)
    if (block.type === 'RSA PUBLIC KEY') return readPkcs1(block.bytes)
    throw new LogError('invalid_request', `PEM block is ${block.type}`)
  } catch (err) {
    if (!isLogError(err) || err.message === CLIENT_MESSAGES.insecurePublicKey) throw err
    throw new LogError('invalid_request', CLIENT_MESSAGES.publicKey, {
      cause: err,
      details: { reason: err.message }
    })
  }
}

/** Reads a SubjectPublicKeyInfo. @throws LogError, for the caller to put into words for clients */
export function readSpki(der: Uint8Array): PublicKey {
  const label = 'x509: public key'
  const element = parseDer(der, label)
  const [algorithm] = readConstructed(element, DER_TAG.sequence, label)
  const [oid] = readConstructed(algorithm, DER_TAG.sequence, label)
  if (READ_BUT_REFUSED.includes(readOid(oid, label))) throw insecureKey('kind of key not allowed')
  return readRecentKey(element)
}

/** `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`. @see RFC 8017 appendix A.1.1 */
function readPkcs1(der: Uint8Array): PublicKey {
  const label = 'RSA public key'
  const [modulus, exponent, extra] = readConstructed(parseDer(der, label), DER_TAG.sequence, label)
  if (extra !== undefined) throw new LogError('invalid_request', `${label}: more than two numbers`)
  return rsaPublicKey(readInteger(modulus, label), readInteger(exponent, label))
}
