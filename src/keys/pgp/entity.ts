import { concatBytes, equalBytes } from '../../encoding/bytes.js'
import { encodeHex } from '../../encoding/hex.js'
import { isLogError } from '../../errors.js'
import { signingAlgorithmName } from './algorithms.js'
import type { checkSignature } from './check-signature.js'
import { structuralFailure } from './failure.js'
import type { PacketSource } from './packet-source.js'
import { encodeUint32 } from './packets.js'
import { keyForHash, type PublicKeyPacket } from './public-key-packet.js'
import { SIGNATURE_TYPE, type SignaturePacket } from './signature-packet.js'

/** A user ID that the key has vouched for. */
export interface Identity {
  readonly userId: Uint8Array
  /** Newest valid self-certification; undefined when there are only revocations. */
  readonly selfSignature: SignaturePacket | undefined
  /** Valid revocations by the key itself. */
  readonly revocations: readonly SignaturePacket[]
  /** All that followed the user ID, certifications by others included: those were not checked. */
  readonly signatures: readonly SignaturePacket[]
}

export interface Subkey {
  readonly key: PublicKeyPacket
  readonly isSecret: boolean
  /** Newest valid binding signature. */
  readonly binding: SignaturePacket
  readonly revocations: readonly SignaturePacket[]
}

/** One OpenPGP key: a primary key and what is bound to it. */
export interface Entity {
  readonly primaryKey: PublicKeyPacket
  /** In order of first appearance. A user ID that appears twice counts once, with what followed it last. */
  readonly identities: readonly Identity[]
  readonly revocations: readonly SignaturePacket[]
  /** v6 only: signatures directly over the key. */
  readonly directSignatures: readonly SignaturePacket[]
  /** v6 only: the newest of them, which was checked. */
  readonly directSelfSignature: SignaturePacket | undefined
  readonly subkeys: readonly Subkey[]
}

type Check = typeof checkSignature

/**
 * Reads one key and everything bound to it, checking every signature the key made over its own parts.
 *
 * @param check how signatures are checked; a refusal costs the key, any other error everything
 * @returns undefined at the end of the packets
 * @throws LogError
 */
export async function readEntity(source: PacketSource, check: Check): Promise<Entity | undefined> {
  const first = source.next()
  if (first === undefined) return undefined
  if (first.kind !== 'key') {
    source.unread(first)
    throw structuralFailure('first packet was not a public/private key')
  }
  const primaryKey = first.key
  if (signingAlgorithmName(primaryKey.algorithm) === undefined) {
    throw structuralFailure('primary key cannot be used for signatures')
  }
  const identities = new Map<string, Identity>()
  const revocations: SignaturePacket[] = []
  const directSignatures: SignaturePacket[] = []
  const subkeys: Subkey[] = []

  for (let packet = source.next(); packet !== undefined; packet = source.next()) {
    if (packet.kind === 'userId') {
      const identity = await readIdentity(source, primaryKey, packet.userId, check)
      if (identity !== undefined) identities.set(encodeHex(packet.userId), identity)
    } else if (packet.kind === 'signature') {
      // Signatures of other types follow nothing they could belong to.
      const { signature } = packet
      if (signature.type === SIGNATURE_TYPE.keyRevocation) revocations.push(signature)
      if (signature.type === SIGNATURE_TYPE.directKey) directSignatures.push(signature)
    } else if (packet.kind === 'key') {
      if (!packet.isSubkey) {
        source.unread(packet)
        break
      }
      const { key, isSecret } = packet
      subkeys.push({ key, isSecret, ...(await readBindings(source, primaryKey, key, check)) })
    }
  }

  if (primaryKey.version === 4 && identities.size === 0) {
    throw structuralFailure('v4 entity without any identities')
  }
  const isV6 = primaryKey.version === 6
  const directSelfSignature = isV6
    ? await newestDirectSignature(primaryKey, directSignatures, check)
    : undefined
  for (const revocation of revocations) {
    await accept(
      check(primaryKey, revocation, keyForHash(primaryKey)),
      () => 'revocation signature signed by alternate key'
    )
  }
  return {
    primaryKey,
    identities: [...identities.values()],
    revocations,
    directSignatures: isV6 ? directSignatures : [],
    directSelfSignature,
    subkeys
  }
}

const CERTIFICATIONS: readonly number[] = [0x10, 0x11, 0x12, 0x13]

