import { digestCheckOf, noDigests } from '../../archive/jar-digests.js'
import { findJarSignature } from '../../archive/jar-files.js'
import { type Manifest, parseManifest } from '../../archive/jar-manifest.js'
import { verifySignatureFile } from '../../archive/jar-signature-file.js'
import { readZipDirectory, type ZipMember, zipNameText } from '../../archive/zip-directory.js'
import { assertUnpackedSize, readWholeZipMember, readZipMember } from '../../archive/zip-member.js'
import { LogError } from '../../errors.js'
import { verifyPkcs7 } from '../../x509/pkcs7-verification.js'
import { parsePkcs7, type Pkcs7 } from '../../x509/pkcs7.js'

/**
 * Verifies a signed JAR file: the one signature over its signature file, what that says of the manifest, and the digests the
 * manifest has of files. Files it does not list may be there. No certificate is believed or disbelieved.
 *
 * @param maxMetadataBytes see findJarSignature
 * @returns the signature block
 * @throws LogError `invalid_request`, `verification_failed`, `unsupported`
 * @see rekor-v1 §8.7
 */
export async function verifySignedJar(
  archive: Uint8Array,
  maxMetadataBytes: number
): Promise<Pkcs7> {
  const members = readZipDirectory(archive)
  const files = findJarSignature(members, maxMetadataBytes)
  assertUnpackedSize(members, archive.length)
  const manifestBytes = await readWholeZipMember(files.manifest, maxMetadataBytes)
  const signatureFile = await readWholeZipMember(files.signatureFile, maxMetadataBytes)
  const block = await readWholeZipMember(files.signatureBlock, maxMetadataBytes)
  // In DER only: in PEM it would be one for Rekor's canonical form, but not for its verification.
  const pkcs7 = parsePkcs7(block)
  await verifyPkcs7(pkcs7, signatureFile)
  const manifest = parseManifest(manifestBytes)
  verifySignatureFile(signatureFile, manifest, manifestBytes)
  await verifyContents(members, manifest)
  return pkcs7
}

/** Checks every file the manifest lists. Those marked as magic have digests of another kind, and are passed over. */
async function verifyContents(members: readonly ZipMember[], manifest: Manifest): Promise<void> {
  const byName = new Map(members.map((member) => [member.name, member]))
  for (const { name, attributes } of manifest.sections) {
    if ((attributes.get('magic') ?? '') !== '') continue
    const member = byName.get(name)
    const text = zipNameText(name)
    if (member === undefined) {
      throw new LogError('verification_failed', `file ${text} is in manifest but not JAR`)
    }
    const where = `file "${text}" in MANIFEST.MF`
    const check = digestCheckOf(attributes, '', where)
    if (check === undefined) throw noDigests(where)
    await readZipMember(member, (piece) => {
      check.update(piece)
    })
    check.assertMatch()
  }
}
