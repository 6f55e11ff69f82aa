import { LogError } from '../../errors.js'
import { isUnsupportedFailure, structuralFailure } from './failure.js'
import { FIRST_NON_CRITICAL_TAG, PACKET_TAG, type Packet } from './packets.js'
import { parsePublicKeyPacket, type PublicKeyPacket } from './public-key-packet.js'
import { parseSignaturePacket, type SignaturePacket } from './signature-packet.js'

/** A packet after its contents were read. */
export type ReadPacket =
  | { readonly kind: 'signature'; readonly signature: SignaturePacket }
  | {
      readonly kind: 'key'
      readonly key: PublicKeyPacket
      readonly isSubkey: boolean
      readonly isSecret: boolean
    }
  | { readonly kind: 'userId'; readonly userId: Uint8Array }
  | { readonly kind: 'other' }

/** Packets one by one, with one step back. */
export interface PacketSource {
  /**
   * Next packet of use; undefined at the end. What is unsupported, or of an unknown and not critical type, is skipped.
   * @throws LogError `invalid_request`; a later call goes on after the bad packet
   */
  next(): ReadPacket | undefined
  /** Makes the next call of `next` give `packet` again. */
  unread(packet: ReadPacket): void
}

/** Longest user ID; GnuPG writes no more than 2048 bytes. */
export const MAX_USER_ID_BYTES = 8192

export function createPacketSource(packets: readonly Packet[]): PacketSource {
  let position = 0
  let pending: ReadPacket | undefined

  function next(): ReadPacket | undefined {
    const unread = pending
    pending = undefined
    if (unread !== undefined) return unread
    for (;;) {
      const packet = packets[position++]
      if (packet === undefined) return undefined
      try {
        const read = readPacket(packet)
        if (read !== undefined) return read
      } catch (err) {
        if (!isUnsupportedFailure(err)) throw err
      }
    }
  }

  return {
    next,
    unread(packet) {
      pending = packet
    }
  }
}

/** @returns undefined for packets that are to be passed over */
function readPacket({ tag, body }: Packet): ReadPacket | undefined {
  switch (tag) {
    case PACKET_TAG.signature:
      return { kind: 'signature', signature: parseSignaturePacket(body) }
    case PACKET_TAG.publicKey:
    case PACKET_TAG.publicSubkey: {
      const isSubkey = tag === PACKET_TAG.publicSubkey
      return { kind: 'key', key: parsePublicKeyPacket(body), isSubkey, isSecret: false }
    }
    case PACKET_TAG.secretKey:
    case PACKET_TAG.secretSubkey: {
      const isSubkey = tag === PACKET_TAG.secretSubkey
      return { kind: 'key', key: parsePublicKeyPacket(body, true), isSubkey, isSecret: true }
    }
    case PACKET_TAG.userId:
      if (body.length > MAX_USER_ID_BYTES) throw structuralFailure('user ID too long')
      return { kind: 'userId', userId: body }
    case PACKET_TAG.userAttribute:
    case PACKET_TAG.padding:
      return { kind: 'other' }
    case PACKET_TAG.marker:
    case PACKET_TAG.trust:
      return undefined
    default:
      if (tag >= FIRST_NON_CRITICAL_TAG) return undefined
      throw new LogError('invalid_request', `openpgp: unknown critical packet type: ${tag}`)
  }
}
