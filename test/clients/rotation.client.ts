// Every key of a server is replaced, twice, while it is asked for everything it gives: nobody is turned away, what was signed
// before still verifies, and only who has not looked at the mirror since refuses what is signed now.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { unzipSync } from 'fflate'
import t, { type Test } from 'tap'
import { runProgram, type Suite } from './clients.js'
import { EMAIL, expecting, openKeylessSession } from './keyless.js'
import { LOAD_KINDS, startLoad } from './load.js'
import { MAIN, runSigstead } from './server.js'
import { accepted, refused } from './session.js'
import { serveFiles } from './static-files.js'

const keyless = await openKeylessSession(t)
const { session, person } = keyless
const { url } = session.server

// sigstore-js runs in this process. Its way out, too, leads to the proxy; it looks for one when it is loaded.
Object.assign(process.env, session.proxyEnv, { NO_PROXY: '127.0.0.1' })
const { sign, verify } = await import('sigstore')
type Bundle = Awaited<ReturnType<typeof sign>>

const PARTS = ['log', 'ct', 'ca', 'tsa'] as const
const TUF_ROLES = ['timestamp', 'snapshot', 'targets', 'root'] as const
const ROUNDS = 2
const TSA = `${url}/api/v1/timestamp`
const artifact = session.write('artifact.txt', 'signed again and again\n')
const data = readFileSync(artifact)
const firstRoot = session.write('1.root.json', await get('/tuf/1.root.json'))

async function get(path: string): Promise<Buffer> {
  const answer = await fetch(`${url}${path}`)
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}

async function timestampVersion(): Promise<number> {
  const file = JSON.parse((await get('/tuf/timestamp.json')).toString()) as {
    signed: { version: number }
  }
  return file.signed.version
}

/** One of our commands, told nothing but the data directory. */
async function sigstead<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await runSigstead([...args, '--json', '--data-dir', session.dataDir])) as T
}

/** Everything that clients had between two rotations, and what they signed then. */
interface Generation {
  readonly name: string
  /** How many times the timestamp authority had been rotated. */
  readonly tsa: number
  /** Files of that time. */
  readonly trustedRoot: string
  readonly tsaChain: string
  /** Home of cosign, and cache of sigstore-js, which learned then what to trust. */
  readonly home: Readonly<Record<Suite, string>>
  readonly cache: string
  readonly bundles: { readonly trixie: string; readonly stamp: string; readonly sid: string }
  readonly js: Bundle
}

function cosign(suite: Suite, home: string, args: readonly string[], env = {}) {
  return session.run(suite, 'cosign', args, { HOME: home, ...env })
}

function initialize(suite: Suite, home: string, root: string) {
  return cosign(suite, home, ['initialize', '--mirror', `${url}/tuf`, '--root', root])
}

async function signJs(): Promise<Bundle> {
  const identityToken = await person.idToken()
  const services = { fulcioURL: url, rekorURL: url, tsaServerURL: TSA, tlogUpload: true }
  return sign(data, { ...services, identityToken, retry: 0, timeout: 20_000 })
}

/** Clients that know only the first root learn what is to be trusted now, and sign. */
async function newGeneration(t: Test, name: string, tsa: number): Promise<Generation> {
  const at = `${session.dir}/${name}`
  mkdirSync(at)
  const home = { trixie: `${at}/home-trixie`, sid: `${at}/home-sid` }
  const cache = `${at}/cache`
  for (const dir of [home.trixie, home.sid, cache]) mkdirSync(dir)
  for (const suite of ['trixie', 'sid'] as const) {
    accepted(t, await initialize(suite, home[suite], firstRoot), `initialize, ${suite}`)
  }
  const generation = {
    name,
    tsa,
    trustedRoot: session.write(
      `${name}/trusted_root.json`,
      await get('/bootstrap/trusted_root.json')
    ),
    tsaChain: session.write(`${name}/tsa-chain.pem`, await get('/bootstrap/tsa-chain.pem')),
    home,
    cache,
    bundles: {
      trixie: `${at}/artifact.bundle`,
      stamp: `${at}/artifact.ts.json`,
      sid: `${at}/artifact.sigstore.json`
    }
  }
  const { bundles } = generation
  const token = { SIGSTORE_ID_TOKEN: await person.idToken() }
  const signed = {
    trixie: await cosign(
      'trixie',
      home.trixie,
      [
        ...['sign-blob', '--yes', '--fulcio-url', url, '--rekor-url', url],
        ...['--timestamp-server-url', TSA, '--rfc3161-timestamp', bundles.stamp],
        ...['--bundle', bundles.trixie, artifact]
      ],
      token
    ),
    sid: await cosign(
      'sid',
      home.sid,
      ['sign-blob', '--yes', '--bundle', bundles.sid, artifact],
      token
    )
  }
  accepted(t, signed.trixie, 'cosign 2 signs', /Wrote bundle to file/)
  accepted(t, signed.sid, 'cosign 3 signs', /Wrote bundle to file/)
  return { ...generation, js: await signJs() }
}

