// Every TUF role gets another key, twice, under load: a root is published only when its hash is confirmed, and clients that
// know the first one follow: both of cosign's TUF clients and tuf-js.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { unzipSync } from 'fflate'
import t from 'tap'
import { runProgram } from './clients.js'
import { openGenerations } from './generations.js'
import { MAIN } from './server.js'
import { accepted, refused } from './session.js'
import { serveFiles } from './static-files.js'

const rotating = await openGenerations(t)
const { session, url, data, firstRoot, load, get, sigstead, initialize } = rotating
const { newGeneration, verify, verify2, verify3, verifyJs, assertVerified } = rotating

const ROLES = ['timestamp', 'snapshot', 'targets', 'root'] as const
const ROUNDS = 2
/** Of the next root after one that is missing, no client asks. */
const NOT_SIGNED = /failed to decode targets\.json: tuf: valid signatures did not meet threshold/

interface DraftedRoot {
  readonly version: number
  readonly sha256: string
  readonly draftFile: string
}

t.test('by clients of the first day', async (t) => {
  const start = await newGeneration(t, 'start', 0)
  let version = 1
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const role of ROLES) {
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
        refused(
          t,
          await publish(['--confirm', 'ab'.repeat(32)]),
          'another hash',
          /published only when the SHA-256 of its text is confirmed/
        )
        t.equal((await fetch(`${url}/tuf/${version}.root.json`)).status, 404, 'not published')
      }
      accepted(t, await publish(['--confirm', drafted.sha256]), `${role}, published`, /published/)
      const root = await get(`/tuf/${version}.root.json`)
      t.equal(createHash('sha256').update(root).digest('hex'), drafted.sha256, 'what was confirmed')

      const { home, cache } = start
      accepted(t, await initialize('trixie', home.trixie, firstRoot), 'cosign 2')
      accepted(
        t,
        await verify2(start, start, { stamped: true }),
        'cosign 2 verifies',
        /Verified OK/
      )
      accepted(t, await verify3(start, { home: home.sid }), 'cosign 3 verifies', /Verified OK/)
      await t.resolves(verifyJs(start.js, cache), 'sigstore-js verifies')
      await load.more(2)
      t.strictSame(load.failures(), [])
    }
  }
  const fresh = await newGeneration(t, 'fresh', 0)
  for (const signed of [start, fresh]) await assertVerified(t, signed, fresh)
  await rotating.endLoad(t, fresh)

  // A mirror that hides one root: nobody can be led past it.
  const archive = unzipSync(await get('/bootstrap.zip'))
  const files = new Map(Object.entries(archive))
  t.ok(files.delete(`tuf/${version - 1}.root.json`))
  const mirror = `${await serveFiles(t, files)}/tuf`
  for (const suite of ['trixie', 'sid'] as const) {
    const home = `${session.dir}/hidden-${suite}`
    mkdirSync(home)
    const args = ['initialize', '--mirror', mirror, '--root', firstRoot]
    refused(
      t,
      await session.run(suite, 'cosign', args, { HOME: home }),
      `${suite}, a root hidden`,
      NOT_SIGNED
    )
  }
  const tufCachePath = `${session.dir}/hidden-js`
  mkdirSync(tufCachePath)
  await t.rejects(
    verify(start.js, data, { tufMirrorURL: mirror, tufRootPath: firstRoot, tufCachePath }),
    { code: 'TUF_REFRESH_METADATA_ERROR' },
    'sigstore-js, a root hidden'
  )
})
