import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { LogError, isLogError } from '../errors.js'
import { createLocalSigner, importPrivateKeyPem } from '../keys/local-signer.js'
import type { Signer } from '../keys/signer.js'
import type { DataPaths } from './data-dir.js'
import type { Config } from './schema.js'

/** Far above any passphrase or key; a mistyped path must not read a disk image. */
const MAX_SECRET_BYTES = 64 * 1024

/** Permission bits that let group or others do anything. */
const OTHERS = 0o077

/**
 * Passphrase of the log key, from the file or from the environment.
 *
 * @returns undefined when none is configured
 * @throws LogError `invalid_request` when the file cannot be read or is empty
 */
export function readPassphrase({
  keyPassphrase,
  keyPassphraseFile
}: Config['log']): string | undefined {
  if (keyPassphraseFile === undefined) return keyPassphrase
  // No look at its mode: container secrets are commonly mounted readable to all of the container.
  const { text } = readSecret(keyPassphraseFile, 'passphrase file')
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') {
    throw new LogError('invalid_request', `passphrase file ${keyPassphraseFile} is empty`)
  }
  return passphrase
}

/**
 * Signer of a private key in a PKCS#8 PEM file.
 *
 * @throws LogError `invalid_request` with a sentence that says what to do: file missing, readable by others, passphrase
 *   missing or wrong; `unsupported` for a key that is not ECDSA P-256
 */
export function readSigner(keyFile: string, passphrase: string | undefined): Signer {
  const { text, mode } = readSecret(keyFile, 'log key')
  if ((mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0')
    throw new LogError(
      'invalid_request',
      `log key ${keyFile} is open to other users (mode ${octal}): run chmod 600 ${keyFile}, ` +
        `and if somebody may have read it, rotate to a new key`
    )
  }
  try {
    return createLocalSigner(importPrivateKeyPem(text, passphrase))
  } catch (err) {
    if (!isLogError(err)) throw err
    const hint =
      passphrase === undefined && err.message.includes('encrypted')
        ? '; set SIGSTEAD_LOG_KEY_PASSPHRASE_FILE'
        : ''
    throw new LogError(err.code, `log key ${keyFile}: ${err.message}${hint}`, { cause: err })
  }
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
  if (basename(keyName) !== keyName || keyName.startsWith('.')) {
    throw new LogError('integrity', `the database names a key file "${keyName}" outside its folder`)
  }
  return readSigner(join(keys, keyName), passphrase)
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
