import { dirname, resolve } from 'node:path'
import { decodeUtf8 } from '../../../encoding/text.js'
import { isLogError, LogError } from '../../../errors.js'
import { type ReadFile, readPinnedKeySet } from '../keys/pinned-keys.js'
import { deepFreeze } from './deep-freeze.js'
import type { IdentityConfig, Issuer } from './identity-config.js'
import { parseIdentityConfig } from './parse.js'
import { hasCertificate } from './validate.js'

/**
 * Reads a configuration and looks into the files it names, which are beside it unless their paths are absolute. Those paths
 * are absolute in the result.
 *
 * @throws LogError `invalid_request` with one line for each problem
 */
export async function loadIdentityConfig(
  path: string,
  readFile: ReadFile
): Promise<IdentityConfig> {
  const config = parseIdentityConfig(await readText(path, readFile))
  const locate = (file: string): string => (file === '' ? '' : resolve(dirname(path), file))
  const withPaths = <Some extends Issuer>(issuer: Some): Some => ({
    ...issuer,
    caCertFile: locate(issuer.caCertFile),
    jwksFile: locate(issuer.jwksFile)
  })
  const issuers = config.issuers.map(withPaths)
  const patterns = config.patterns.map((pattern) => ({
    ...pattern,
    issuer: withPaths(pattern.issuer)
  }))
  const problems = await Promise.all([
    ...issuers.map((issuer) => fileProblems(issuer, `issuer ${issuer.key}`, readFile)),
    ...patterns.map(({ pattern, issuer }) => {
      return fileProblems(issuer, `meta issuer ${pattern}`, readFile)
    })
  ])
  if (problems.flat().length > 0) {
    throw new LogError('invalid_request', problems.flat().join('\n'))
  }
  return deepFreeze({ ...config, issuers, patterns })
}

async function fileProblems(
  { caCertFile, jwksFile }: Issuer,
  where: string,
  readFile: ReadFile
): Promise<readonly string[]> {
  const problems: string[] = []
  if (caCertFile !== '') {
    await collect(`CACertFile of ${where}`, problems, async () => {
      if (!hasCertificate(await readText(caCertFile, readFile))) {
        throw new LogError('invalid_request', `${caCertFile} is not PEM of certificates`)
      }
    })
  }
  if (jwksFile !== '') {
    await collect(`JWKSFile of ${where}`, problems, async () => {
      readPinnedKeySet(await readBytes(jwksFile, readFile))
    })
  }
  return problems
}

async function collect(
  title: string,
  problems: string[],
  check: () => Promise<void>
): Promise<void> {
  try {
    await check()
  } catch (err) {
    if (!isLogError(err)) throw err
    problems.push(`validate: ${title}: ${err.message}`)
  }
}

async function readText(path: string, readFile: ReadFile): Promise<string> {
  return decodeUtf8(await readBytes(path, readFile))
}

async function readBytes(path: string, readFile: ReadFile): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (err) {
    throw new LogError('invalid_request', `${path} cannot be read: ${(err as Error).message}`, {
      cause: err
    })
  }
}
