import { readAuthorityPassphrase, readIssuingSigner } from '../config/secrets.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import {
  activeAuthority,
  type AuthorityOwner,
  loadAuthorityState
} from '../store/authority-records.js'
import type { Certificate } from '../x509/certificate.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import type { Foundation } from './foundation.js'

/** What is said of an authority that is missing, or whose time is over. */
const WORDS: Readonly<Record<AuthorityOwner, { readonly title: string; readonly ends: string }>> = {
  ca: { title: 'certificate authority', ends: 'issues' },
  tsa: { title: 'timestamp authority', ends: 'signs' }
}

/** The authority the database names as the one in use, with its key. */
export interface ActiveAuthority {
  readonly signer: Signer
  /** As in the record, unchecked. */
  readonly certificates: readonly Certificate[]
  /** When its chain is to be checked: now, or the last moment at which all of it was valid. */
  readonly atSeconds: number
}

/**
 * Reads the authority in use. An expired one does not stop the start: what the logs hold must stay provable, and every request
 * to it is refused.
 *
 * @throws LogError `conflict` when there is none, with what to do; as readIssuingSigner and parseCertificateChainPem
 */
export async function readActiveAuthority(
  { config, options, paths, database }: Foundation,
  owner: AuthorityOwner
): Promise<ActiveAuthority> {
  const { title, ends } = WORDS[owner]
  const { authorities } = await loadAuthorityState(database.register, owner)
  if (authorities.length === 0) {
    throw new LogError(
      'conflict',
      `data directory ${paths.root} has no ${title} yet: run sigstead init, which adds what is missing, or set ` +
        `${owner}.enabled to false`
    )
  }
  const record = activeAuthority(authorities)
  const signer = readIssuingSigner(paths, record, readAuthorityPassphrase(config))
  const certificates = parseCertificateChainPem(record.chain.join(''))
  const endSeconds = Math.min(...certificates.map(({ notAfterSeconds }) => notAfterSeconds))
  const nowSeconds = Math.floor(options.now() / 1000)
  if (nowSeconds > endSeconds) {
    const expired = new Date(endSeconds * 1000).toISOString()
    options.logger.error({ expired }, `the ${title} has expired and ${ends} nothing`)
  }
  return { signer, certificates, atSeconds: Math.min(nowSeconds, endSeconds) }
}