/** @param trust its home; `stamped`: the timestamp counts, too; `chain`: of the authority, by hand */
function verify2(
  { bundles }: Generation,
  trust: Generation,
  { stamped = false, chain }: { readonly stamped?: boolean; readonly chain?: string } = {}
) {
  return cosign('trixie', trust.home.trixie, [
    ...['verify-blob', ...expecting(person), '--bundle', bundles.trixie],
    ...(stamped ? ['--rfc3161-timestamp', bundles.stamp, '--use-signed-timestamps'] : []),
    ...(chain === undefined ? [] : ['--timestamp-certificate-chain', chain]),
    artifact
  ])
}

/** @param trust a home, which it brings up to date, or a file */
function verify3(
  { bundles }: Generation,
  trust: { readonly home: string } | { readonly root: string }
) {
  const root = 'root' in trust ? ['--trusted-root', trust.root] : []
  return cosign('sid', 'home' in trust ? trust.home : `${session.dir}/no-home`, [
    ...['verify-blob', ...expecting(person), ...root, '--use-signed-timestamps'],
    ...['--bundle', bundles.sid, artifact]
  ])
}

/** @param asCached without looking at the mirror */
function verifyJs(bundle: Bundle, cache: string, asCached = false): Promise<unknown> {
  return verify(bundle, data, {
    tufMirrorURL: `${url}/tuf`,
    tufRootPath: firstRoot,
    tufCachePath: cache,
    tufForceCache: asCached,
    certificateIssuer: person.issuer,
    certificateIdentityEmail: EMAIL
  })
}

/** Of the next root after one that is missing, no client asks. */
const NOT_SIGNED = /failed to decode targets\.json: tuf: valid signatures did not meet threshold/
const NO_TSA_CHAIN = /RFC3161 timestamp bundle: .*x509: certificate signed by unknown authority/

/** What `signed` made, by what is trusted at `now`. */
async function assertVerified(t: Test, signed: Generation, now: Generation): Promise<void> {
  const name = `of ${signed.name}`
  accepted(t, await verify2(signed, now), `cosign 2, ${name}`, /Verified OK/)
  const stamped = await verify2(signed, now, { stamped: true })
  if (signed.tsa === now.tsa) {
    accepted(t, stamped, `cosign 2 with timestamp, ${name}`, /Verified OK/)
  } else {
    // Its TUF client takes one chain of timestamps only: see src/trust/legacy-targets.ts.
    refused(t, stamped, `cosign 2 with timestamp, ${name}`, NO_TSA_CHAIN)
    const byHand = await verify2(signed, now, { stamped: true, chain: signed.tsaChain })
    accepted(t, byHand, `cosign 2 with timestamp and its chain, ${name}`, /Verified OK/)
  }
  accepted(t, await verify3(signed, { home: now.home.sid }), `cosign 3, ${name}`, /Verified OK/)
  accepted(
    t,
    await verify3(signed, { root: now.trustedRoot }),
    `cosign 3, file, ${name}`,
    /Verified OK/
  )
  await t.resolves(verifyJs(signed.js, now.cache), `sigstore-js, ${name}`)
}

/** Words of each client that does not know a part yet. */
const UNKNOWN: Record<
  (typeof PARTS)[number],
  { readonly two: RegExp; readonly three: RegExp; readonly js: RegExp }
