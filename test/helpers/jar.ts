import { createHash } from 'node:crypto'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { type SignerParts, signPkcs7 } from './pkcs7.js'
import { writeZip, type ZipEntry } from './zip.js'

/** A JAR file to order: every file left out is as `jarsigner` would write it. */
export interface JarParts {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly manifest?: string
  readonly signatureFile?: string
  readonly block?: Uint8Array
  readonly signer?: Omit<SignerParts, 'content'>
  readonly encapsulated?: boolean
  /** Whose name the signature has. */
  readonly alias?: string
  readonly extension?: string
  /** Members before and behind those that sign. */
  readonly before?: readonly ZipEntry[]
  readonly after?: readonly ZipEntry[]
  readonly without?: readonly string[]
  /** Changes of the members, by name. */
  readonly change?: Readonly<Record<string, Partial<ZipEntry>>>
}

export const JAR_FILES = { 'a/One.class': 'one', 'a/Two.class': 'two '.repeat(100) }

export function digest64(bytes: string | Uint8Array, hash = 'sha256'): string {
  return createHash(hash).update(bytes).digest('base64')
}

export function manifestOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const sections = Object.entries(files).map(
    ([name, content]) => `Name: ${name}\r\nSHA-256-Digest: ${digest64(content)}\r\n\r\n`
  )
  return `Manifest-Version: 1.0\r\nCreated-By: test\r\n\r\n${sections.join('')}`
}

export function signatureFileOf(manifest: string): string {
  return `Signature-Version: 1.0\r\nSHA-256-Digest-Manifest: ${digest64(manifest)}\r\n\r\n`
}

export function jarEntries(parts: JarParts = {}): readonly ZipEntry[] {
  const { files = JAR_FILES, alias = 'TEST', extension = 'EC' } = parts
  const manifest = parts.manifest ?? manifestOf(files)
  const signatureFile = parts.signatureFile ?? signatureFileOf(manifest)
  const block =
    parts.block ?? signPkcs7(encodeUtf8(signatureFile), parts.signer, parts.encapsulated)
  const entries: readonly ZipEntry[] = [
    ...(parts.before ?? []),
    { name: 'META-INF/MANIFEST.MF', content: manifest },
    { name: `META-INF/${alias}.SF`, content: signatureFile },
    { name: `META-INF/${alias}.${extension}`, content: block },
    ...Object.entries(files).map(([name, content]) => ({ name, content })),
    ...(parts.after ?? [])
  ]
  return entries
    .filter(({ name }) => parts.without?.includes(name) !== true)
    .map((entry) => ({ ...entry, ...parts.change?.[entry.name] }))
}

export function signedJar(parts: JarParts = {}): Uint8Array {
  return writeZip(jarEntries(parts))
}
