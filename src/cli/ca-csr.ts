import { writeFileSync } from 'node:fs'
import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import { storeKey } from '../config/key-files.js'
import { readAuthorityPassphrase } from '../config/secrets.js'
import { encodePem } from '../encoding/pem.js'
import { LogError } from '../errors.js'
import { generateSigningKey } from '../keys/local-signer.js'
import { buildCertificateRequest } from '../x509/ca-certificate.js'
import { type Command, EXIT } from './command.js'

export const caCsrCommand: Command = {
  description:
    'Makes a new issuing key in the data directory and a PKCS#10 request for a certificate of it, to be signed where the\n' +
    'root is kept: as an intermediate with basicConstraints CA (pathlen 0), keyUsage keyCertSign and cRLSign,\n' +
    'extendedKeyUsage codeSigning, and a subject key identifier. What comes back goes to sigstead ca import-chain. Until\n' +
    'then nothing changes; a server may be running.',
  flags: [
    {
      name: 'out',
      value: 'FILE',
      meaning: 'Write the request there instead of to standard output.'
    }
  ],
  config: 'all',
  run: async ({ loadConfig, flags, print, note }) => {
    const config = loadConfig()
    const paths = dataPaths(config.dataDir)
    assertLogDirectory(paths)
    const { organization, commonName, keyAlgorithm } = config.ca
    const privateKey = await generateSigningKey(keyAlgorithm)
    const { signer, keyName } = storeKey(
      paths.keys,
      'ca',
      privateKey,
      readAuthorityPassphrase(config)
    )
    const { der } = await buildCertificateRequest({ subject: { organization, commonName }, signer })
    const pem = encodePem('CERTIFICATE REQUEST', der)
    const keyFile = `${paths.keys}/${keyName}`
    const out = flags.get('out')
    if (out === undefined) {
      note(`made key ${keyFile}`)
      print(pem, { keyFile, request: pem })
      return EXIT.ok
    }
    try {
      writeFileSync(out, pem, { flag: 'wx' })
    } catch (err) {
      const { code = 'unknown error' } = err as NodeJS.ErrnoException
      throw new LogError('invalid_request', `${out} cannot be written: ${code}`, { cause: err })
    }
    print(`made key ${keyFile}\nrequest in ${out}`, { keyFile, requestFile: out })
    return EXIT.ok
  }
}
