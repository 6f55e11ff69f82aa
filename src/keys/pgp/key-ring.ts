import { equalBytes } from '../../encoding/bytes.js'
import { isEmail } from '../../encoding/email.js'
import { encodeUtf8 } from '../../encoding/text.js'
import { LogError } from '../../errors.js'
import {
  findArmor,
  PRIVATE_KEY_BLOCK,
  PUBLIC_KEY_BLOCK,
  splitLines,
  type ArmorBlock
} from './armor.js'
import { checkSignature } from './check-signature.js'
import { readEntity, type Entity } from './entity.js'
import { isStructuralFailure, labelled } from './failure.js'
import { createPacketSource, type PacketSource } from './packet-source.js'
import { splitPackets } from './packets.js'
import { emailOfUserId } from './user-id.js'

/** The rings distributions publish for checking packages are below 2 MiB. */
export const MAX_KEY_RING_BYTES = 4 * 1024 * 1024
/**
 * Self-signatures checked for one input, which also bounds the number of keys. A check takes about a millisecond, 18 for the
 * largest DSA keys; a key of daily use needs ten.
 */
export const MAX_SIGNATURE_CHECKS = 1000

const BEGIN_PGP = '-----BEGIN PGP'
const END_PGP = '-----END PGP'

/**
 * Keys of a binary key ring, or of one or more armored blocks one after the other. Keys that cannot be read are passed
 * over as long as one remains.
 *
 * @throws LogError `invalid_request` | `unsupported`
 * @see rekor-v1 §7.2
 */
export async function parseKeyRing(bytes: Uint8Array): Promise<readonly Entity[]> {
  if (bytes.length < BEGIN_PGP.length) {
    throw new LogError('invalid_request', 'unable to read PGP public key: EOF')
  }
  if (bytes.length > MAX_KEY_RING_BYTES) {
    throw new LogError('invalid_request', `PGP public key over ${MAX_KEY_RING_BYTES} bytes`)
  }
  const check = limitedCheck()
  const entities: Entity[] = []
  if (startsWith(bytes, BEGIN_PGP)) {
    for (const block of armoredBlocks(bytes)) {
      entities.push(
        ...(await readRing(() => block.decode(), check, 'error reading PGP public key'))
      )
    }
  } else {
    entities.push(...(await readRing(() => bytes, check, 'error reading binary PGP public key')))
  }
  assertPublic(entities)
  return entities
}

/** The armored blocks, each ending with the first line that looks like an end. */
function* armoredBlocks(bytes: Uint8Array): Generator<ArmorBlock, void> {
  let lines: string[] = []
  for (const line of splitLines(bytes)) {
    lines.push(line)
    if (!line.startsWith(END_PGP)) continue
    const block = findArmor(lines)
    if (block === undefined) {
      throw new LogError('invalid_request', 'invalid PGP public key provided: EOF')
    }
    if (block.type !== PUBLIC_KEY_BLOCK && block.type !== PRIVATE_KEY_BLOCK) {
      throw new LogError('invalid_request', 'invalid PGP type detected')
    }
    yield block
    lines = []
  }
}

type Check = typeof checkSignature

function limitedCheck(): Check {
  let left = MAX_SIGNATURE_CHECKS
  return async (key, signature, signed) => {
    if (left-- === 0) {
      throw new LogError(
        'invalid_request',
        `openpgp: more than ${MAX_SIGNATURE_CHECKS} self-signatures`
      )
    }
    await checkSignature(key, signature, signed)
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return equalBytes(bytes.subarray(0, text.length), encodeUtf8(text))
}

async function readRing(ring: () => Uint8Array, check: Check, label: string): Promise<Entity[]> {
  try {
    return await readEntities(createPacketSource(splitPackets(ring())), check)
  } catch (err) {
    throw labelled(label, err)
  }
}

async function readEntities(source: PacketSource, check: Check): Promise<Entity[]> {
  const entities: Entity[] = []
  let lastFailure: LogError | undefined
  for (;;) {
    try {
      const entity = await readEntity(source, check)
      if (entity === undefined) break
      entities.push(entity)
    } catch (err) {
      if (!isStructuralFailure(err)) throw err
      lastFailure = err
      skipToNextKey(source)
    }
  }
  if (entities.length === 0 && lastFailure !== undefined) throw lastFailure
  return entities
}

/** Malformed packets on the way end the reading of the whole ring, as they do in Rekor. */
function skipToNextKey(source: PacketSource): void {
  for (let packet = source.next(); packet !== undefined; packet = source.next()) {
    if (packet.kind === 'key' && !packet.isSubkey && !packet.isSecret) {
      source.unread(packet)
      return
    }
  }
}

const ENCRYPTION_FLAGS = 0x0c

/**
 * Refuses an exported secret key. Rekor compares the number of keys with the number of secret subkeys for encryption,
 * so a secret key without exactly one of these passes; of it, too, only the public part is kept.
 */
function assertPublic(entities: readonly Entity[]): void {
  const decryptionKeys = entities
    .flatMap((entity) => entity.subkeys)
    .filter(
      ({ isSecret, binding }) => isSecret && ((binding.keyFlags ?? 0) & ENCRYPTION_FLAGS) !== 0
    )
  if (entities.length === decryptionKeys.length) {
    throw new LogError('invalid_request', 'no PGP public keys could be read')
  }
}

/** E-mail addresses of the user IDs, in order, repetitions kept. */
export function emailsOf(entities: readonly Entity[]): readonly string[] {
  return entities
    .flatMap((entity) => entity.identities)
    .map((identity) => emailOfUserId(identity.userId))
    .filter(isEmail)
}
