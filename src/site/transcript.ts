import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatUtcTime } from '../encoding/utc-time.js'
import { keyNameOf, syncFolder, writeDurably } from '../config/key-files.js'
import { readVersion } from '../config/version.js'
import { encodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import { hashData } from '../keys/verify.js'
import { loadAuthorityState } from '../store/authority-records.js'
import { TUF_ROLES } from '../tuf/contract.js'
import { tufKeyId } from '../tuf/keys.js'
import { readRoot } from '../tuf/roles.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import { readSubjectNames } from '../x509/subject-name.js'
import type { Site } from './site.js'
import { loadRepository } from './tuf-repository.js'

/**
 * What there is after keys were made, as a text to print, sign and put into a safe: every key by its fingerprint and file,
 * every certificate, the root of the TUF repository. Nothing in it is secret.
 *
 * @param keyFolders where keys lie that are not in the data directory, by role
 */
export async function describeSite(
  { config, paths, database, world }: Site,
  keyFolders: Readonly<Record<string, string>>
): Promise<string> {
  const lines = [
    'Transcript of sigstead init',
    '',
    `Time            ${formatUtcTime(Math.floor(world.now() / 1000))}`,
    `Version         sigstead ${readVersion()}, Node.js ${process.version}`,
    `Data directory  ${resolve(paths.root)}`,
    `Public URL      ${config.publicUrl}`,
    '',
    'All fingerprints are SHA-256, in hex: of a key over its SubjectPublicKeyInfo, of a certificate over its DER. The key id is',
    'what TUF calls a key: SHA-256 over its JSON in root.json.'
  ]
  for (const [log, title] of [
    ['rekor', 'Transparency log'],
    ['ct', 'Certificate log']
  ] as const) {
    for (const tree of await database.trees(log)) {
      lines.push(
        '',
        `${title}, tree ${tree.treeId}${tree.state === 'active' ? '' : ' (closed)'}`,
        `  origin       ${tree.origin}`,
        `  log ID       ${fingerprint(tree.publicKey)}`,
        `  key file     ${keyFile(paths.keys, tree.keyName)}`
      )
    }
  }
  for (const [owner, title] of [
    ['ca', 'Certificate authority'],
    ['tsa', 'Timestamp authority']
  ] as const) {
    const { authorities } = await loadAuthorityState(database.register, owner)
    for (const { chain, keyName } of authorities) {
      lines.push('', title, `  key file     ${keyFile(paths.keys, keyName)}`)
      for (const certificate of parseCertificateChainPem(chain.join(''))) {
        const { organization, commonName } = readSubjectNames(certificate.subject)
        lines.push(
          `  certificate  O=${organization ?? ''}, CN=${commonName ?? ''}`,
          `    valid      ${formatUtcTime(certificate.notBeforeSeconds)} to ${formatUtcTime(certificate.notAfterSeconds)}`,
          `    SHA-256    ${fingerprint(certificate.der)}`,
          `    key        ${fingerprint(certificate.publicKey.spki)}`
        )
        const rootKey = keyNameOf('tsa-root', certificate.publicKey.spki)
        if (existsSync(join(paths.keys, rootKey))) {
          lines.push(`    key file   ${keyFile(paths.keys, rootKey)}`)
        }
      }
    }
  }
  const stored = await loadRepository(database.register)
  const root = stored?.repository.roots.at(-1)
  if (root !== undefined) {
    const { version, expires, roles } = readRoot(root)
    lines.push(
      '',
      `TUF repository, root version ${version}, good until ${expires}`,
      `  SHA-256 of root.json  ${fingerprint(encodeUtf8(root))}`
    )
    for (const role of TUF_ROLES) {
      const { publicKeys, threshold } = roles[role]
      lines.push(`  role ${role}: ${threshold} of ${publicKeys.length} must sign`)
      for (const key of publicKeys) {
        lines.push(
          `    key        ${fingerprint(key)}`,
          `      key id   ${tufKeyId(key)}`,
          `      file     ${keyFile(keyFolders[role] ?? paths.keys, keyNameOf(`tuf-${role}`, key))}`
        )
      }
    }
  }
  return `${lines.join('\n')}\n`
}

/** Writes a transcript into a folder of its own. @returns its path */
export function writeTranscript(folder: string, text: string, nowMs: number): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stamp = new Date(nowMs).toISOString().replace(/[:.]/g, '-')
  const path = join(folder, `init-${stamp}.txt`)
  writeDurably(path, text, 0o600)
  syncFolder(folder)
  return path
}

/** Whole path, where there is such a file. */
function keyFile(folder: string, keyName: string): string {
  const path = resolve(folder, keyName)
  return existsSync(path) ? path : `${keyName}, not here`
}

function fingerprint(bytes: Uint8Array): string {
  return encodeHex(hashData('sha256', bytes))
}