> = {
  log: {
    two: /rekor log public key not found for payload/,
    three: /not enough verified log entries from transparency log: 0 < 1/,
    js: /inclusion promise could not be verified/
  },
  ct: {
    two: /ctfe public key not found for payload/,
    three: /only able to verify 0 SCT entries; unable to meet threshold of 1/,
    js: /SCT verification failed/
  },
  ca: {
    two: /cert verification failed: x509: certificate signed by unknown authority/,
    three: /leaf certificate verification failed/,
    js: /Failed to verify certificate chain/
  },
  tsa: {
    two: NO_TSA_CHAIN,
    three: /threshold not met for verified signed timestamps: 0 < 1/,
    js: /timestamp could not be verified/
  }
}

const load = startLoad(url, person)
/** Bundles that sigstore-js makes all the while: nothing may be signed that the trust material of any moment leaves out. */
const made: Bundle[] = []
const notMade: string[] = []
let making = true
const makingBundles = (async () => {
  while (making) {
    try {
      made.push(await signJs())
    } catch (err) {
      notMade.push(String((err as Error).cause ?? err))
    }
    await sleep(50)
  }
})()
const generations: Generation[] = []

t.test('before', async (t) => {
  generations.push(await newGeneration(t, 'start', 0))
  const [start] = generations
  if (start === undefined) throw new Error('no generation')
  await assertVerified(t, start, start)
  await load.more(5)
})

interface Rotated {
  readonly what: string
  readonly outcome: string
  readonly newKey: boolean
  readonly changes: readonly { readonly kind: string; readonly change: string }[]
  readonly closed?: { readonly treeId: string; readonly treeSize: number }
  readonly opened?: { readonly treeId: string }
}

for (let round = 1; round <= ROUNDS; round += 1) {
  for (const part of PARTS) {
    t.test(`rotate ${part}, round ${round}`, async (t) => {
      const before = generations.at(-1)
      if (before === undefined) throw new Error('no generation')
      const version = await timestampVersion()
      if (round === 1) {
        const dry = await sigstead<Rotated>(['rotate', part, '--dry-run'])
        t.match(dry, { what: part, outcome: 'dry-run' })
        t.ok(dry.changes.some(({ change }) => change === 'added'))
        t.equal(await timestampVersion(), version, 'nothing was published')
      }
      const done = await sigstead<Rotated>(['rotate', part])
      t.match(done, { what: part, outcome: 'done', newKey: true })
      const kind = part === 'log' ? 'rekor' : part
      for (const change of ['added', 'ended']) {
        t.ok(
          done.changes.some((item) => item.kind === kind && item.change === change),
          change
        )
      }
      if (part === 'log' || part === 'ct') {
        t.not(done.opened?.treeId, done.closed?.treeId)
        t.ok((done.closed?.treeSize ?? 0) > 0)
      }
      t.equal(await timestampVersion(), version + 1, 'published at once')
      await load.more(5)
      t.strictSame(load.failures(), [])

      const now = await newGeneration(t, `${part}-${round}`, before.tsa + (part === 'tsa' ? 1 : 0))
      generations.push(now)
      for (const signed of new Set([generations[0], before, now])) {
        if (signed !== undefined) await assertVerified(t, signed, now)
      }

      const { two, three, js } = UNKNOWN[part]
      refused(t, await verify2(now, before, { stamped: true }), 'cosign 2, as before', two)
      refused(t, await verify3(now, { root: before.trustedRoot }), 'cosign 3, as before', three)
      await t.rejects(
        verifyJs(now.js, before.cache, true),
        { message: js },
        'sigstore-js, as before'
      )
    })
  }
}

interface DraftedRoot {
  readonly version: number
  readonly sha256: string
  readonly draftFile: string
}

