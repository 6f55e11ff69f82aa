import { concatBytes } from '../encoding/bytes.js'
import { LogError } from '../errors.js'
import {
  type CurveName,
  ecdsaPublicKey,
  ed25519PublicKey,
  type PublicKey,
  rsaPublicKey
} from './public-key.js'
import { createSshReader, encodeSshMpint, encodeSshString, type SshReader } from './ssh-wire.js'

/** A public key in the SSH wire format. */
export interface SshKey {
  /** Algorithm name at its head, such as `ssh-ed25519` or `ssh-ed25519-cert-v01@openssh.com`. */
  readonly type: string
  /** The whole blob; only one spelling of a key is read. */
  readonly blob: Uint8Array
  /** Type of the key itself: `type`, except for a certificate, where it is that of the certified key. */
  readonly keyType: string
  readonly publicKey: PublicKey
  /** Of a key that lives in a security key (sk-): what its signatures are bound to. */
  readonly application: string | undefined
}

interface KeyType {
  readonly name: string
  readonly certificate: string
  /** Reads what follows the name (and, in a certificate, the nonce). */
  read(reader: SshReader): Pick<SshKey, 'publicKey' | 'application'>
}

/** ssh-dss is missing on purpose: OpenSSH removed it, and it is 1024 bits and SHA-1. */
const KEY_TYPES: readonly KeyType[] = [
  { name: 'ssh-rsa', certificate: 'ssh-rsa-cert-v01@openssh.com', read: readRsa },
  ecdsaType('nistp256', 'P-256'),
  ecdsaType('nistp384', 'P-384'),
  ecdsaType('nistp521', 'P-521'),
  {
    name: 'ssh-ed25519',
    certificate: 'ssh-ed25519-cert-v01@openssh.com',
    read: (reader) => ({ publicKey: ed25519PublicKey(reader.string()), application: undefined })
  },
  {
    name: 'sk-ecdsa-sha2-nistp256@openssh.com',
    certificate: 'sk-ecdsa-sha2-nistp256-cert-v01@openssh.com',
    read: (reader) => ({
      publicKey: readEcdsa(reader, 'nistp256', 'P-256'),
      application: reader.text()
    })
  },
  {
    name: 'sk-ssh-ed25519@openssh.com',
    certificate: 'sk-ssh-ed25519-cert-v01@openssh.com',
    read: (reader) => ({
      publicKey: ed25519PublicKey(reader.string()),
      application: reader.text()
    })
  }
]

/**
 * Reads a key or certificate blob.
 *
 * @throws LogError `invalid_request` when malformed, `unsupported` for another key type
 * @see RFC 4253 section 6.6, RFC 5656, RFC 8709; OpenSSH PROTOCOL.u2f, PROTOCOL.certkeys
 */
export function parseSshKey(blob: Uint8Array): SshKey {
  const reader = createSshReader(blob)
  const type = reader.text()
  const keyType = KEY_TYPES.find(({ name, certificate }) => name === type || certificate === type)
  if (keyType === undefined) {
    throw new LogError('unsupported', `ssh: unknown key algorithm: ${type}`)
  }
  const isCertificate = type === keyType.certificate
  if (isCertificate) reader.string() // nonce
  const key = keyType.read(reader)
  if (isCertificate) readCertificateRest(reader)
  reader.end()
  return { type, blob, keyType: keyType.name, ...key }
}

/**
 * Wire form of a public key, or undefined for one that SSH has no form for (P-224).
 */
export function encodeSshKey(key: PublicKey): Uint8Array | undefined {
  if (key.type === 'rsa') {
    return concatBytes(
      encodeSshString('ssh-rsa'),
      encodeSshMpint(key.exponent),
      encodeSshMpint(key.modulus)
    )
  }
  if (key.type === 'ed25519') {
    return concatBytes(encodeSshString('ssh-ed25519'), encodeSshString(key.raw))
  }
  if (key.curve === 'P-224') return undefined
  const curve = `nistp${key.curve.slice(2)}`
  return concatBytes(
    encodeSshString(`ecdsa-sha2-${curve}`),
    encodeSshString(curve),
    encodeSshString(key.point)
  )
}

function readRsa(reader: SshReader): Pick<SshKey, 'publicKey' | 'application'> {
  const exponent = reader.unsignedMpint()
  const modulus = reader.unsignedMpint()
  if (exponent >= 1n << 24n) throw new LogError('invalid_request', 'ssh: exponent too large')
  if (exponent < 3n || exponent % 2n === 0n) {
    throw new LogError('invalid_request', 'ssh: incorrect exponent')
  }
  return { publicKey: rsaPublicKey(modulus, exponent), application: undefined }
}

function ecdsaType(wireCurve: string, curve: CurveName): KeyType {
  return {
    name: `ecdsa-sha2-${wireCurve}`,
    certificate: `ecdsa-sha2-${wireCurve}-cert-v01@openssh.com`,
    read: (reader) => ({
      publicKey: readEcdsa(reader, wireCurve, curve),
      application: undefined
    })
  }
}

function readEcdsa(reader: SshReader, wireCurve: string, curve: CurveName): PublicKey {
  if (reader.text() !== wireCurve) throw new LogError('invalid_request', 'ssh: unsupported curve')
  return ecdsaPublicKey(curve, reader.string())
}

/**
 * What follows the key in a certificate. Nothing of it is used: nobody here decides whom to trust.
 *
 *     uint64 serial   uint32 type   string key id   string valid principals   uint64 valid after   uint64 valid before
 *     string critical options   string extensions   string reserved   string signature key   string signature
 */
function readCertificateRest(reader: SshReader): void {
  reader.bytes(8)
  reader.uint32()
  reader.string()
  assertStrings(reader.string())
  reader.bytes(16)
  assertStrings(reader.string())
  assertStrings(reader.string())
  reader.string()
  const signatureKey = parseSshKey(reader.string())
  if (signatureKey.type !== signatureKey.keyType) {
    throw new LogError(
      'invalid_request',
      'ssh: the signature key of a certificate is a certificate'
    )
  }
  const signature = createSshReader(reader.string())
  signature.string()
  signature.string()
}

function assertStrings(list: Uint8Array): void {
  for (const reader = createSshReader(list); reader.remaining > 0;) reader.string()
}
