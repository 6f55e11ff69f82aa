import { LogError } from '../../errors.js'
import { encodeArmor, findArmor, SIGNATURE_BLOCK, splitLines } from './armor.js'
import { labelled } from './failure.js'
import { PACKET_TAG, splitPackets, type Packet } from './packets.js'
import { parseSignaturePacket, type SignaturePacket } from './signature-packet.js'

/** Room for dozens of signatures and long comments; one signature takes less than 2 KiB. */
export const MAX_SIGNATURE_BYTES = 1024 * 1024

/** A detached signature as read; only the first of its packets was looked into. */
export interface DetachedSignature {
  readonly canonical: Uint8Array
  readonly packets: readonly Packet[]
  readonly first: SignaturePacket
}

/**
 * Reads a detached signature, armored or binary. Armored input is its own canonical form, comments and all; binary
 * input is armored.
 *
 * @throws LogError `invalid_request` | `unsupported`
 * @see rekor-v1 §7.2
 */
export function parseDetachedSignature(bytes: Uint8Array): DetachedSignature {
  if (bytes.length > MAX_SIGNATURE_BYTES) {
    throw new LogError('invalid_request', `PGP signature over ${MAX_SIGNATURE_BYTES} bytes`)
  }
  const block = findArmor(splitLines(bytes))
  if (block !== undefined && block.type !== SIGNATURE_BLOCK) {
    throw new LogError('invalid_request', 'invalid PGP signature provided')
  }
  const packets = readOrRefuse(() => splitPackets(block?.decode() ?? bytes))
  if (packets[0] !== undefined && packets[0].tag !== PACKET_TAG.signature) {
    throw new LogError('invalid_request', 'valid PGP signature was not detected')
  }
  const first = readOrRefuse(() => firstSignature(packets))
  const canonical = block === undefined ? encodeArmor(SIGNATURE_BLOCK, bytes) : bytes
  return { canonical, packets, first }
}

function firstSignature([packet]: readonly Packet[]): SignaturePacket {
  if (packet === undefined) throw new LogError('invalid_request', 'EOF')
  return parseSignaturePacket(packet.body)
}

function readOrRefuse<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (err) {
    throw labelled('invalid PGP signature', err)
  }
}