t.test('TUF roles, by clients of the first day', async (t) => {
  const [start] = generations
  const now = generations.at(-1)
  if (start === undefined || now === undefined) throw new Error('no generation')
  let version = 1
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const role of TUF_ROLES) {
      version += 1
      const file = `${session.dir}/root-${version}.json`
      const drafted = await sigstead<DraftedRoot>(['rotate', `tuf-${role}`, '--out', file])
      t.match(drafted, { version, draftFile: file })
      const publish = (more: readonly string[]) =>
        runProgram(
          process.execPath,
          [MAIN, 'tuf', 'root', 'publish', file, ...more, '--data-dir', session.dataDir],
          { cwd: session.dir }
        )
      if (round === 1) {
        refused(t, await publish([]), 'without confirmation', /not published: add --confirm/)
        refused(t, await publish(['--confirm', 'ab'.repeat(32)]), 'another hash', /SHA-256|confirm/)
        t.equal((await fetch(`${url}/tuf/${version}.root.json`)).status, 404, 'not published')
      }
      accepted(t, await publish(['--confirm', drafted.sha256]), `${role}, published`, /published/)
      const root = await get(`/tuf/${version}.root.json`)
      t.equal(createHash('sha256').update(root).digest('hex'), drafted.sha256, 'what was confirmed')

      const { home, cache } = start
      accepted(t, await initialize('trixie', home.trixie, firstRoot), 'cosign 2')
      accepted(t, await verify2(now, start, { stamped: true }), 'cosign 2 verifies', /Verified OK/)
      accepted(t, await verify3(now, { home: home.sid }), 'cosign 3 verifies', /Verified OK/)
      await t.resolves(verifyJs(now.js, cache), 'sigstore-js verifies')
      await load.more(2)
      t.strictSame(load.failures(), [])
    }
  }
  const fresh = await newGeneration(t, 'fresh', now.tsa)
  for (const signed of generations) await assertVerified(t, signed, fresh)
  await assertVerified(t, fresh, fresh)

  // A mirror that hides one root: nobody can be led past it.
  const archive = unzipSync(await get('/bootstrap.zip'))
  const files = new Map(Object.entries(archive))
  t.ok(files.delete(`tuf/${version - 1}.root.json`))
  const mirror = `${await serveFiles(t, files)}/tuf`
  for (const suite of ['trixie', 'sid'] as const) {
    const home = `${session.dir}/hidden-${suite}`
    mkdirSync(home)
    const args = ['initialize', '--mirror', mirror, '--root', firstRoot]
    refused(t, await cosign(suite, home, args), `${suite}, a root hidden`, NOT_SIGNED)
  }
  const tufCachePath = `${session.dir}/hidden-js`
  mkdirSync(tufCachePath)
  await t.rejects(
    verify(now.js, data, { tufMirrorURL: mirror, tufRootPath: firstRoot, tufCachePath }),
    { code: 'TUF_REFRESH_METADATA_ERROR' },
    'sigstore-js, a root hidden'
  )
})

t.test('nobody was turned away', async (t) => {
  making = false
  await Promise.all([load.stop(), makingBundles])
  t.strictSame(load.failures(), [])
  t.strictSame(notMade, [])
  for (const kind of LOAD_KINDS) t.comment(`${kind}: ${load.count(kind)} requests`)
  t.comment(`longest wait: ${Math.round(load.longestMs())} ms`)
  t.comment(`sigstore-js: ${made.length} bundles`)
  for (const kind of LOAD_KINDS) t.ok(load.count(kind) > 100, kind)

  const entries = load.entries()
  t.equal(new Set(entries.map(({ logIndex }) => logIndex)).size, entries.length, 'an index each')
  t.equal(new Set(entries.map(({ id }) => id.slice(0, 16))).size, 1 + ROUNDS, 'trees')
  const cache = generations.at(-1)?.cache ?? ''
  const unverified: string[] = []
  for (const [i, bundle] of made.entries()) {
    await verifyJs(bundle, cache, i > 0).catch((err: unknown) => unverified.push(String(err)))
  }
  t.strictSame(unverified, [], 'every bundle made meanwhile verifies')
})

t.test('the data directory', async (t) => {
  const last = generations.at(-1)
  if (last === undefined) throw new Error('no generation')
  let report = ''
  await session.server.restart(async () => {
    report = await runSigstead(['verify', '--data-dir', session.dataDir])
  })
  t.comment(report)
  await assertVerified(t, last, last)
  for (const { id, logIndex } of load.entries().filter((_, i) => i % 20 === 0)) {
    const entry = JSON.parse((await get(`/api/v1/log/entries/${id}`)).toString()) as object
    t.match(entry, { [id]: { logIndex } })
  }
})
