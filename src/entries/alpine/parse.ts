import { LogError } from '../../errors.js'
import {
  checkedHash,
  type HashMember,
  hashMember,
  type HashValue,
  hashViolation
} from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

export interface Alpine {
  /** PEM. */
  readonly publicKey: Uint8Array
  /** The package; undefined in the committed form. */
  readonly content: Uint8Array | undefined
  /** Hash of the package as it was sent, if it was. */
  readonly hash: HashValue | undefined
}

/**
 *     { publicKey: { content: b64 }, package: { content: b64, hash?: { algorithm: sha256, value: hex } } }
 *
 * The committed form has the hash, no content, and what `.PKGINFO` says, which is not looked at.
 */
export function parseAlpine(value: unknown): Alpine {
  const spec = readSpec(value)
  const key = objectMember(spec, 'publicKey')
  const publicKey = key && bytesMember(key, 'content', 'public key content')
  const pkg = objectMember(spec, 'package')
  const hash = pkg && hashOf(hashMember(pkg, 'hash'))
  const content = pkg && bytesMember(pkg, 'content', 'package content')
  assertSchema(
    required('package', pkg) ??
      inside('package', inside('package.hash', hashViolation('package.hash', hash, ['sha256']))),
    required('publicKey', publicKey)
  )
  assertPresent(publicKey, 'publicKey')
  if (hash === undefined) assertPresent(content, 'package')
  return {
    publicKey,
    // Base64 of nothing but line ends is no content.
    content: content !== undefined && content.length > 0 ? content : undefined,
    hash: hash && assertHashValue(checkedHash(hash))
  }
}

/** A hash with neither of its members is none. */
function hashOf(hash: HashMember | undefined): HashMember | undefined {
  return hash?.algorithm === undefined && hash?.value === undefined ? undefined : hash
}

function assertPresent(bytes: Uint8Array | undefined, owner: string): asserts bytes is Uint8Array {
  if (bytes !== undefined && bytes.length > 0) return
  throw new LogError('invalid_request', `'content' must be specified for ${owner}`)
}

/** The case of the digits is left alone here: it is compared, later, with lower case. */
function assertHashValue(hash: HashValue): HashValue {
  if (!/^[0-9a-fA-F]{64}$/.test(hash.value)) {
    throw new LogError('invalid_request', 'invalid value for hash')
  }
  return hash
}
