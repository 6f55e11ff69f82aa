import { decodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { parsePublicKey, type PublicKey } from '../keys/public-key.js'
import { assertCtLogKey } from '../x509/ct-signature.js'
import { readTextFile } from './text-file.js'

/** Key of the log elsewhere that certificates are handed to. @throws LogError `invalid_request` naming the file */
export function readRemoteLogKey(fileName: string): PublicKey {
  const text = readTextFile('ca.ctLog.publicKeyFile', fileName)
  try {
    const block = decodePem(Buffer.from(text))?.block
    if (block?.type !== 'PUBLIC KEY') {
      throw new LogError('invalid_request', 'no PEM of a public key')
    }
    const key = parsePublicKey(block.bytes)
    assertCtLogKey(key)
    return key
  } catch (err) {
    throw new LogError(
      'invalid_request',
      `ca.ctLog.publicKeyFile ${fileName}: ${err instanceof Error ? err.message : String(err)}`,
      { cause: err }
    )
  }
}