/** @returns undefined when the key itself did not sign the user ID */
async function readIdentity(
  source: PacketSource,
  primaryKey: PublicKeyPacket,
  userId: Uint8Array,
  check: Check
): Promise<Identity | undefined> {
  const signed = concatBytes(
    keyForHash(primaryKey),
    Uint8Array.of(0xb4),
    encodeUint32(userId.length),
    userId
  )
  const signatures: SignaturePacket[] = []
  const revocations: SignaturePacket[] = []
  let selfSignature: SignaturePacket | undefined
  for (const signature of followingSignatures(source)) {
    const isRevocation = signature.type === SIGNATURE_TYPE.certificationRevocation
    if (!isRevocation && !CERTIFICATIONS.includes(signature.type)) {
      throw structuralFailure('user ID signature with wrong type')
    }
    signatures.push(signature)
    if (!isIssuedBy(signature, primaryKey)) continue
    await accept(
      check(primaryKey, signature, signed),
      (reason) => `user ID self-signature invalid: ${reason}`
    )
    if (isRevocation) revocations.push(signature)
    else selfSignature = newest(selfSignature, signature)
  }
  if (selfSignature === undefined && revocations.length === 0) return undefined
  return { userId, selfSignature, revocations, signatures }
}

async function readBindings(
  source: PacketSource,
  primaryKey: PublicKeyPacket,
  subkey: PublicKeyPacket,
  check: Check
): Promise<{ binding: SignaturePacket; revocations: readonly SignaturePacket[] }> {
  const signed = concatBytes(keyForHash(primaryKey), keyForHash(subkey))
  const revocations: SignaturePacket[] = []
  let binding: SignaturePacket | undefined
  for (const signature of followingSignatures(source)) {
    const isRevocation = signature.type === SIGNATURE_TYPE.subkeyRevocation
    if (!isRevocation && signature.type !== SIGNATURE_TYPE.subkeyBinding) {
      throw structuralFailure('subkey signature with wrong type')
    }
    await accept(
      check(primaryKey, signature, signed),
      (reason) => `subkey signature invalid: ${reason}`
    )
    if (maySign(signature)) await checkCrossSignature(subkey, signature.embedded, signed, check)
    if (isRevocation) revocations.push(signature)
    else binding = newest(binding, signature)
  }
  if (binding === undefined) throw structuralFailure('subkey packet not followed by signature')
  return { binding, revocations }
}

/** Without the signature of the subkey over the primary key anyone could claim a subkey of somebody else. */
async function checkCrossSignature(
  subkey: PublicKeyPacket,
  crossSignature: SignaturePacket | undefined,
  signed: Uint8Array,
  check: Check
): Promise<void> {
  if (crossSignature === undefined) {
    throw structuralFailure(
      'subkey signature invalid: openpgp: invalid data: signing subkey is missing cross-signature'
    )
  }
  await accept(
    check(subkey, crossSignature, signed),
    (reason) =>
      `subkey signature invalid: openpgp: invalid data: error while verifying cross-signature: ${reason}`
  )
}

async function newestDirectSignature(
  primaryKey: PublicKeyPacket,
  directSignatures: readonly SignaturePacket[],
  check: Check
): Promise<SignaturePacket> {
  let main: SignaturePacket | undefined
  for (const signature of directSignatures) {
    if (isIssuedBy(signature, primaryKey)) main = newest(main, signature)
  }
  if (main === undefined) {
    throw structuralFailure('no valid direct-key self-signature for v6 primary key found')
  }
  await accept(
    check(primaryKey, main, keyForHash(primaryKey)),
    () => 'invalid direct-key self-signature for v6 primary key'
  )
  return main
}

/** The signatures up to the next packet of another kind. */
function* followingSignatures(source: PacketSource): Generator<SignaturePacket, void> {
  for (let packet = source.next(); packet !== undefined; packet = source.next()) {
    if (packet.kind !== 'signature') {
      source.unread(packet)
      return
    }
    yield packet.signature
  }
}

/** Waits for a check and turns a refusal, not any other error, into a malformed key. */
async function accept(checked: Promise<void>, problem: (reason: string) => string): Promise<void> {
  try {
    await checked
  } catch (err) {
    if (isLogError(err, 'verification_failed')) throw structuralFailure(problem(err.message))
    throw err
  }
}

/** The earlier one stays when both are of the same second. */
function newest(current: SignaturePacket | undefined, next: SignaturePacket): SignaturePacket {
  return current === undefined || next.createdSeconds > current.createdSeconds ? next : current
}

function isIssuedBy(signature: SignaturePacket, key: PublicKeyPacket): boolean {
  if (signature.issuerFingerprint !== undefined) {
    return equalBytes(signature.issuerFingerprint, key.fingerprint)
  }
  return signature.issuerKeyId === key.keyId
}

const SIGN_FLAG = 0x02

/** Whether the key flags of a self-signature allow the key to sign data. False without the flags. */
export function maySign(signature: SignaturePacket): boolean {
  return ((signature.keyFlags ?? 0) & SIGN_FLAG) !== 0
}
