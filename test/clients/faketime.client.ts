// The clock is moved: what a server signed long ago, what it signs again, and a client that reads both at that later time.
// Go programs ask the kernel for the time, past the library that moves it: the client is sigstore-js, with tuf-js below it.
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { unzipSync } from 'fflate'
import t, { type Test } from 'tap'
import { type Outcome, REPOSITORY, runProgram } from './clients.js'
import { EMAIL, openKeylessSession } from './keyless.js'
import { openSession, accepted, refused, type Session } from './session.js'
import { serveFiles } from './static-files.js'

const LIBRARY = `${REPOSITORY}.clients/own/libfaketime.so`
const DAY_MS = 86_400_000
const YEAR_DAYS = 366
const ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const
type Role = (typeof ROLES)[number]

type Env = Readonly<Record<string, string>>

function daysAhead(days: number): Env {
  return { LD_PRELOAD: LIBRARY, FAKETIME: `+${days}d` }
}

const keyless = await openKeylessSession(t)
const { person, issuersFile } = keyless
const issuers = ['--ca-issuers-file', issuersFile]

interface Metadata {
  readonly signed: {
    readonly version: number
    readonly expires: string
    readonly meta: Readonly<Record<string, { readonly version: number }>>
  }
}

interface Published {
  readonly version: number
  readonly expiresMs: number
}

