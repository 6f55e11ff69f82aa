import { createHash } from 'node:crypto'
import { zipSync } from 'fflate'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import type { BootstrapContent } from './bootstrap-contract.js'
import { bootstrapReadme } from './bootstrap-readme.js'

/** The oldest time a zip file can hold. Its fields have no zone, and the library fills them with local time. */
const NO_TIME = new Date(1980, 0, 1)

/**
 * Everything in one zip file, to carry to where there is no network: the files, the TUF repository below `tuf/`, a README.txt,
 * and SHA256SUMS over all of these. Equal content gives equal bytes.
 */
export function zipBootstrap(content: BootstrapContent): Uint8Array {
  const files = new Map<string, Uint8Array>([
    ['README.txt', encodeUtf8(bootstrapReadme(content))],
    ...content.files.map(({ name, bytes }) => [name, bytes] as const),
    ...content.tuf.files.map(({ path, bytes }) => [`tuf/${path}`, bytes] as const)
  ])
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
  const sums = sorted.map(([path, bytes]) => `${sha256Hex(bytes)}  ${path}\n`).join('')
  return zipSync(Object.fromEntries([['SHA256SUMS', encodeUtf8(sums)], ...sorted]), {
    mtime: NO_TIME
  })
}

export function sha256Hex(bytes: Uint8Array): string {
  return encodeHex(createHash('sha256').update(bytes).digest())
}
