import { encodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'
import { checkSignature } from './check-signature.js'
import { maySign, type Entity } from './entity.js'
import { structuralFailure, unsupportedFailure } from './failure.js'
import { allKeys, primaryIdentity, primarySelfSignature, type KeyOfEntity } from './lookup.js'
import { createPacketSource, type PacketSource } from './packet-source.js'
import type { PublicKeyPacket } from './public-key-packet.js'
import { SIGNATURE_TYPE, type SignaturePacket } from './signature-packet.js'
import type { DetachedSignature } from './signature.js'

/**
 * Checks a detached signature over `data`. Lifetimes and revocations are judged at the time the signature says it was
 * made, so keys that have expired since still verify what they signed before.
 *
 * @throws LogError `verification_failed` | `unsupported`
 * @see rekor-v1 §7.2
 */
export async function verifyDetachedSignature(
  entities: readonly Entity[],
  { first, packets }: DetachedSignature,
  data: Uint8Array
): Promise<void> {
  const { signature, keys } = findSigner(entities, createPacketSource(packets))
  const signed = signedBytes(signature, data)
  const signer = await firstThatVerifies(keys, signature, signed)
  assertValidAt(signer, signature, first.createdSeconds)
}

/** A key whose flags allow it to sign. */
interface Signer extends KeyOfEntity {
  readonly selfSignature: SignaturePacket
}

interface Candidates {
  readonly signature: SignaturePacket
  readonly keys: readonly Signer[]
}

/** First signature that names a key of ours, and the keys it may mean: key IDs are not unique. */
function findSigner(entities: readonly Entity[], source: PacketSource): Candidates {
  const signers = allKeys(entities).filter(isSigner)
  for (let packet = source.next(); packet !== undefined; packet = source.next()) {
    if (packet.kind !== 'signature') throw structuralFailure('non signature packet found')
    const { signature } = packet
    if (signature.issuerKeyId === undefined) {
      throw structuralFailure("signature doesn't have an issuer")
    }
    const keys = signers.filter(({ key }) => key.keyId === signature.issuerKeyId)
    if (keys.length > 0) return { signature, keys }
  }
  throw refused('openpgp: signature made by unknown entity')
}

function isSigner(key: KeyOfEntity): key is Signer {
  return key.selfSignature !== undefined && maySign(key.selfSignature)
}

/** What a detached signature of this type covers. */
function signedBytes(signature: SignaturePacket, data: Uint8Array): Uint8Array {
  if (signature.type === SIGNATURE_TYPE.binary) return data
  if (signature.type === SIGNATURE_TYPE.text) return withNetworkLineEnds(data)
  throw unsupportedFailure(`unsupported signature type: ${signature.type}`)
}

async function firstThatVerifies(
  keys: readonly Signer[],
  signature: SignaturePacket,
  signed: Uint8Array
): Promise<Signer> {
  let failure: unknown
  // A ring may hold one key hundreds of times; every check of it would hash all of the data again, for the same result.
  const tried = new Set<string>()
  for (const candidate of keys) {
    const fingerprint = encodeHex(candidate.key.fingerprint)
    if (tried.has(fingerprint)) continue
    tried.add(fingerprint)
    try {
      await checkSignature(candidate.key, signature, signed)
      return candidate
    } catch (err) {
      failure = err
    }
  }
  throw failure
}

const KEY_COMPROMISED = 2

/**
 * What must hold of the signer besides the mathematics. The order of the checks decides which message is seen.
 */
function assertValidAt(signer: Signer, signature: SignaturePacket, atSeconds: number): void {
  const { entity, key } = signer
  const primary = primarySelfSignature(entity)
  if (primary === undefined) throw refused('openpgp: signature made by unknown entity')
  const relevant = [signature, primary]
  const revocations = [...entity.revocations, ...(primaryIdentity(entity)?.revocations ?? [])]
  if (key !== entity.primaryKey) {
    revocations.push(...signer.revocations)
    const bindings = [signer.selfSignature, signer.selfSignature.embedded]
    relevant.push(...bindings.filter((binding) => binding !== undefined))
  }
  const [notation] = relevant.flatMap(({ criticalNotations }) => criticalNotations)
  if (notation !== undefined) {
    throw refused(`openpgp: invalid signature: unknown critical notation: ${notation}`)
  }
  if (revocations.some((revocation) => isInForce(revocation, atSeconds))) {
    throw refused('openpgp: signature made by revoked key')
  }
  if (
    isKeyExpired(entity.primaryKey, primary, atSeconds) ||
    isKeyExpired(key, signer.selfSignature, atSeconds)
  ) {
    throw refused('openpgp: key expired')
  }
  if (relevant.some((each) => isExpired(each, atSeconds))) {
    throw refused('openpgp: signature expired')
  }
}

/** A compromised key is not trusted for anything it ever signed. */
function isInForce(revocation: SignaturePacket, atSeconds: number): boolean {
  return revocation.revocationReason === KEY_COMPROMISED || !isExpired(revocation, atSeconds)
}

/** Whether a signature has expired or is not made yet. */
function isExpired(signature: SignaturePacket, atSeconds: number): boolean {
  return isOutside(signature.createdSeconds, signature.lifetimeSeconds, atSeconds)
}

function isKeyExpired(key: PublicKeyPacket, self: SignaturePacket, atSeconds: number): boolean {
  return isOutside(key.createdSeconds, self.keyLifetimeSeconds, atSeconds)
}

/** A lifetime of 0 is none; the last second still counts. */
function isOutside(
  fromSeconds: number,
  lifetimeSeconds: number | undefined,
  atSeconds: number
): boolean {
  const untilSeconds = fromSeconds + (lifetimeSeconds || Infinity)
  return atSeconds < fromSeconds || atSeconds > untilSeconds
}

const CR = 0x0d
const LF = 0x0a

/**
 * Every line ended with CR LF, as text signatures are made; a CR that is already there is kept. As in Rekor, a CR only
 * counts for the byte after it when it is not itself the second of a pair.
 */
function withNetworkLineEnds(data: Uint8Array): Uint8Array {
  // Sized for the worst case rather than collected: every byte may be a line end.
  const text = new Uint8Array(data.length * 2)
  let length = 0
  let afterCr = false
  // By index: five times as fast as for-of over what may be 32 MiB.
  for (let at = 0; at < data.length; at++) {
    const byte = data[at] as number // `at` is below the length
    if (byte === LF && !afterCr) text[length++] = CR
    text[length++] = byte
    afterCr = byte === CR && !afterCr
  }
  return text.subarray(0, length)
}

function refused(message: string): LogError {
  return new LogError('verification_failed', message)
}
