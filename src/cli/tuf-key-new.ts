import { readPassphrase } from '../config/secrets.js'
import { makeCarriedKey, prepareKeyFolder } from './carried-key.js'
import { type Command, EXIT, UsageError } from './command.js'

export const tufKeyNewCommand: Command = {
  description:
    'Makes a key for the role root or targets that is to stay where it is made, such as on a USB stick or a machine without\n' +
    'network: a private key in FOLDER (PKCS#8, mode 0600), and its public key beside it, which rotate tuf-… takes.',
  positionals: ['FOLDER'],
  flags: [
    { name: 'role', value: 'ROLE', meaning: 'root or targets. Default: root.' },
    { name: 'key-passphrase', value: 'FILE', meaning: 'Passphrase to encrypt it with, in a file.' }
  ],
  run: async ({ flags, positionals, print }) => {
    const [folder = ''] = positionals
    const role = flags.get('role') ?? 'root'
    if (role !== 'root' && role !== 'targets') {
      throw new UsageError(`--role must be root or targets: ${role}`)
    }
    const passphrase = readPassphrase({
      keyPassphraseFile: flags.get('key-passphrase'),
      keyPassphrase: undefined
    })
    prepareKeyFolder(folder)
    const { keyFile, publicKeyFile } = await makeCarriedKey(folder, role, passphrase)
    print(
      [
        `private key  ${keyFile}${passphrase === undefined ? ' (not encrypted)' : ''}`,
        `public key   ${publicKeyFile}`
      ].join('\n'),
      { keyFile, publicKeyFile, encrypted: passphrase !== undefined }
    )
    return EXIT.ok
  }
}
