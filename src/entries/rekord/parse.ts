import { LogError } from '../../errors.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, oneOf, required, type Violation } from '../schema.js'
import { SIGNATURE_FORMAT_NAMES } from '../signature-formats.js'
import { bytesMember, objectMember, readSpec, stringMember } from '../spec-reader.js'

export interface Rekord {
  /** One of SIGNATURE_FORMAT_NAMES. */
  readonly format: string
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
  /** The artifact; undefined in the committed form. */
  readonly data: Uint8Array | undefined
  /** Hash of the artifact as it was sent, if it was. */
  readonly hash: HashValue | undefined
}

/**
 *     { signature: { format: pgp | minisign | x509 | ssh, content: b64, publicKey: { content: b64 } },
 *       data: { content: b64, hash?: { algorithm: sha256, value: hex } } }
 *
 * The committed form has the hash and no content. URLs, which old clients send in place of contents, are not looked at.
 */
export function parseRekord(value: unknown): Rekord {
  const spec = readSpec(value)
  const signature = objectMember(spec, 'signature')
  const format = signature && stringMember(signature, 'format')
  const content = signature && bytesMember(signature, 'content', 'signature content')
  const key = signature && objectMember(signature, 'publicKey')
  const publicKey = key && bytesMember(key, 'content', 'signature publicKey content')
  const data = objectMember(spec, 'data')
  const hash = data && hashMember(data, 'hash')
  const artifact = data && bytesMember(data, 'content', 'data content')
  assertSchema(
    required('data', data) ??
      inside('data', inside('data.hash', hashViolation('data.hash', hash, ['sha256']))),
    required('signature', signature) ??
      inside('signature', signatureViolation({ content, format, key, keyContent: publicKey }))
  )
  return {
    format: format as string, // signatureViolation saw one of the names
    signature: presentBytes(content, 'signature'),
    publicKey: presentBytes(publicKey, 'publicKey'),
    ...(hash === undefined
      ? { data: presentBytes(artifact, 'data'), hash: undefined }
      : {
          data: artifact !== undefined && artifact.length > 0 ? artifact : undefined,
          hash: assertHashValue(checkedHash(hash))
        })
  }
}

interface SignatureMembers {
  readonly content: unknown
  readonly format: string | undefined
  readonly key: unknown
  readonly keyContent: unknown
}

function signatureViolation(members: SignatureMembers): Violation | undefined {
  return (
    required('signature.content', members.content) ??
    required('signature.format', members.format) ??
    oneOf('signature.format', members.format, SIGNATURE_FORMAT_NAMES) ??
    required('signature.publicKey', members.key) ??
    inside('signature.publicKey', required('signature.publicKey.content', members.keyContent))
  )
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
