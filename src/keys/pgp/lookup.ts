import { equalBytes } from '../../encoding/bytes.js'
import type { Entity, Identity } from './entity.js'
import type { PublicKeyPacket } from './public-key-packet.js'
import type { SignaturePacket } from './signature-packet.js'

/** A primary key or subkey with what is known about it. */
export interface KeyOfEntity {
  readonly entity: Entity
  readonly key: PublicKeyPacket
  /** What tells flags and lifetime: self-certification, direct-key signature or binding. */
  readonly selfSignature: SignaturePacket | undefined
  readonly revocations: readonly SignaturePacket[]
}

/** Every key and subkey, in order. */
export function allKeys(entities: readonly Entity[]): readonly KeyOfEntity[] {
  return entities.flatMap((entity) => [
    {
      entity,
      key: entity.primaryKey,
      selfSignature: primarySelfSignature(entity),
      revocations: entity.revocations
    },
    ...entity.subkeys.map(({ key, binding, revocations }) => ({
      entity,
      key,
      selfSignature: binding,
      revocations
    }))
  ])
}

/** @param keyId 16 lower-case hex digits */
export function keysById(entities: readonly Entity[], keyId: string): readonly KeyOfEntity[] {
  return allKeys(entities).filter(({ key }) => key.keyId === keyId)
}

export function keysByFingerprint(
  entities: readonly Entity[],
  fingerprint: Uint8Array
): readonly KeyOfEntity[] {
  return allKeys(entities).filter(({ key }) => equalBytes(key.fingerprint, fingerprint))
}

/** The self-signature that tells flags and lifetime of the primary key. */
export function primarySelfSignature(entity: Entity): SignaturePacket | undefined {
  return entity.directSelfSignature ?? primaryIdentity(entity)?.selfSignature
}

/**
 * The user ID that speaks for a v4 key: fewest revocations, then self-signed, then marked as primary, then the newest.
 * Undefined for v6 keys, which do not need one.
 */
export function primaryIdentity(entity: Entity): Identity | undefined {
  if (entity.directSelfSignature !== undefined) return undefined
  return entity.identities.reduce<Identity | undefined>(
    (best, identity) => (best === undefined || isPreferred(identity, best) ? identity : best),
    undefined
  )
}

function isPreferred(identity: Identity, best: Identity): boolean {
  if (identity.revocations.length !== best.revocations.length) {
    return identity.revocations.length < best.revocations.length
  }
  // Rekor walks its user IDs in no fixed order; here the earlier one stays when all else is equal.
  if (best.selfSignature === undefined) return identity.selfSignature !== undefined
  if (identity.selfSignature === undefined) return false
  if (identity.selfSignature.isPrimaryUserId !== best.selfSignature.isPrimaryUserId) {
    return identity.selfSignature.isPrimaryUserId
  }
  return identity.selfSignature.createdSeconds > best.selfSignature.createdSeconds
}
