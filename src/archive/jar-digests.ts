import { createHash, type Hash } from 'node:crypto'
import { LogError } from '../errors.js'
import { zipNameText } from './zip-directory.js'
import type { ManifestAttributes } from './jar-manifest.js'

/** What the digests of a section are over: of a file or section, of the manifest, of its main section. */
export type DigestSubject = '' | '-manifest' | '-manifest-main-attributes'

/** Digests of one section while what they are over is read. */
export interface DigestCheck {
  update(piece: Uint8Array): void
  /** @throws LogError `verification_failed` when one is not that of what was read */
  assertMatch(): void
}

/** By name without its first hyphen, in lower case. MD5 proves nothing, but stands beside better ones in old archives. */
const HASHES: readonly string[] = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']

/**
 * All digests among the attributes of a section: those named `<hash>-Digest<subject>`. Each must be right.
 *
 * @param where what they are about, for the message
 * @returns undefined when there is none
 * @throws LogError `unsupported` when one is by an unknown hash function
 * @see JAR File Specification, "Signed JAR File"; rekor-v1 §8.7
 */
export function digestCheckOf(
  attributes: ManifestAttributes,
  subject: DigestSubject,
  where: string
): DigestCheck | undefined {
  const suffix = `-digest${subject}`
  const expected = [...attributes].filter(([name]) => name.endsWith(suffix))
  if (expected.length === 0) return undefined
  // One for each hash function, however many names it is written with.
  const hashes = new Map<string, Hash>()
  const digests = expected.map(([name, value]) => {
    const hash = name.slice(0, -suffix.length)
    const plain = hash.replace('-', '')
    if (!HASHES.includes(plain)) {
      const text = `unknown digest key in manifest: ${zipNameText(hash).toUpperCase()}`
      throw new LogError('unsupported', `${where}: ${text}`)
    }
    hashes.set(plain, hashes.get(plain) ?? createHash(plain))
    return { name, plain, value }
  })
  return {
    update(piece) {
      for (const hash of hashes.values()) hash.update(piece)
    },
    assertMatch() {
      const results = new Map([...hashes].map(([plain, hash]) => [plain, hash.digest('base64')]))
      for (const { name, plain, value } of digests) {
        const calculated = results.get(plain) as string // each has its hash
        if (calculated === value) continue
        throw new LogError(
          'verification_failed',
          `${where}: ${headerName(name)} mismatch: ` +
            `manifest ${zipNameText(value)} != calculated ${calculated}`
        )
      }
    }
  }
}

/** The same for what is there in one piece. @throws LogError as digestCheckOf and assertMatch; `invalid_request` without digests */
export function verifyDigests(
  attributes: ManifestAttributes,
  subject: DigestSubject,
  where: string,
  bytes: Uint8Array
): void {
  const check = digestCheckOf(attributes, subject, where)
  if (check === undefined) throw noDigests(where)
  check.update(bytes)
  check.assertMatch()
}

/** @param where as in digestCheckOf */
export function noDigests(where: string): LogError {
  return new LogError('invalid_request', `${where}: no recognized digests found`)
}

/** `sha-256-digest` as Rekor writes it: each part with a capital. */
function headerName(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}
