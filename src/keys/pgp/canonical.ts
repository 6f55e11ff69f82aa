import { concatBytes } from '../../encoding/bytes.js'
import { encodeArmor, PUBLIC_KEY_BLOCK } from './armor.js'
import type { Entity } from './entity.js'
import { encodePacket, PACKET_TAG } from './packets.js'
import type { SignaturePacket } from './signature-packet.js'

/**
 * One armored block with every entity written anew: new-format headers, user IDs without a self-signature, user
 * attributes, unknown packets and older bindings left out. The bodies are those that were read.
 *
 * @see rekor-v1 §7.2
 */
export function encodeKeyRing(entities: readonly Entity[]): Uint8Array {
  return encodeArmor(PUBLIC_KEY_BLOCK, concatBytes(...entities.flatMap(encodeEntity)))
}

function encodeEntity(entity: Entity): Uint8Array[] {
  return [
    encodePacket(PACKET_TAG.publicKey, entity.primaryKey.body),
    ...entity.revocations.map(encodeSignature),
    ...entity.directSignatures.map(encodeSignature),
    ...entity.identities.flatMap(({ userId, signatures }) => [
      encodePacket(PACKET_TAG.userId, userId),
      ...signatures.map(encodeSignature)
    ]),
    ...entity.subkeys.flatMap(({ key, revocations, binding }) => [
      encodePacket(PACKET_TAG.publicSubkey, key.body),
      ...revocations.map(encodeSignature),
      encodeSignature(binding)
    ])
  ]
}

function encodeSignature(signature: SignaturePacket): Uint8Array {
  return encodePacket(PACKET_TAG.signature, signature.canonicalBody)
}
