import { type AuthorityRecord, loadAuthorityState } from '../store/authority-records.js'
import { assertLogDirectory, dataPaths } from '../config/data-dir.js'
import { encodeHex } from '../encoding/hex.js'
import { hashData } from '../keys/verify.js'
import { openDatabase } from '../store/sqlite/open-database.js'
import { parseCertificateChainPem } from '../x509/issuing-chain.js'
import { type Command, EXIT } from './command.js'

export const caListCommand: Command = {
  description:
    'Reads the data directory; a server may be running on it. With --json the chains are in it as PEM.',
  config: ['dataDir'],
  run: async ({ loadConfig, print }) => {
    const paths = dataPaths(loadConfig().dataDir)
    assertLogDirectory(paths)
    const database = await openDatabase({ path: paths.database, mode: 'read' })
    try {
      const { authorities } = await loadAuthorityState(database.register, 'ca')
      const described = authorities.map(describe)
      const lines = described.flatMap((authority) => [
        `authority   ${authority.fingerprint}${authority.activeUntil === undefined ? ' (issues)' : ''}`,
        `  key file  ${authority.keyName}`,
        `  chain     ${authority.chain.length} certificates`,
        `  active    from ${authority.activeFrom}${authority.activeUntil === undefined ? '' : ` to ${authority.activeUntil}`}`,
        `  expires   ${authority.notAfter}`
      ])
      print(lines.length === 0 ? 'no certificate authority' : lines.join('\n'), {
        authorities: described
      })
      return EXIT.ok
    } finally {
      await database.close()
    }
  }
}

function describe(record: AuthorityRecord) {
  const { keyName, chain, activeFromSeconds, activeUntilSeconds } = record
  const certificates = parseCertificateChainPem(chain.join(''))
  const ends = certificates.map(({ notAfterSeconds }) => notAfterSeconds)
  return {
    /** Hex SHA-256 of the issuing certificate. */
    fingerprint: encodeHex(hashData('sha256', certificates[0]?.der ?? new Uint8Array(0))),
    keyName,
    chain: [...chain],
    notAfter: formatTime(Math.min(...ends)),
    activeFrom: formatTime(activeFromSeconds),
    ...(activeUntilSeconds === undefined ? {} : { activeUntil: formatTime(activeUntilSeconds) })
  }
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
