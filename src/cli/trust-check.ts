import { ask } from '../client/http.js'
import { decodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { checkTrustFile, type TrustFinding, type TufRoots } from '../trust/check.js'
import type { TrustState } from '../trust/contract.js'
import { stateOfDocuments } from '../trust/published-state.js'
import { type Command, EXIT } from './command.js'
import { readInput } from './input-file.js'
import { REMOTE_CONFIG, serverOf } from './remote.js'

/** Far above any trust material. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** Roots that clients would follow in one refresh (TUF specification section 5.3). */
const MAX_ROOTS = 256

export const trustCheckCommand: Command = {
  description:
    'FILE is a trusted_root.json, a signing config, both in one file, keys or certificates in PEM, or a TUF root.json. Says line\n' +
    'by line what is right, wrong or stale beside the running server. Exit status 1 when something is wrong.',
  positionals: ['FILE'],
  flags: [{ name: 'server', value: 'URL', meaning: 'Base URL of the server. Default: publicUrl.' }],
  config: REMOTE_CONFIG,
  run: async ({ flags, loadConfig, positionals, print, world }) => {
    const [fileName = ''] = positionals
    const bytes = readInput(fileName, MAX_FILE_BYTES)
    const baseUrl = serverOf(flags.get('server')) ?? loadConfig().publicUrl
    const get = (path: string): Promise<Uint8Array> =>
      ask({ baseUrl }, { path, accept: 'application/json' })
    const findings = checkTrustFile({
      bytes,
      state: await readState(get, baseUrl),
      nowSeconds: Math.floor(world.now() / 1000),
      tuf: await readRoots(get)
    })
    print([`${fileName} beside ${baseUrl}:`, ...findings.map(findingLine)].join('\n'), {
      server: baseUrl,
      findings: findings.map((finding) => ({ ...finding }))
    })
    return findings.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.ok
  }
}

function findingLine({ severity, where, message }: TrustFinding): string {
  return `${severity.padEnd(7)} ${where} ${message}`
}

/** @throws LogError `upstream` when what answers there is no such server, and as ask */
async function readState(
  get: (path: string) => Promise<Uint8Array>,
  baseUrl: string
): Promise<TrustState> {
  try {
    const [trustedRoot, signingConfig] = await Promise.all([
      get('/bootstrap/trusted_root.json'),
      get('/bootstrap/signing_config.v0.2.json')
    ])
    return stateOfDocuments(trustedRoot, signingConfig)
  } catch (err) {
    if (!isLogError(err) || !['not_found', 'invalid_request'].includes(err.code)) throw err
    throw new LogError(
      'upstream',
      `${baseUrl} does not say what is to be believed: no sigstead, or one with tuf.enabled false (${err.message})`,
      { cause: err }
    )
  }
}

async function readRoots(get: (path: string) => Promise<Uint8Array>): Promise<TufRoots> {
  const roots: string[] = []
  while (roots.length < MAX_ROOTS) {
    try {
      roots.push(decodeUtf8(await get(`/tuf/${roots.length + 1}.root.json`)))
    } catch (err) {
      if (isLogError(err, 'not_found')) break
      throw err
    }
  }
  const root = roots.at(-1)
  if (root === undefined) throw new LogError('upstream', 'the server has no TUF repository')
  return { root, earlierRoots: roots.slice(0, -1) }
}
