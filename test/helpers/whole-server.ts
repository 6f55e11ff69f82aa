import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sign, verify } from 'sigstore'
import { connectAdministration } from '../../src/cli/admin-socket.js'
import { dataPaths } from '../../src/config/data-dir.js'
import type { Config } from '../../src/config/schema.js'
import type { Administration } from '../../src/site/administration.js'
import { type Teardown, tempFolder } from './cli.js'
import { createTestIssuer, discoveryAnswers } from './test-issuer.js'

/** Somebody whose ID tokens a server believes, on the loopback. */
export interface RunningIssuer {
  readonly url: string
  /** Configuration that believes it. */
  readonly issuersFile: string
  /** Of alice@example.com. */
  token(): string
}

export async function startIssuer(t: Teardown): Promise<RunningIssuer> {
  const issuer = createTestIssuer()
  let answers: Record<string, unknown> = {}
  const server = createServer((request, response) => {
    const answer = answers[`${url}${request.url ?? ''}`]
    response.statusCode = answer === undefined ? 404 : 200
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  answers = discoveryAnswers(url, issuer.keySet)
  const issuersFile = join(tempFolder(t), 'issuers.json')
  const settings = { IssuerURL: url, ClientID: 'sigstore', Type: 'email' }
  writeFileSync(issuersFile, JSON.stringify({ OIDCIssuers: { [url]: settings } }))
  return {
    url,
    issuersFile,
    token: () =>
      issuer.token({
        iss: url,
        aud: 'sigstore',
        sub: 'u-1',
        email: 'alice@example.com',
        email_verified: true,
        iat: Math.floor(Date.now() / 1000) - 1,
        exp: Math.floor(Date.now() / 1000) + 600
      })
  }
}

/** Administration of the server that runs on a data directory. */
export async function administrationOf({
  dataDir
}: Pick<Config, 'dataDir'>): Promise<Administration> {
  const administration = await connectAdministration(dataPaths(dataDir).adminSocket)
  if (administration === undefined) throw new Error(`no server runs on ${dataDir}`)
  return administration
}

export type Bundle = Awaited<ReturnType<typeof sign>>

export const SIGNED = Buffer.from('signed by sigstore-js\n')

/** sigstore-js with a certificate, a timestamp and an entry of this server, each asked for once. */
export function signWith(url: string, issuer: RunningIssuer): Promise<Bundle> {
  return sign(SIGNED, {
    identityToken: issuer.token(),
    fulcioURL: url,
    rekorURL: url,
    tsaServerURL: url,
    tlogUpload: true,
    retry: 0
  })
}

/** A client that has never been here, with the first root of a server's TUF repository. */
export async function newVerifier(
  t: Teardown,
  url: string,
  issuer: RunningIssuer
): Promise<(bundle: Bundle) => Promise<unknown>> {
  const folder = tempFolder(t)
  const tufRootPath = join(folder, 'root.json')
  const answer = await fetch(`${url}/tuf/1.root.json`)
  if (answer.status !== 200) throw new Error(`root: ${answer.status}`)
  writeFileSync(tufRootPath, await answer.text())
  const tufCachePath = mkdtempSync(join(folder, 'cache-'))
  return (bundle) =>
    verify(bundle, SIGNED, {
      tufMirrorURL: `${url}/tuf`,
      tufRootPath,
      tufCachePath,
      certificateIssuer: issuer.url,
      certificateIdentityEmail: 'alice@example.com',
      ctLogThreshold: 1,
      tlogThreshold: 1,
      timestampThreshold: 2,
      retry: 0
    } as Parameters<typeof verify>[2])
}

/** An entry as the API gives it. */
export interface Entry {
  readonly logIndex: number
  readonly logID: string
  readonly verification: {
    readonly inclusionProof: { readonly treeSize: number; readonly checkpoint: string }
  }
}

/** @param path below the entries: `/<id>` or `?logIndex=<n>` */
export async function readEntry(url: string, path: string): Promise<readonly [string, Entry]> {
  const response = await fetch(`${url}/api/v1/log/entries${path}`)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`)
  const [found] = Object.entries(JSON.parse(text) as Record<string, Entry>) // as Rekor answers
  if (found === undefined) throw new Error(`${path}: no entry`)
  return found
}

/** A file of the TUF repository as clients find it: over timestamp, snapshot and targets, each as the one before says. */
export async function readThroughTuf(url: string, name: string): Promise<Buffer> {
  const get = async (path: string): Promise<Buffer> => {
    const response = await fetch(`${url}/tuf/${path}`)
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
    return Buffer.from(await response.arrayBuffer())
  }
  const json = async (path: string) => JSON.parse((await get(path)).toString()) as Metadata
  const timestamp = await json('timestamp.json')
  const snapshot = await json(`${timestamp.signed.meta['snapshot.json']?.version}.snapshot.json`)
  const targets = await json(`${snapshot.signed.meta['targets.json']?.version}.targets.json`)
  return get(`targets/${targets.signed.targets[name]?.hashes.sha256}.${name}`)
}

interface Metadata {
  readonly signed: {
    readonly meta: Readonly<Record<string, { readonly version: number }>>
    readonly targets: Readonly<Record<string, { readonly hashes: { readonly sha256: string } }>>
  }
}
