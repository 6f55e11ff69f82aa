import { bytesOf, firstInteger, firstText, type RpmHeader } from '../../archive/rpm-header.js'
import { HEADER_TAG, SIGNATURE_TAG, type RpmPackage } from '../../archive/rpm.js'
import { encodeHex } from '../../encoding/hex.js'
import { LogError } from '../../errors.js'

/**
 * What the leaf tells about a package. The digests of newer packages are left out on purpose: Rekor does, and with them
 * the leaf would be another.
 *
 * @throws LogError `invalid_request` when the package lacks one of its names
 */
export function packageHeaders({
  header,
  signatureHeader
}: RpmPackage): Readonly<Record<string, string>> {
  const md5 = bytesOf(signatureHeader, SIGNATURE_TAG.md5)
  return {
    Name: requiredText(header, HEADER_TAG.name),
    Epoch: String(firstInteger(header, HEADER_TAG.epoch) ?? 0n),
    Version: requiredText(header, HEADER_TAG.version),
    Release: requiredText(header, HEADER_TAG.release),
    Architecture: requiredText(header, HEADER_TAG.architecture),
    ...(md5 === undefined ? {} : { RPMSIGTAG_MD5: encodeHex(md5) })
  }
}

function requiredText(header: RpmHeader, tag: number): string {
  const text = firstText(header, tag)
  if (text === undefined) throw new LogError('invalid_request', `No such entry ${tag}`)
  return text
}
