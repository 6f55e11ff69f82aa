import { LogError } from '../errors.js'
import { minisignFormat } from '../keys/minisign.js'
import { pgpFormat } from '../keys/pgp/format.js'
import type { FormatKey, SignatureFormat } from '../keys/signature-format.js'
import { sshFormat } from '../keys/ssh.js'
import { x509Format } from '../x509/x509-format.js'
import { tufFormat } from './tuf/format.js'

/** The PKI formats this log knows, in the order Rekor names them. */
export const SIGNATURE_FORMATS: readonly SignatureFormat[] = [
  pgpFormat,
  minisignFormat,
  x509Format,
  sshFormat
]

/** Their names, for schemas. */
export const SIGNATURE_FORMAT_NAMES: readonly string[] = SIGNATURE_FORMATS.map(({ name }) => name)

/**
 * The format called `name`. Keys and signatures it parses are for its own `verify` only.
 * @throws LogError `unsupported`
 */
export function signatureFormat(name: string): SignatureFormat {
  const format = SIGNATURE_FORMATS.find((candidate) => candidate.name === name)
  if (format !== undefined) return format
  throw unknownFormat()
}

/** A format with keys that entries can be searched by. Of those that are no SignatureFormat there are only keys. */
export interface KeyFormat {
  readonly name: string
  /** @throws LogError */
  parseKey(bytes: Uint8Array): Promise<FormatKey>
}

const KEY_FORMATS: readonly KeyFormat[] = [...SIGNATURE_FORMATS, tufFormat]

/** What a search may name (rekor-v1 §9). */
export const KEY_FORMAT_NAMES: readonly string[] = KEY_FORMATS.map(({ name }) => name)

/** The format called `name`, of those with keys to search by. @throws LogError `unsupported` */
export function keyFormat(name: string): KeyFormat {
  const format = KEY_FORMATS.find((candidate) => candidate.name === name)
  if (format !== undefined) return format
  throw unknownFormat()
}

function unknownFormat(): LogError {
  return new LogError('unsupported', 'the PKI format requested is not supported by this server')
}