/** What a mirror serves, by role. */
async function published(url: string): Promise<Record<Role, Published>> {
  const read = async (name: string) => {
    const answer = await fetch(`${url}/tuf/${name}`)
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}`)
    return ((await answer.json()) as Metadata).signed
  }
  const timestamp = await read('timestamp.json')
  const snapshot = await read(`${timestamp.meta['snapshot.json']?.version}.snapshot.json`)
  const targets = await read(`${snapshot.meta['targets.json']?.version}.targets.json`)
  const root = await read('root.json')
  const of = ({ version, expires }: Metadata['signed']) => ({
    version,
    expiresMs: Date.parse(expires)
  })
  return {
    root: of(root),
    targets: of(targets),
    snapshot: of(snapshot),
    timestamp: of(timestamp)
  }
}

function versions(all: Record<Role, Published>): readonly number[] {
  return ROLES.map((role) => all[role].version)
}

const SIGN = `
import { readFileSync, writeFileSync } from 'node:fs'
import { sign } from 'sigstore'
const [artifact, out, url] = process.argv.slice(2)
const services = { fulcioURL: url, rekorURL: url, tsaServerURL: url + '/api/v1/timestamp', retry: 0 }
const identityToken = process.env.SIGSTORE_ID_TOKEN
const bundle = await sign(readFileSync(artifact), { ...services, identityToken })
writeFileSync(out, JSON.stringify(bundle))
`

const VERIFY = `
import { readFileSync } from 'node:fs'
import { verify } from 'sigstore'
const [artifact, file, certificateIssuer, certificateIdentityEmail, ...tuf] = process.argv.slice(2)
const [tufMirrorURL, tufRootPath, tufCachePath] = tuf
console.log('it is', new Date().toISOString())
const bundle = JSON.parse(readFileSync(file, 'utf8'))
const trust = { tufMirrorURL, tufRootPath, tufCachePath, retry: 0 }
await verify(bundle, readFileSync(artifact), { ...trust, certificateIssuer, certificateIdentityEmail })
console.log('verified')
`

/** A client in a process of its own, whose clock can be another. */
function client(session: Session, script: string, args: readonly string[], env: Env) {
  return runProgram(process.execPath, ['--input-type=module', '-', ...args], {
    cwd: REPOSITORY,
    input: script,
    env: { ...session.proxyEnv, NO_PROXY: '127.0.0.1', HOME: session.dir, ...env }
  })
}

interface Signed {
  readonly session: Session
  readonly artifact: string
  readonly bundle: string
  readonly root: string
}

/** Something signed today, and the root of today. */
async function signToday(t: Test, session: Session): Promise<Signed> {
  const { url } = session.server
  const root = await fetch(`${url}/bootstrap/root.json`)
  const signed = {
    session,
    artifact: session.write('artifact.txt', 'signed long ago\n'),
    bundle: `${session.dir}/artifact.sigstore.json`,
    root: session.write('root.json', await root.text())
  }
  const token = { SIGSTORE_ID_TOKEN: await person.idToken() }
  const made = await client(session, SIGN, [signed.artifact, signed.bundle, url], token)
  accepted(t, made, 'signed today')
  return signed
}

let caches = 0

/** By a client with an empty cache. */
function verifyAt(
  { session, artifact, bundle, root }: Signed,
  mirror: string,
  env: Env
): Promise<Outcome> {
  const cache = `${session.dir}/cache-${++caches}`
  const who = [person.issuer, EMAIL]
  return client(session, VERIFY, [artifact, bundle, ...who, `${mirror}/tuf`, root, cache], env)
}

async function serveToday(t: Test, { server }: Session): Promise<string> {
  const answer = await fetch(`${server.url}/bootstrap.zip`)
  if (answer.status !== 200) throw new Error(`bootstrap.zip answered ${answer.status}`)
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()))
  return serveFiles(t, new Map(Object.entries(files)))
}

const LATER = daysAhead(YEAR_DAYS)
const EXPIRED = /ExpiredMetadataError|is expired/

function assertUnexpired(t: Test, all: Record<Role, Published>, days: number): void {
  for (const role of ROLES) t.ok(all[role].expiresMs > Date.now() + days * DAY_MS, role)
}

t.test('air-gap: a year later', async (t) => {
  const session = await openSession(t, [...issuers, '--tuf-lifetimes', 'air-gap'])
  const { url } = session.server
  const signed = await signToday(t, session)
  const before = await published(url)
  assertUnexpired(t, before, YEAR_DAYS)
  const carried = await serveToday(t, session)

  await session.server.restart(async () => undefined, LATER)
  const health = await fetch(`${url}/healthz`)
  t.equal(health.status, 200)
  t.comment(await health.text())
  const after = await published(url)
  assertUnexpired(t, after, YEAR_DAYS)
  // Of everything only the timestamp is signed again, as it is every day, so that a mirror that lags is noticed.
  const [root, targets, snapshot, timestamp = 0] = versions(before)
  t.strictSame(versions(after), [root, targets, snapshot, timestamp + 1])

  const verified = await verifyAt(signed, url, LATER)
  accepted(t, verified, 'a client of that time', /^verified$/m)
  const year = new Date(Date.now() + YEAR_DAYS * DAY_MS).getUTCFullYear()
  t.match(verified.stdout, `it is ${year}-`, 'whose clock has moved')
  accepted(t, await verifyAt(signed, carried, LATER), 'what was carried away before', /^verified$/m)
  refused(t, await verifyAt(signed, carried, daysAhead(6 * 366)), 'six years later', EXPIRED)
})

t.test('standard: a year later', async (t) => {
  const session = await openSession(t, issuers)
  const { url } = session.server
  const signed = await signToday(t, session)
  const before = await published(url)
  const carried = await serveToday(t, session)
  t.ok(before.timestamp.expiresMs < Date.now() + YEAR_DAYS * DAY_MS)
  t.ok(before.snapshot.expiresMs < Date.now() + YEAR_DAYS * DAY_MS)

  await session.server.restart(async () => undefined, LATER)
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  const after = await published(url)
  assertUnexpired(t, after, YEAR_DAYS)
  const [root, targets = 0, snapshot = 0, timestamp = 0] = versions(before)
  t.strictSame(versions(after), [root, targets + 1, snapshot + 1, timestamp + 1])

  accepted(t, await verifyAt(signed, url, LATER), 'a client of that time', /^verified$/m)
  refused(t, await verifyAt(signed, carried, LATER), 'what was carried away before', EXPIRED)
  accepted(t, await verifyAt(signed, carried, {}), 'the same today', /^verified$/m)
})

t.test('standard: a server that runs on', async (t) => {
  const session = await openSession(t, issuers)
  const { server } = session
  const signed = await signToday(t, session)
  const clock = session.write('clock', '+0d\n')
  await server.restart(async () => undefined, {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_CACHE_DURATION: '1'
  })
  const before = await published(server.url)
  const days = 11
  writeFileSync(clock, `+${days}d\n`)
  const deadlineMs = Date.now() + 30_000
  let after = before
  while (after.timestamp.version === before.timestamp.version && Date.now() < deadlineMs) {
    await sleep(200)
    after = await published(server.url)
  }
  // Less than two thirds are left of 30 days, and nobody had to start it again.
  const [root, targets, snapshot = 0, timestamp = 0] = versions(before)
  t.strictSame(versions(after), [root, targets, snapshot + 1, timestamp + 1])
  t.ok(after.timestamp.expiresMs > Date.now() + (days + 29) * DAY_MS)
  accepted(
    t,
    await verifyAt(signed, server.url, daysAhead(days + 28)),
    'a client of four weeks after that',
    /^verified$/m
  )
})
