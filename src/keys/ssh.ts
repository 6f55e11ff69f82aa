import { decodeBase64Loose, encodeBase64 } from '../encoding/base64.js'
import { concatBytes } from '../encoding/bytes.js'
import { isEmail } from '../encoding/email.js'
import { decodePem, encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { encodeEcdsaSignature } from './ecdsa-signature.js'
import type { RsaPublicKey } from './public-key.js'
import type { FormatKey, FormatSignature, SignatureFormat } from './signature-format.js'
import { parseSshKey, type SshKey } from './ssh-key.js'
import { createSshReader, encodeSshString, encodeSshUint32 } from './ssh-wire.js'
import { hashData, type HashName, verifyData } from './verify.js'

/** Longest authorized_keys text read, as in Rekor. */
const MAX_KEY_BYTES = 65_536

/** Longest signature read. RSA of 16,384 bits with a certificate stays under 10 kB. */
const MAX_SIGNATURE_BYTES = 65_536

const PEM_TYPE = 'SSH SIGNATURE'
const MAGIC = encodeUtf8('SSHSIG')
const VERSION = 1
const NAMESPACE = 'file'
const SIGNATURE_HASHES: readonly string[] = ['sha256', 'sha512']

/** Rekor writes this into every canonical signature, and verifies that. */
const CANONICAL_HASH = 'sha512'

export interface SshFormatKey extends FormatKey {
  readonly key: SshKey
}

export interface SshFormatSignature extends FormatSignature {
  /** Signature algorithm, such as `rsa-sha2-512`. */
  readonly format: string
  readonly blob: Uint8Array
  /** What follows the blob: flags and counter of a security key, else nothing. */
  readonly rest: Uint8Array
}

/**
 * OpenSSH signatures of files (`ssh-keygen -Y sign -n file`) and authorized_keys lines.
 *
 * The canonical signature names sha512 whatever was signed, and the canonical one is what is verified; so a signature made
 * over sha256 is refused. That is Rekor's behaviour, kept because its clients could not reproduce any other leaf. The key
 * inside the signature is not compared with the one supplied; only the latter verifies.
 *
 * @see rekor-v1 §7.4, OpenSSH PROTOCOL.sshsig
 */
export const sshFormat: SignatureFormat<SshFormatKey, SshFormatSignature> = {
  name: 'ssh',

  async parseKey(bytes) {
    if (bytes.length > MAX_KEY_BYTES) {
      throw new LogError('invalid_request', `ssh: public key longer than ${MAX_KEY_BYTES} bytes`)
    }
    const { key, comment } = readAuthorizedKeys(Buffer.from(bytes).toString('utf8'))
    return {
      canonical: encodeUtf8(`${key.type} ${encodeBase64(key.blob)}\n`),
      subjects: isEmail(comment) ? [comment] : [],
      key
    }
  },

  async parseSignature(bytes) {
    if (bytes.length > MAX_SIGNATURE_BYTES) {
      throw new LogError(
        'invalid_request',
        `ssh: signature longer than ${MAX_SIGNATURE_BYTES} bytes`
      )
    }
    const pem = decodePem(bytes)
    if (pem === undefined) throw new LogError('invalid_request', 'unable to decode pem file')
    if (pem.block.type !== PEM_TYPE) {
      throw new LogError(
        'invalid_request',
        `wrong pem block type: ${pem.block.type}. Expected SSH-SIGNATURE`
      )
    }
    return readSignature(pem.block.bytes)
  },

  async verify({ key }, signature, data) {
    const message = concatBytes(
      MAGIC,
      encodeSshString(NAMESPACE),
      encodeSshString(''),
      encodeSshString(CANONICAL_HASH),
      encodeSshString(hashData(CANONICAL_HASH, data))
    )
    await verifySshSignature(key, signature, message)
  }
}

/**
 * The first line that holds a key: `[options] type base64 [comment]`. Other lines are passed over, as in sshd.
 *
 * @throws LogError `invalid_request` with the reason for the last line that looked like a key
 */
function readAuthorizedKeys(text: string): { readonly key: SshKey; readonly comment: string } {
  let lastProblem: LogError | undefined
  for (const line of text.split('\n')) {
    const trimmed = line.split('\r', 1).join('').trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    for (const candidate of [trimmed, skipOptions(trimmed)]) {
      const [type, base64, ...comment] = candidate.split(/([ \t]+)/).filter((_, i) => i !== 1)
      if (type === undefined || base64 === undefined) continue
      try {
        return { key: readKey(type, base64), comment: comment.join('').trim() }
      } catch (err) {
        lastProblem = err as LogError // readKey throws nothing else
      }
    }
  }
  throw new LogError(
    'invalid_request',
    lastProblem === undefined
      ? 'ssh: no key found'
      : `ssh: no key found; last parsing error for ignored line: ${lastProblem.message}`,
    { cause: lastProblem }
  )
}

function readKey(type: string, base64: string): SshKey {
  const key = parseSshKey(decodeBase64Loose(base64, 'ssh: key'))
  if (key.type !== type) {
    throw new LogError('invalid_request', `ssh: line says ${type}, its key is ${key.type}`)
  }
  return key
}

/** What follows the options field: it ends at the first blank outside double quotes. */
function skipOptions(line: string): string {
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const character = line[i]
    if (character === '"' && line[i - 1] !== '\\') quoted = !quoted
    if (!quoted && (character === ' ' || character === '\t')) return line.slice(i).trim()
  }
  return ''
}

