import type { KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeHex } from '../encoding/hex.js'
import { createLocalSigner, exportPrivateKeyPem, generateLogKey } from '../keys/local-signer.js'
import type { Signer } from '../keys/signer.js'
import { hashData } from '../keys/verify.js'

/** Hex digits of the key's hash in the name of its file: enough to tell keys apart by eye. */
const NAME_DIGITS = 16

/** Who signs with a key: the first word in the name of its file. */
export type KeyOwner =
  | 'rekor'
  | 'ct'
  | 'ca'
  | 'tsa'
  | 'tsa-root'
  | 'tuf-root'
  | 'tuf-targets'
  | 'tuf-snapshot'
  | 'tuf-timestamp'

export interface StoredKey {
  readonly signer: Signer
  /** Name of the file in the key folder. */
  readonly keyName: string
}

/**
 * Name of the file of a key: its owner and the first digits of the SHA-256 of its SubjectPublicKeyInfo (for a log: of its
 * log ID). So whoever has a certificate finds the key.
 */
export function keyNameOf(owner: KeyOwner, publicKey: Uint8Array): string {
  return `${owner}-${encodeHex(hashData('sha256', publicKey)).slice(0, NAME_DIGITS)}.pem`
}

/** Makes the key of a log, ECDSA P-256, and its file: see storeKey. */
export async function createLogKey(
  keysFolder: string,
  owner: KeyOwner,
  passphrase: string | undefined
): Promise<StoredKey> {
  return storeKey(keysFolder, owner, await generateLogKey(), passphrase)
}

/**
 * Writes the file of a new key (PKCS#8, mode 0600, encrypted where there is a passphrase). On the disk, file and name,
 * before it returns: nothing may ever be signed by a key that a power cut can take away.
 *
 * @param keysFolder is made (mode 0700) where it does not exist
 */
export function storeKey(
  keysFolder: string,
  owner: KeyOwner,
  privateKey: KeyObject,
  passphrase: string | undefined
): StoredKey {
  const signer = createLocalSigner(privateKey)
  const keyName = keyNameOf(owner, signer.publicKey)
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
