import { bytesOf } from '../../archive/rpm-header.js'
import { SIGNATURE_TAG, type RpmPackage } from '../../archive/rpm.js'
import { parseHeaderSignature, type HeaderSignature } from '../../keys/pgp/header-signature.js'

/** A signature in the package and the part of the package it is made over. */
export interface RpmSignature {
  readonly signature: HeaderSignature
  readonly signed: Uint8Array
}

/**
 * The OpenPGP signatures of a package, those over the header first. Newer kinds of signatures, in tags Rekor does not know,
 * are not among them.
 *
 * @throws LogError `unsupported` | `invalid_request`
 */
export function readRpmSignatures(rpm: RpmPackage): readonly RpmSignature[] {
  const { header, headerAndPayload } = rpm
  const places: readonly (readonly [tag: number, signed: Uint8Array])[] = [
    [SIGNATURE_TAG.rsa, header.bytes],
    [SIGNATURE_TAG.dsa, header.bytes],
    [SIGNATURE_TAG.pgp, headerAndPayload],
    [SIGNATURE_TAG.gpg, headerAndPayload]
  ]
  return places.flatMap(([tag, signed]) => {
    const bytes = bytesOf(rpm.signatureHeader, tag)
    return bytes === undefined ? [] : [{ signature: parseHeaderSignature(bytes), signed }]
  })
}
