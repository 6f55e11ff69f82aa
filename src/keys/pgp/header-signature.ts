import { LogError } from '../../errors.js'
import { checkSignature } from './check-signature.js'
import type { Entity } from './entity.js'
import { unsupportedFailure } from './failure.js'
import { keysByFingerprint, keysById, type KeyOfEntity } from './lookup.js'
import { PACKET_TAG, readPacket } from './packets.js'
import { parseSignaturePacket, type SignaturePacket } from './signature-packet.js'

// Signatures inside the headers of packages (RPM). Rekor checks them by other rules than detached ones: see below.

/** A signature that says by its key ID, at the least, who made it. */
export interface HeaderSignature extends SignaturePacket {
  readonly issuerKeyId: string
}

/**
 * Reads a value that must be one signature packet of version 4 and nothing else.
 *
 * @throws LogError `unsupported`, for version 3 as most packages before 2019 have it | `invalid_request`
 * @see rekor-v1 §8.6
 */
export function parseHeaderSignature(bytes: Uint8Array): HeaderSignature {
  const { packet, end } = readPacket(bytes, 0)
  const signature = packet.tag === PACKET_TAG.signature ? parseVersion4(packet.body) : undefined
  if (end < bytes.length) {
    throw new LogError('invalid_request', 'trailing garbage after PGP signature packet')
  }
  const issuerKeyId = signature?.issuerKeyId // also known from a fingerprint
  if (signature === undefined || issuerKeyId === undefined) {
    throw new LogError('invalid_request', 'no supported PGP signature packet found')
  }
  return { ...signature, issuerKeyId }
}

/** Version 6 is not for these: Rekor leaves out their salt, and then none of them verifies. */
function parseVersion4(body: Uint8Array): SignaturePacket {
  if (body[0] === 6) throw unsupportedFailure('signature packet version 6')
  return parseSignaturePacket(body)
}

/**
 * Checks that a key of the ring, primary or not, made the signature. As in Rekor nothing is asked about flags, lifetimes and
 * revocations, nor about the type of the signature; and of several keys with one ID only the first is tried.
 *
 * @param signed the bytes themselves: no line ends are changed, whatever the type
 * @throws LogError `verification_failed`
 */
export async function verifyHeaderSignature(
  entities: readonly Entity[],
  signature: HeaderSignature,
  signed: Uint8Array
): Promise<void> {
  await checkSignature(findIssuer(entities, signature).key, signature, signed)
}

function findIssuer(
  entities: readonly Entity[],
  { issuerFingerprint, issuerKeyId }: HeaderSignature
): KeyOfEntity {
  const [issuer] =
    issuerFingerprint === undefined
      ? keysById(entities, issuerKeyId)
      : keysByFingerprint(entities, issuerFingerprint)
  if (issuer !== undefined) return issuer
  const shown = issuerKeyId.replace(/^0{1,8}/, '') // a number of at least eight digits
  throw new LogError('verification_failed', `keyid ${shown} not found`)
}
