import { LogError } from '../errors.js'
import { digestCheckOf, verifyDigests } from './jar-digests.js'
import { type Manifest, parseManifest } from './jar-manifest.js'
import { zipNameText } from './zip-directory.js'

/**
 * Checks what a signature file says of the manifest: the digest of all of it, or else those of its main section and of every
 * section the signature file names.
 *
 * @param signatureFile bytes of the `.SF` file
 * @param manifestBytes of which `manifest` was read
 * @throws LogError `verification_failed` when they do not fit; `invalid_request` when malformed; `unsupported` for a hash function
 * @see JAR File Specification, "Signature Validation"; rekor-v1 §8.7
 */
export function verifySignatureFile(
  signatureFile: Uint8Array,
  manifest: Manifest,
  manifestBytes: Uint8Array
): void {
  const { main, sections } = parseManifest(signatureFile)
  const whole = digestCheckOf(main.attributes, '-manifest', 'manifest signature')
  if (whole !== undefined) {
    whole.update(manifestBytes)
    whole.assertMatch()
    return
  }
  verifyDigests(
    main.attributes,
    '-manifest-main-attributes',
    'manifest main attributes signature',
    manifest.main.bytes
  )
  const signed = new Map(manifest.sections.map(({ name, bytes }) => [name, bytes]))
  for (const { name, attributes } of sections) {
    const bytes = signed.get(name)
    const text = zipNameText(name)
    if (bytes === undefined) {
      throw new LogError('verification_failed', `manifest is missing signed section "${text}"`)
    }
    verifyDigests(attributes, '', `manifest signature over section "${text}"`, bytes)
  }
}