/**
 *     byte[6] "SSHSIG"   uint32 version   string public key   string namespace   string reserved
 *     string hash algorithm   string signature { string format   string blob   byte[] rest }
 */
function readSignature(bytes: Uint8Array): SshFormatSignature {
  const reader = createSshReader(bytes)
  const magic = reader.bytes(MAGIC.length)
  const version = reader.uint32()
  const publicKey = reader.string()
  const namespace = reader.text()
  reader.string()
  const hashAlgorithm = reader.text()
  const signature = reader.string()
  reader.end()
  if (version !== VERSION) {
    throw new LogError('invalid_request', `unsupported signature version: ${version}`)
  }
  if (!magic.every((byte, i) => byte === MAGIC[i])) {
    throw new LogError('invalid_request', 'invalid magic header')
  }
  if (namespace !== NAMESPACE) {
    throw new LogError('invalid_request', `invalid signature namespace: ${namespace}`)
  }
  if (!SIGNATURE_HASHES.includes(hashAlgorithm)) {
    throw new LogError('unsupported', `unsupported hash algorithm: ${hashAlgorithm}`)
  }
  const inner = createSshReader(signature)
  const format = inner.text()
  const blob = inner.string()
  const rest = inner.bytes(inner.remaining)
  parseSshKey(publicKey)
  const canonical = concatBytes(
    MAGIC,
    encodeSshUint32(VERSION),
    encodeSshString(publicKey),
    encodeSshString(NAMESPACE),
    encodeSshString(''),
    encodeSshString(CANONICAL_HASH),
    encodeSshString(signature)
  )
  return { canonical: encodeUtf8(encodePem(PEM_TYPE, canonical)), format, blob, rest }
}

/** What a signature algorithm may be used with, and what it hashes with. Ed25519 has no hash of its own. */
const SIGNATURE_ALGORITHMS: readonly {
  readonly format: string
  readonly keyType: string
  readonly hash: HashName
}[] = [
  { format: 'ssh-rsa', keyType: 'ssh-rsa', hash: 'sha1' },
  { format: 'rsa-sha2-256', keyType: 'ssh-rsa', hash: 'sha256' },
  { format: 'rsa-sha2-512', keyType: 'ssh-rsa', hash: 'sha512' },
  { format: 'ecdsa-sha2-nistp256', keyType: 'ecdsa-sha2-nistp256', hash: 'sha256' },
  { format: 'ecdsa-sha2-nistp384', keyType: 'ecdsa-sha2-nistp384', hash: 'sha384' },
  { format: 'ecdsa-sha2-nistp521', keyType: 'ecdsa-sha2-nistp521', hash: 'sha512' },
  { format: 'ssh-ed25519', keyType: 'ssh-ed25519', hash: 'sha512' },
  {
    format: 'sk-ecdsa-sha2-nistp256@openssh.com',
    keyType: 'sk-ecdsa-sha2-nistp256@openssh.com',
    hash: 'sha256'
  },
  { format: 'sk-ssh-ed25519@openssh.com', keyType: 'sk-ssh-ed25519@openssh.com', hash: 'sha256' }
]

async function verifySshSignature(
  key: SshKey,
  signature: SshFormatSignature,
  message: Uint8Array
): Promise<void> {
  const algorithm = SIGNATURE_ALGORITHMS.find(
    ({ format, keyType }) => format === signature.format && keyType === key.keyType
  )
  if (algorithm === undefined) {
    throw new LogError(
      'verification_failed',
      `ssh: signature type ${signature.format} for key type ${key.keyType}`
    )
  }
  const { publicKey } = key
  const signed =
    key.application === undefined
      ? message
      : securityKeyMessage(key.application, signature.rest, message)
  if (publicKey.type === 'rsa') {
    await verifyData(publicKey, algorithm.hash, signed, padRsa(publicKey, signature.blob))
    return
  }
  try {
    const blob = publicKey.type === 'ecdsa' ? readEcdsaBlob(signature.blob) : signature.blob
    await verifyData(publicKey, algorithm.hash, signed, blob)
  } catch (err) {
    throw new LogError('verification_failed', 'ssh: signature did not verify', { cause: err })
  }
}

/** PuTTY and SSH.NET leave out leading zeros. */
function padRsa({ modulusBytes }: RsaPublicKey, blob: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(Math.max(0, modulusBytes - blob.length)), blob)
}

/** mpint r, mpint s. @see RFC 5656 section 3.1.2 */
function readEcdsaBlob(blob: Uint8Array): Uint8Array {
  const reader = createSshReader(blob)
  const r = reader.unsignedMpint()
  const s = reader.unsignedMpint()
  reader.end()
  return encodeEcdsaSignature(r, s)
}

/** What a security key signs: hash of the application, flags, counter, hash of the message. @see OpenSSH PROTOCOL.u2f */
function securityKeyMessage(
  application: string,
  flagsAndCounter: Uint8Array,
  message: Uint8Array
): Uint8Array {
  const FLAGS_AND_COUNTER_BYTES = 5
  if (flagsAndCounter.length !== FLAGS_AND_COUNTER_BYTES) {
    throw new LogError('verification_failed', 'ssh: signature without flags and counter')
  }
  return concatBytes(
    hashData(
      'sha256',
      Uint8Array.from(application, (character) => character.charCodeAt(0))
    ),
    flagsAndCounter,
    hashData('sha256', message)
  )
}
