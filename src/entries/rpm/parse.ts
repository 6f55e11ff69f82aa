import { LogError } from '../../errors.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

export interface Rpm {
  /** An OpenPGP key ring. */
  readonly publicKey: Uint8Array
  /** The package; undefined in the committed form. */
  readonly content: Uint8Array | undefined
  /** Hash of the package as it was sent, if it was. */
  readonly hash: HashValue | undefined
}

/**
 *     { publicKey: { content: b64 }, package: { content: b64, hash?: { algorithm: sha256, value: hex } } }
 *
 * The committed form has the hash and no content. `package.headers`, which the log finds out for itself, is not looked at.
 */
export function parseRpmSpec(value: unknown): Rpm {
  const spec = readSpec(value)
  const key = objectMember(spec, 'publicKey')
  const publicKey = key && bytesMember(key, 'content', 'publicKey content')
  const rpmPackage = objectMember(spec, 'package')
  const hash = rpmPackage && hashMember(rpmPackage, 'hash')
  const content = rpmPackage && bytesMember(rpmPackage, 'content', 'package content')
  assertSchema(
    required('package', rpmPackage) ??
      inside('package', inside('package.hash', hashViolation('package.hash', hash, ['sha256']))),
    required('publicKey', key) ?? inside('publicKey', required('publicKey.content', publicKey))
  )
  return {
    publicKey: presentBytes(publicKey, 'publicKey'),
    ...(hash === undefined
      ? { content: presentBytes(content, 'package'), hash: undefined }
      : {
          content: content !== undefined && content.length > 0 ? content : undefined,
          hash: assertHashValue(checkedHash(hash))
        })
  }
}

/** Base64 of nothing but line ends passes the schema and is empty all the same. */
function presentBytes(bytes: Uint8Array | undefined, owner: string): Uint8Array {
  if (bytes !== undefined && bytes.length > 0) return bytes
  throw new LogError('invalid_request', `'content' must be specified for ${owner}`)
}

/** The case of the digits is left alone here: it is compared, later, with lower case. */
function assertHashValue(hash: HashValue): HashValue {
  if (!/^[0-9a-fA-F]{64}$/.test(hash.value)) {
    throw new LogError('invalid_request', 'invalid value for hash')
  }
  return hash
}
