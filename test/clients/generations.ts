import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Suite } from './clients.js'
import { EMAIL, expecting, type KeylessSession, openKeylessSession } from './keyless.js'
import { LOAD_KINDS, startLoad } from './load.js'
import { runSigstead } from './server.js'
import { accepted, refused } from './session.js'

/** What sigstore-js signs and verifies. */
export type Bundle = Awaited<ReturnType<(typeof import('sigstore'))['sign']>>

/** cosign 2, when it has another chain of timestamps. */
export const NO_TSA_CHAIN =
  /RFC3161 timestamp bundle: .*x509: certificate signed by unknown authority/

/** How many bundles are verified in the end at least; each takes some time to make. */
const MIN_BUNDLES = 20
const MIN_REQUESTS = 100

/** Everything that clients had between two rotations, and what they signed then. */
export interface Generation {
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

/** A server whose keys are replaced while it is asked for everything, and clients of each time. */
export async function openGenerations(t: Test) {
  const keyless: KeylessSession = await openKeylessSession(t)
  const { session, person } = keyless
  const { url } = session.server

  // sigstore-js runs in this process. Its way out, too, leads to the proxy; it looks for one when it is loaded.
  Object.assign(process.env, session.proxyEnv, { NO_PROXY: '127.0.0.1' })
  const { sign, verify } = await import('sigstore')

  const tsaUrl = `${url}/api/v1/timestamp`
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

  function cosign(suite: Suite, home: string, args: readonly string[], env = {}) {
    return session.run(suite, 'cosign', args, { HOME: home, ...env })
  }

  function initialize(suite: Suite, home: string, root: string) {
    return cosign(suite, home, ['initialize', '--mirror', `${url}/tuf`, '--root', root])
  }

  async function signJs(): Promise<Bundle> {
    const identityToken = await person.idToken()
    const services = { fulcioURL: url, rekorURL: url, tsaServerURL: tsaUrl, tlogUpload: true }
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
          ...['--timestamp-server-url', tsaUrl, '--rfc3161-timestamp', bundles.stamp],
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

  const load = startLoad(url, person)
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

  /** Ends the load: nobody was turned away, and what sigstore-js signed all the while verifies by what is trusted at `now`. */
  async function endLoad(t: Test, now: Generation): Promise<void> {
    making = false
    await Promise.all([load.stop(), makingBundles])
    t.strictSame(load.failures(), [])
    t.strictSame(notMade, [])
    for (const kind of LOAD_KINDS) {
      t.comment(`${kind}: ${load.count(kind)} requests`)
      t.ok(load.count(kind) > MIN_REQUESTS, kind)
    }
    t.comment(`longest wait: ${Math.round(load.longestMs())} ms`)
    t.comment(`sigstore-js: ${made.length} bundles`)
    t.ok(made.length > MIN_BUNDLES)
    const indexes = load.entries().map(({ logIndex }) => logIndex)
    t.equal(new Set(indexes).size, indexes.length, 'an index each')
    const unverified: string[] = []
    for (const [i, bundle] of made.entries()) {
      await verifyJs(bundle, now.cache, i > 0).catch((err: unknown) => unverified.push(String(err)))
    }
    t.strictSame(unverified, [], 'every bundle made meanwhile verifies')
  }

  return {
    session,
    url,
    data,
    firstRoot,
    load,
    get,
    timestampVersion,
    sigstead,
    initialize,
    newGeneration,
    verify2,
    verify3,
    verifyJs,
    verify,
    assertVerified,
    endLoad
  }
}
