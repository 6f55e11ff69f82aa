import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { keyNameOf } from '../config/key-files.js'
import { readAuthorityPassphrase, readIssuingSigner } from '../config/secrets.js'
import { LogError } from '../errors.js'
import type { NewAuthority } from '../store/authority-records.js'
import { checkIssuingChain, parseCertificateChainPem } from '../x509/issuing-chain.js'
import type { Site } from './site.js'

/**
 * An authority whose chain was signed elsewhere, for a key of `ca csr`.
 *
 * @throws LogError `invalid_request` when there is no such key here; as checkIssuingChain
 */
export async function importedAuthority(
  { config, paths, world }: Pick<Site, 'config' | 'paths' | 'world'>,
  chainPem: string
): Promise<NewAuthority> {
  const certificates = parseCertificateChainPem(chainPem)
  const [issuing] = certificates
  const publicKey = issuing?.publicKey.spki ?? new Uint8Array()
  const keyName = keyNameOf('ca', publicKey)
  if (!existsSync(join(paths.keys, keyName))) {
    throw new LogError(
      'invalid_request',
      `there is no key for the first certificate: ${join(paths.keys, keyName)} does not exist. Check that the issuing ` +
        'certificate comes first and was made from a request of sigstead ca csr'
    )
  }
  const signer = readIssuingSigner(paths, { keyName }, readAuthorityPassphrase(config))
  const atSeconds = Math.floor(world.now() / 1000)
  const chain = await checkIssuingChain(certificates, { publicKey: signer.publicKey, atSeconds })
  return { keyName, chain: chain.pem }
}
