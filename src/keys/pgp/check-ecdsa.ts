import { createVerify } from 'node:crypto'

import {
  DER_TAG,
  encodeBitString,
  encodeDer,
  encodeOid,
  encodeSequence
} from '../../encoding/der.js'
import { concatBytes } from '../../encoding/bytes.js'
import { LogError } from '../../errors.js'
import type { Curve } from './algorithms.js'
import { createByteReader } from './byte-reader.js'
import { keyFieldsOffset, readEcdsaFields, type PublicKeyPacket } from './public-key-packet.js'
import { hashedPieces } from './signature-hash.js'
import type { SignaturePacket } from './signature-packet.js'

const EC_PUBLIC_KEY = '1.2.840.10045.2.1'

/**
 * Checks an ECDSA signature. With node:crypto, because the library has neither the Brainpool curves nor secp256k1 outside
 * of browsers, and takes signatures over digests that some of its older releases had cut short.
 *
 * @throws LogError `verification_failed`
 */
export function checkEcdsa(
  key: PublicKeyPacket,
  signature: SignaturePacket,
  signed: Uint8Array
): void {
  const fields = createByteReader(key.body.subarray(keyFieldsOffset(key.version)))
  const { curve, objectId, point } = readEcdsaFields(fields)
  const verifier = createVerify(signature.hashName)
  for (const piece of hashedPieces(signature, signed)) verifier.update(piece)
  const keyInfo = encodeSequence(
    encodeSequence(encodeOid(EC_PUBLIC_KEY), encodeDer(DER_TAG.oid, objectId)),
    encodeBitString(point)
  )
  const isGood = verifier.verify(
    { key: Buffer.from(keyInfo), format: 'der', type: 'spki', dsaEncoding: 'ieee-p1363' },
    readSignature(signature, curve)
  )
  if (!isGood) throw new LogError('verification_failed', 'wrong signature')
}

/** Both integers of the signature in as many bytes as the order of the curve has. */
function readSignature({ fields }: SignaturePacket, curve: Curve): Uint8Array {
  const reader = createByteReader(fields)
  const size = (curve.pointLength - 1) / 2
  return concatBytes(paddedTo(size, reader.mpi()), paddedTo(size, reader.mpi()))
}

function paddedTo(size: number, integer: Uint8Array): Uint8Array {
  const first = integer.findIndex((byte) => byte !== 0)
  const digits = integer.subarray(first < 0 ? integer.length : first)
  if (digits.length > size) throw new LogError('verification_failed', 'number above the order')
  const padded = new Uint8Array(size)
  padded.set(digits, size - digits.length)
  return padded
}
