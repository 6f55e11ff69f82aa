import { encodeUtf8 } from '../../encoding/text.js'
import { decodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'
import { parseX509Key, type X509Key } from '../../x509/x509-format.js'
import { checkedHash, hashMember, type HashValue, hashViolation } from '../hash-value.js'
import { assertSchema, inside, required } from '../schema.js'
import { bytesMember, objectMember, readSpec } from '../spec-reader.js'

/** Hash functions of the schema and the length of their digests in bytes. */
const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const

export type HashedrekordHash = keyof typeof HASH_BYTES

export interface Hashedrekord {
  /** May be empty: that is reported only when it is verified, as in Rekor. */
  readonly signature: Uint8Array
  readonly key: X509Key
  readonly hashName: HashedrekordHash
  /** As sent: the case of its digits stays in the leaf. */
  readonly hash: HashValue
  readonly digest: Uint8Array
}

/**
 *     { signature: { content: b64, publicKey: { content: b64 of PEM } },
 *       data: { hash: { algorithm: sha256 | sha384 | sha512, value: hex } } }
 *
 * The committed form is the same.
 */
export function parseHashedrekord(value: unknown): Hashedrekord {
  const spec = readSpec(value)
  const signature = objectMember(spec, 'signature')
  const content = signature && bytesMember(signature, 'content', 'signature content')
  const publicKey = signature && objectMember(signature, 'publicKey')
  const encodedKey = publicKey && bytesMember(publicKey, 'content', 'public key content')
  const data = objectMember(spec, 'data')
  // Without a hash the whole of data counts as absent.
  const hash = data && hashMember(data, 'hash')
  assertSchema(
    required('data', hash) ??
      inside(
        'data',
        inside('data.hash', hashViolation('data.hash', hash, Object.keys(HASH_BYTES)))
      ),
    required('signature', signature)
  )
  if (publicKey === undefined) throw new LogError('invalid_request', 'missing public key')
  const key = parseX509Key(encodedKey ?? new Uint8Array(0))
  const checked = checkedHash(hash)
  const hashName = checked.algorithm as HashedrekordHash // hashViolation saw one of the three
  return {
    signature: content ?? new Uint8Array(0),
    key,
    hashName,
    hash: checked,
    digest: decodeDigest(checked.value, HASH_BYTES[hashName])
  }
}

const HEX_DIGITS = /^[0-9a-fA-F]*$/

function decodeDigest(value: string, bytes: number): Uint8Array {
  if (value.length === 2 * bytes && HEX_DIGITS.test(value)) return decodeHex(value)
  throw new LogError('invalid_request', digestProblem(encodeUtf8(value), bytes))
}

/** What Go says of a text that is no digest. It counts bytes of UTF-8. */
function digestProblem(text: Uint8Array, bytes: number): string {
  const bad = text.find((byte) => !HEX_DIGITS.test(String.fromCharCode(byte)))
  if (text.length !== 2 * bytes || bad === undefined) return 'invalid value for hash'
  return `encoding/hex: invalid byte: ${describeByte(bad)}`
}

/** `U+0067 'g'`, as Go's `%#U` prints it. The first bad byte of a text is ASCII or begins a character: all above is printable. */
function describeByte(byte: number): string {
  const code = `U+${byte.toString(16).toUpperCase().padStart(4, '0')}`
  const isControl = byte < 0x20 || byte === 0x7f
  return isControl ? code : `${code} '${String.fromCharCode(byte)}'`
}
