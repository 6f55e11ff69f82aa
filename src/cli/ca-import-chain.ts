import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { activate, loadAuthorityState, saveAuthorityState } from '../store/authority-records.js'
import { assertLogDirectory, type DataPaths, dataPaths } from '../config/data-dir.js'
import { keyNameOf, type StoredKey, storeKey } from '../config/key-files.js'
import type { Config } from '../config/schema.js'
import { readAuthorityPassphrase, readIssuingSigner, readPassphrase } from '../config/secrets.js'
import { encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import { createLocalSigner } from '../keys/local-signer.js'
import { readPrivateKeyFile } from '../keys/private-key-file.js'
import { hashData } from '../keys/verify.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { checkIssuingChain, parseCertificateChainPem } from '../x509/issuing-chain.js'
import { type Command, type CommandCall, EXIT } from './command.js'

export const caImportChainCommand: Command = {
  description:
    'FILE holds a chain in PEM, the issuing certificate first and the root last. Its key is one that sigstead ca csr made,\n' +
    'or, with --key, that of an authority that moves here: PEM in any form Fulcio takes. From the next start on it\n' +
    'issues; the authority before stays known, and its root accepted by the certificate log. Stop the server first.',
  positionals: ['FILE'],
  flags: [
    { name: 'key', value: 'FILE', meaning: 'Private key of an authority from elsewhere.' },
    { name: 'key-passphrase', value: 'FILE', meaning: 'Its passphrase, in a file.' }
  ],
  config: 'all',
  run: async (call) => {
    const { loadConfig, positionals, print, world } = call
    const config = loadConfig()
    const paths = dataPaths(config.dataDir)
    assertLogDirectory(paths)
    const [fileName = ''] = positionals
    const certificates = parseCertificateChainPem(readText(fileName))
    const [issuing] = certificates
    if (issuing === undefined) throw new LogError('invalid_request', `${fileName} is empty`)
    const nowSeconds = Math.floor(world.now() / 1000)
    await checkIssuingChain(certificates, {
      publicKey: issuing.publicKey.spki,
      atSeconds: nowSeconds
    })
    // Refuses while a server runs: one process writes.
    const database = await openDatabase({ path: paths.database, mode: 'write' })
    try {
      const { signer, keyName } = await keyOf(issuing.publicKey.spki, paths, config, call)
      const chain = await checkIssuingChain(certificates, {
        publicKey: signer.publicKey,
        atSeconds: nowSeconds
      })
      const stored = await loadAuthorityState(database.register, 'ca')
      const next = activate(stored.authorities, { keyName, chain: chain.pem }, nowSeconds)
      await saveAuthorityState(database.register, stored, next)
      const fingerprint = encodeHex(hashData('sha256', issuing.der))
      print(
        [
          `issues from the next start on: ${fingerprint}`,
          `chain of ${chain.pem.length}, valid until ${new Date(chain.notAfterSeconds * 1000).toISOString()}`,
          `key file ${paths.keys}/${keyName} (back it up)`
        ].join('\n'),
        { fingerprint, keyName, certificates: chain.pem.length }
      )
      return EXIT.ok
    } finally {
      await database.close()
    }
  }
}

/** The key of the chain: one that is here, or one that is brought along. */
async function keyOf(
  publicKey: Uint8Array,
  paths: DataPaths,
  config: Config,
  { flags }: CommandCall
): Promise<StoredKey> {
  const keyName = keyNameOf('ca', publicKey)
  const passphrase = readAuthorityPassphrase(config)
  const isHere = existsSync(join(paths.keys, keyName))
  if (isHere) return { keyName, signer: readIssuingSigner(paths, { keyName }, passphrase) }
  const keyFile = flags.get('key')
  if (keyFile === undefined) {
    throw new LogError(
      'invalid_request',
      `there is no key for the first certificate: ${join(paths.keys, keyName)} does not exist. Give --key FILE, or ` +
        'check that the issuing certificate comes first and was made from a request of sigstead ca csr'
    )
  }
  const keyPassphrase = readPassphrase({
    keyPassphraseFile: flags.get('key-passphrase'),
    keyPassphrase: undefined
  })
  const privateKey = await readPrivateKeyFile(readText(keyFile), keyPassphrase)
  if (keyNameOf('ca', createLocalSigner(privateKey).publicKey) !== keyName) {
    throw new LogError(
      'invalid_request',
      `${keyFile} is not the key of the first certificate: public keys are not equal`
    )
  }
  return storeKey(paths.keys, 'ca', privateKey, passphrase)
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8')
  } catch (err) {
    const { code = 'unknown error' } = err as NodeJS.ErrnoException
    throw new LogError('invalid_request', `${fileName} cannot be read: ${code}`, { cause: err })
  }
}
