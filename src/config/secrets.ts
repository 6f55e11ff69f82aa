import type { KeyObject } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { LogError, isLogError } from '../errors.js'
import { importPrivateKeyPem, importSigningKeyPem } from '../keys/local-signer.js'
import { createBatchSigner } from '../keys/native-signer.js'
import type { Signer } from '../keys/signer.js'
import type { DataPaths } from './data-dir.js'
import type { Config } from './schema.js'

/** Far above any passphrase or key; a mistyped path must not read a disk image. */
const MAX_SECRET_BYTES = 64 * 1024

/** Permission bits that let group or others do anything. */
const OTHERS = 0o077

/** Where a passphrase may come from. */
export type PassphraseConfig = Pick<Config['log'], 'keyPassphrase' | 'keyPassphraseFile'>

/** Passphrase of the issuing key: its own, or that of the logs. @throws LogError as readPassphrase */
export function readAuthorityPassphrase({
  ca,
  log
}: Pick<Config, 'ca' | 'log'>): string | undefined {
  return readPassphrase(ca) ?? readPassphrase(log)
}

/**
 * Passphrase of keys, from the file or from the environment.
 *
 * @returns undefined when none is configured
 * @throws LogError `invalid_request` when the file cannot be read or is empty
 */
export function readPassphrase({
  keyPassphrase,
  keyPassphraseFile
}: PassphraseConfig): string | undefined {
  if (keyPassphraseFile === undefined) return keyPassphrase
  // No look at its mode: container secrets are commonly mounted readable to all of the container.
  const { text } = readSecret(keyPassphraseFile, 'passphrase file')
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') {
    throw new LogError('invalid_request', `passphrase file ${keyPassphraseFile} is empty`)
  }
  return passphrase
}

/** A kind of key as messages speak of it. */
interface KeyKind {
  readonly title: string
  /** How to say where its passphrase is. */
  readonly passphraseHint: string
  /** Reads what is in the file. */
  readonly read: (pem: string, passphrase: string | undefined) => KeyObject
}

const LOG_KEY: KeyKind = {
  title: 'log key',
  passphraseHint: 'set SIGSTEAD_LOG_KEY_PASSPHRASE_FILE',
  read: importPrivateKeyPem
}

const ISSUING_KEY: KeyKind = {
  title: 'issuing key',
  passphraseHint: 'set SIGSTEAD_CA_KEY_PASSPHRASE_FILE',
  read: importSigningKeyPem
}

const CARRIED_KEY: KeyKind = {
  title: 'key',
  passphraseHint: 'give --key-passphrase FILE',
  read: importPrivateKeyPem
}

/**
 * Signer of a log's private key in a PKCS#8 PEM file.
 *
 * @throws LogError `invalid_request` with a sentence that says what to do: file missing, readable by others, passphrase
 *   missing or wrong; `unsupported` for a key that is not ECDSA P-256
 */
export function readSigner(keyFile: string, passphrase: string | undefined): Signer {
  return readKey(keyFile, passphrase, LOG_KEY)
}

/**
 * Signer of a key of a TUF role that a command is given.
 * @throws LogError as readSigner
 */
export function readCarriedSigner(keyFile: string, passphrase: string | undefined): Signer {
  return readKey(keyFile, passphrase, CARRIED_KEY)
}

/**
 * Signer of the key file that a tree names.
 * @param keyName a bare file name, as the database has it
 * @throws LogError as readSigner
 */
export function readTreeSigner(
  { keys }: Pick<DataPaths, 'keys'>,
  { keyName }: { readonly keyName: string },
  passphrase: string | undefined
): Signer {
  return readSigner(join(keys, bareName(keyName)), passphrase)
}

/**
 * Signer of the key file that the record of an authority names.
 * @throws LogError as readSigner, for the kinds of key an authority may have
 */
export function readIssuingSigner(
  { keys }: Pick<DataPaths, 'keys'>,
  { keyName }: { readonly keyName: string },
  passphrase: string | undefined
): Signer {
  return readKey(join(keys, bareName(keyName)), passphrase, ISSUING_KEY)
}

function bareName(keyName: string): string {
  if (basename(keyName) !== keyName || keyName.startsWith('.')) {
    throw new LogError('integrity', `the database names a key file "${keyName}" outside its folder`)
  }
  return keyName
}

function readKey(keyFile: string, passphrase: string | undefined, kind: KeyKind): Signer {
  const { title, passphraseHint } = kind
  const { text, mode } = readSecret(keyFile, title)
  if ((mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0')
    throw new LogError(
      'invalid_request',
      `${title} ${keyFile} is open to other users (mode ${octal}): run chmod 600 ${keyFile}, ` +
        `and if somebody may have read it, rotate to a new key`
    )
  }
  try {
    return createBatchSigner(kind.read(text, passphrase))
  } catch (err) {
    if (!isLogError(err)) throw err
    const hint =
      passphrase === undefined && err.message.includes('encrypted') ? `; ${passphraseHint}` : ''
    throw new LogError(err.code, `${title} ${keyFile}: ${err.message}${hint}`, { cause: err })
  }
}

/** Mode and content through one descriptor, so that both are of the same file. */
function readSecret(
  fileName: string,
  what: string
): { readonly text: string; readonly mode: number } {
  let descriptor: number
  try {
    descriptor = openSync(fileName, 'r')
  } catch (err) {
    throw unreadable(fileName, what, err)
  }
  try {
    const { mode, size } = fstatSync(descriptor)
    if (size > MAX_SECRET_BYTES) {
      throw new LogError(
        'invalid_request',
        `${what} ${fileName} is larger than ${MAX_SECRET_BYTES} bytes`
      )
    }
    return { text: readFileSync(descriptor, 'utf8'), mode }
  } catch (err) {
    if (isLogError(err)) throw err
    throw unreadable(fileName, what, err)
  } finally {
    closeSync(descriptor)
  }
}

function unreadable(fileName: string, what: string, cause: unknown): LogError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  const why =
    code === 'ENOENT'
      ? 'does not exist: restore it from your backup'
      : `cannot be read: ${code === 'EACCES' ? 'permission denied' : code}`
  return new LogError('invalid_request', `${what} ${fileName} ${why}`, { cause })
}
