import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createLogKey, syncFolder, writeDurably } from '../config/key-files.js'
import { encodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'

/** A key of a TUF role that does not lie in the data directory. */
export interface CarriedKey {
  readonly signer: Signer
  readonly keyFile: string
  /** Beside it, PEM: what rotate tuf-… takes. */
  readonly publicKeyFile: string
}

/** Makes a key and its files: the private one mode 0600, the public one for everybody. */
export async function makeCarriedKey(
  folder: string,
  role: 'root' | 'targets',
  passphrase: string | undefined
): Promise<CarriedKey> {
  const { signer, keyName } = await createLogKey(folder, `tuf-${role}`, passphrase)
  const keyFile = join(folder, keyName)
  const publicKeyFile = keyFile.replace(/\.pem$/, '.pub')
  writeDurably(publicKeyFile, encodePem('PUBLIC KEY', signer.publicKey), 0o644)
  syncFolder(folder)
  return { signer, keyFile, publicKeyFile }
}

/**
 * Makes a folder for such keys (mode 0700) where there is none.
 *
 * @returns names of what is in it
 * @throws LogError `conflict` when it cannot be
 */
export function prepareKeyFolder(folder: string): readonly string[] {
  const path = resolve(folder)
  try {
    // In two steps: Node 20 loops for ever over a recursive one where not even root may (/proc).
    mkdirSync(dirname(path), { recursive: true })
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
    return readdirSync(path)
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('conflict', `${folder} cannot be a folder for keys: ${code}`, { cause: err })
  }
}
