import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeHex } from '../encoding/hex.js'
import { createLocalSigner, exportPrivateKeyPem, generateLogKey } from '../keys/local-signer.js'
import type { Signer } from '../keys/signer.js'
import { hashData } from '../keys/verify.js'

/** Digits of the log ID in the name of a key file: enough to tell keys apart by eye. */
const NAME_DIGITS = 16

export interface NewLogKey {
  readonly signer: Signer
  /** Name of the file in the key folder. */
  readonly keyName: string
}

/**
 * Makes a log key and its file (PKCS#8, mode 0600, encrypted where there is a passphrase). On the disk, file and
 * name, before it returns: nothing may ever be signed by a key that a power cut can take away.
 *
 * @param keysFolder is made (mode 0700) where it does not exist
 */
export async function createLogKey(
  keysFolder: string,
  passphrase: string | undefined
): Promise<NewLogKey> {
  const privateKey = await generateLogKey()
  const signer = createLocalSigner(privateKey)
  const logId = encodeHex(hashData('sha256', signer.publicKey))
  const keyName = `rekor-${logId.slice(0, NAME_DIGITS)}.pem`
  mkdirSync(keysFolder, { recursive: true, mode: 0o700 })
  writeDurably(join(keysFolder, keyName), exportPrivateKeyPem(privateKey, passphrase), 0o600)
  syncFolder(keysFolder)
  return { signer, keyName }
}

/** Makes a file that must not exist, and waits until its content is on the disk. */
export function writeDurably(fileName: string, text: string, mode: number): void {
  const descriptor = openSync(fileName, 'wx', mode)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Waits until the names in a folder are on the disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
