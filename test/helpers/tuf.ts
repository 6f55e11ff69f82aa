import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Updater } from 'tuf-js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import type { Signer } from '../../src/keys/signer.js'
import type {
  RoleKeys,
  TufLifetimes,
  TufRepository,
  TufSigners,
  TufTarget
} from '../../src/tuf/contract.js'
import { createRepository } from '../../src/tuf/create-repository.js'
import type { KeysByRole } from '../../src/tuf/roles.js'
import { findFile } from '../../src/tuf/serve-file.js'

export const DAY = 86_400

/** Clients look at the real clock, so that repositories are made at about this time. */
export const NOW = Math.floor(Date.now() / 1000)

export const LIFETIMES: TufLifetimes = {
  root: { seconds: 730 * DAY },
  targets: { seconds: 365 * DAY },
  snapshot: { seconds: 90 * DAY },
  timestamp: { seconds: 30 * DAY }
}

export const NO_SIGNERS: TufSigners = { root: [], targets: [], snapshot: [], timestamp: [] }

export const FILES: readonly TufTarget[] = [
  textTarget('trusted_root.json', '{"mediaType":"x"}\n'),
  textTarget('rekor.pub', '-----BEGIN PUBLIC KEY-----\n', {
    sigstore: { usage: 'Rekor', status: 'Active', uri: 'https://rekor.example' }
  })
]

export function textTarget(
  name: string,
  content: string,
  custom?: Readonly<Record<string, unknown>>
): TufTarget {
  return { name, bytes: encodeUtf8(content), ...(custom === undefined ? {} : { custom }) }
}

export async function newSigner(): Promise<Signer> {
  return createLocalSigner(await generateLogKey())
}

export function newSigners(count: number): Promise<Signer[]> {
  return Promise.all(Array.from({ length: count }, newSigner))
}

export function keysOf(signers: readonly Signer[], threshold = 1): RoleKeys {
  return { publicKeys: signers.map(({ publicKey }) => publicKey), threshold }
}

/** Every signer a key of its role, each role with this threshold. */
export function rolesOf(
  signers: TufSigners,
  thresholds: Partial<Record<string, number>> = {}
): KeysByRole {
  return {
    root: keysOf(signers.root, thresholds.root),
    targets: keysOf(signers.targets, thresholds.targets),
    snapshot: keysOf(signers.snapshot, thresholds.snapshot),
    timestamp: keysOf(signers.timestamp, thresholds.timestamp)
  }
}

export interface TestRepository {
  readonly repository: TufRepository
  readonly signers: TufSigners
}

/** Root 2 of 3, targets 1 of 2, one key for snapshot and timestamp. */
export async function newRepository(
  targets: readonly TufTarget[] = FILES,
  nowSeconds = NOW
): Promise<TestRepository> {
  const [root, targetsSigners, online] = await Promise.all([
    newSigners(3),
    newSigners(2),
    newSigners(1)
  ])
  const signers = { root, targets: targetsSigners, snapshot: online, timestamp: online }
  const roles = rolesOf(signers, { root: 2 })
  const repository = await createRepository({
    roles,
    signers,
    targets,
    lifetimes: LIFETIMES,
    nowSeconds
  })
  return { repository, signers }
}

/** Serves whatever the repository is at the moment, on the loopback. */
export interface TufMirror {
  readonly url: string
  /** Paths asked for, oldest first. */
  readonly requests: readonly string[]
  publish(repository: TufRepository): void
  close(): Promise<void>
}

export async function startMirror(repository: TufRepository): Promise<TufMirror> {
  let current = repository
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice('/tuf/'.length)
    requests.push(path)
    const file = findFile(current, path)
    response.statusCode = file === undefined ? 404 : 200
    response.end(file?.bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${port}/tuf`,
    requests,
    publish: (next) => {
      current = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/** A client of tuf-js with a cache of its own: it shares no code with ours but the classes of metadata. */
export interface TufClient {
  /** Refreshes, from what it knew before, and fetches these files. */
  fetch(...names: readonly string[]): Promise<readonly string[]>
  /** Version of the root it trusts. */
  rootVersion(): number
}

/** @param root text of the root that the client begins with */
export function newClient(folder: string, mirror: TufMirror, root: string): TufClient {
  const metadataDir = join(folder, 'metadata')
  const targetDir = join(folder, 'targets')
  for (const directory of [folder, metadataDir, targetDir])
    mkdirSync(directory, { recursive: true })
  writeFileSync(join(metadataDir, 'root.json'), root)
  return {
    async fetch(...names) {
      const updater = new Updater({
        metadataDir,
        targetDir,
        metadataBaseUrl: mirror.url,
        targetBaseUrl: `${mirror.url}/targets`,
        config: { fetchRetries: 0, fetchRetry: 0 }
      })
      await updater.refresh()
      const contents: string[] = []
      for (const name of names) {
        const info = await updater.getTargetInfo(name)
        if (info === undefined) throw new Error(`${name} is not a target`)
        const file = await updater.downloadTarget(info)
        contents.push(readFileSync(file, 'utf8'))
      }
      return contents
    },
    rootVersion() {
      const text = readFileSync(join(metadataDir, 'root.json'), 'utf8')
      const root = JSON.parse(text) as { signed: { version: number } } // metadata of tuf-js
      return root.signed.version
    }
  }
}
