import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Identity } from './keyless.js'

/** What kinds of requests the load is made of. */
export const LOAD_KINDS = ['entries', 'certificates', 'timestamps', 'tuf'] as const
export type LoadKind = (typeof LOAD_KINDS)[number]

/** Requests of every kind, one after the other on several connections, until it is stopped. */
export interface Load {
  /** Requests answered so far with a status of 2xx and what was asked for. */
  count(kind: LoadKind): number
  /** Longest time that anybody waited for an answer, in milliseconds. */
  longestMs(): number
  /** Every other answer, and every connection that broke. */
  failures(): readonly string[]
  /** Entry ids (80 hex digits) and log indexes of all entries that were taken. */
  entries(): readonly { readonly id: string; readonly logIndex: number }[]
  /** Waits until each kind was answered so many times again. @throws Error after half a minute */
  more(times: number): Promise<void>
  stop(): Promise<void>
}

const PAUSE_MS = 30
const WAIT_LIMIT_MS = 30_000
/** ID tokens are good for ten minutes. */
const TOKEN_MS = 300_000

/** How many of each kind are under way at once. */
const CONNECTIONS: Record<LoadKind, number> = { entries: 3, certificates: 2, timestamps: 2, tuf: 2 }

/** Starts it. */
export function startLoad(url: string, identity: Identity): Load {
  const counts: Record<LoadKind, number> = { entries: 0, certificates: 0, timestamps: 0, tuf: 0 }
  const failures: string[] = []
  const entries: { id: string; logIndex: number }[] = []
  let stopped = false
  let longestMs = 0
  let token: { readonly text: Promise<string>; readonly untilMs: number } | undefined

  /** @throws Error for any status but 2xx */
  async function ask(path: string, init: RequestInit = {}): Promise<Buffer> {
    const startMs = performance.now()
    const answer = await fetch(`${url}${path}`, init)
    const body = Buffer.from(await answer.arrayBuffer())
    if (!answer.ok) {
      throw new Error(`${init.method ?? 'GET'} ${path}: ${answer.status} ${body.toString()}`)
    }
    longestMs = Math.max(longestMs, performance.now() - startMs)
    counted(path)
    return body
  }

  function post(path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
    return ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body)
    })
  }

  function counted(path: string): void {
    const kind = LOAD_KINDS.find((known) => path.startsWith(PATHS[known]))
    if (kind !== undefined) counts[kind] += 1
  }

  function idToken(): Promise<string> {
    if (token === undefined || token.untilMs < Date.now()) {
      token = { text: identity.idToken(), untilMs: Date.now() + TOKEN_MS }
    }
    return token.text
  }

  const once: Record<LoadKind, () => Promise<void>> = {
    async entries() {
      const answer = await post(PATHS.entries, hashedRekord())
      const [[id, { logIndex }] = fail('no entry')] = Object.entries(
        JSON.parse(answer.toString()) as Record<string, { logIndex: number }>
      )
      entries.push({ id, logIndex })
    },
    async certificates() {
      const { email, sub } = identity.account
      const answer = await post(PATHS.certificates, certificateRequest(email ?? sub), {
        authorization: `Bearer ${await idToken()}`
      })
      if (!answer.includes('signedCertificateEmbeddedSct')) fail('a certificate without SCT')
    },
    async timestamps() {
      const artifactHash = randomBytes(32).toString('base64')
      await post(PATHS.timestamps, { artifactHash, hashAlgorithm: 'sha256' })
    },
    async tuf() {
      await readRepository(ask)
    }
  }

  async function run(kind: LoadKind): Promise<void> {
    while (!stopped) {
      try {
        await once[kind]()
      } catch (err) {
        const { message, cause } = err as Error
        failures.push(`${new Date().toISOString()} ${kind}: ${message} ${String(cause ?? '')}`)
      }
      await sleep(PAUSE_MS)
    }
  }

  const running = LOAD_KINDS.flatMap((kind) =>
    Array.from({ length: CONNECTIONS[kind] }, () => run(kind))
  )
  return {
    count: (kind) => counts[kind],
    longestMs: () => longestMs,
    failures: () => failures,
    entries: () => entries,
    async more(times) {
      const before = { ...counts }
      const deadlineMs = Date.now() + WAIT_LIMIT_MS
      while (LOAD_KINDS.some((kind) => counts[kind] < before[kind] + times)) {
        if (Date.now() > deadlineMs) throw new Error(`no more than ${JSON.stringify(counts)}`)
        await sleep(PAUSE_MS)
      }
    },
    async stop() {
      stopped = true
      await Promise.all(running)
    }
  }
}

const PATHS: Record<LoadKind, string> = {
  entries: '/api/v1/log/entries',
  certificates: '/api/v2/signingCert',
  timestamps: '/api/v1/timestamp',
  tuf: '/tuf/'
}

const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signerPem = signer.publicKey.export({ type: 'spki', format: 'pem' }).toString()

/** A new entry each time. */
function hashedRekord(): object {
  const data = randomBytes(16)
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: {
        hash: { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') }
      },
      signature: {
        content: sign('sha256', data, signer.privateKey).toString('base64'),
        publicKey: { content: Buffer.from(signerPem).toString('base64') }
      }
    }
  }
}

function certificateRequest(challenge: string): object {
  return {
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: signerPem },
      proofOfPossession: sign('sha256', Buffer.from(challenge), signer.privateKey).toString(
        'base64'
      )
    }
  }
}

interface Metadata {
  readonly signed: {
    readonly meta: Readonly<Record<string, { readonly version: number }>>
    readonly targets: Readonly<Record<string, { readonly hashes: { readonly sha256: string } }>>
  }
}

/** What a client reads, in its order: what one file names must be there, whatever is published meanwhile. */
async function readRepository(get: (path: string) => Promise<Buffer>): Promise<void> {
  const read = async (name: string) => {
    const bytes = await get(`/tuf/${name}`)
    return (JSON.parse(bytes.toString()) as Metadata).signed
  }
  const timestamp = await read('timestamp.json')
  const snapshot = await read(`${timestamp.meta['snapshot.json']?.version}.snapshot.json`)
  const targets = await read(`${snapshot.meta['targets.json']?.version}.targets.json`)
  for (const [name, { hashes }] of Object.entries(targets.targets)) {
    const bytes = await get(`/tuf/targets/${hashes.sha256}.${name}`)
    const hash = createHash('sha256').update(bytes).digest('hex')
    if (hash !== hashes.sha256) fail(`${name} has SHA-256 ${hash}`)
  }
}

function fail(message: string): never {
  throw new Error(message)
}
