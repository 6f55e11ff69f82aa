import { LogError } from '../../errors.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

export interface Jar {
  /** The JAR file; undefined in the committed form. */
  readonly archive: Uint8Array | undefined
  /** Hash of the archive as it was sent, if it was. */
  readonly hash: HashValue | undefined
  /** PKCS#7 of the committed form. In a proposal it is not looked at: the archive has its own. */
  readonly signature: Uint8Array | undefined
}

/**
 *     { archive: { content: b64, hash?: { algorithm: sha256, value: hex } } }
 *
 * The committed form has the hash, no content, and `signature: { content: b64, publicKey: { content: b64 } }`.
 */
export function parseJar(value: unknown): Jar {
  const spec = readSpec(value)
  const signature = objectMember(spec, 'signature')
  const content = signature && bytesMember(signature, 'content', 'signature content')
  const key = signature && objectMember(signature, 'publicKey')
  // Only read to refuse what is no base64.
  if (key !== undefined) bytesMember(key, 'content', 'signature publicKey content')
  const archive = objectMember(spec, 'archive')
  const hash = archive && hashMember(archive, 'hash')
  const bytes = archive && bytesMember(archive, 'content', 'archive content')
  assertSchema(
    required('archive', archive) ??
      inside('archive', inside('archive.hash', hashViolation('archive.hash', hash, ['sha256'])))
  )
  // Base64 of nothing but line ends is empty, too.
  const isPresent = bytes !== undefined && bytes.length > 0
  if (content === undefined && !isPresent) {
    throw new LogError('invalid_request', "'content' must be specified for package")
  }
  return {
    archive: isPresent ? bytes : undefined,
    hash: hash && assertHashValue(checkedHash(hash)),
    signature: content
  }
}

/** The case of the digits is left alone here: it is compared, later, with lower case. */
function assertHashValue(hash: HashValue): HashValue {
  if (!/^[0-9a-fA-F]{64}$/.test(hash.value)) {
    throw new LogError('invalid_request', 'invalid value for hash')
  }
  return hash
}
