import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keyNameOf } from '../../src/config/key-files.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { LogError } from '../../src/errors.js'
import { createAdministration } from '../../src/server/administration.js'
import type { Core } from '../../src/server/core.js'
import { openAdministration } from '../../src/server/open-administration.js'
import { rotate } from '../../src/server/rotation.js'
import { ROTATED_PARTS, type RotateReport } from '../../src/site/administration.js'
import { describeDraft } from '../../src/tuf/describe-draft.js'
import { type CeremonySite, CEREMONY_URL, initWithCeremony, signedBy } from '../helpers/ceremony.js'
import { startTestServer, testConfig } from '../helpers/cli.js'
import { openTestCore } from '../helpers/open-core.js'
import { serverOptions } from '../helpers/server-options.js'

function configOf({ dataDir }: CeremonySite, flags: Record<string, string> = {}) {
  return testConfig(dataDir, { 'public-url': CEREMONY_URL, ...flags })
}

/** What signs now, in hex. */
function keyInUse({ rekorLog, certificates, authority, timestamps }: Core) {
  const first = (chain: readonly Uint8Array[] | undefined) =>
    encodeHex(chain?.[0] ?? new Uint8Array())
  return {
    log: encodeHex(rekorLog.generations.current.log.record.publicKey),
    ct: encodeHex(certificates?.ct.active.publicKey ?? new Uint8Array()),
    ca: first(authority?.current().chain.der),
    tsa: first(timestamps?.chain())
  }
}

function draftOf({ draft }: Pick<RotateReport, 'draft'>): string {
  if (draft === undefined) throw new Error('no draft')
  return draft
}

for (const what of ROTATED_PARTS) {
  t.test(`rotation of ${what} waits for targets keys that are elsewhere`, async (t) => {
    const site = await initWithCeremony(t)
    const config = configOf(site)
    const kind = what === 'log' ? 'rekor' : what
    const first = await openTestCore(t, config)
    const used = keyInUse(first.core)
    const published = first.core.trust?.repository()
    const dry = await rotate(first.rotating(), { what, dryRun: true })
    t.match(dry, { outcome: 'dry-run', draft: undefined })
    t.equal((await first.core.administration.status()).staged, undefined)

    const report = await first.core.administration.rotate({ what, dryRun: false })
    t.equal(report.outcome, 'waiting')
    t.strictSame(
      report.changes.map(({ kind, change }) => [kind, change]),
      [[kind, 'added']],
      'the new key will be told of, and nothing ends'
    )
    t.strictSame(keyInUse(first.core), used, 'nothing is signed with it')
    t.equal(first.core.trust?.repository(), published, 'nothing is published')
    await t.rejects(
      first.core.administration.rotate({ what: 'tsa', dryRun: false }),
      { code: 'conflict', message: new RegExp(`^the rotation of ${what} waits`) },
      'one at a time'
    )
    await first.close()

    const { core, rotating } = await openTestCore(t, config)
    const { administration } = core
    t.match(await administration.status(), { staged: what, isPending: true })
    t.strictSame(keyInUse(core), used, 'a restart changes nothing')
    const draft = draftOf(report)
    const [one, two] = [site.targets.slice(0, 1), site.targets.slice(1)]
    for (const few of [draft, await signedBy(draft, one)]) {
      await t.rejects(administration.publishTargets(few), { code: 'verification_failed' })
    }
    const signed = await signedBy(draft, two)
    const refused = new LogError('internal', 'the disk is full')
    const { register } = core.foundation.database
    const fail = () => Promise.reject(refused)
    const broken = createAdministration(
      rotating({ database: { createTree: fail, register: { ...register, swapAll: fail } } }),
      core.calendar
    )
    await t.rejects(broken.publishTargets(signed), refused)
    t.strictSame(keyInUse(core), used, 'nor does a commit that failed')
    t.match(await administration.status(), { staged: what, isPending: true })
    t.strictSame(core.trust?.repository(), published)

    const again = await administration.draftTargets()
    t.equal(again.description.version, describeDraft(draft, undefined).version)
    const done = await administration.publishTargets(signed)
    t.equal(done.rotated, what)
    const now = keyInUse(core)
    t.not(now[what], used[what], 'the new key signs')
    t.strictSame({ ...now, [what]: '' }, { ...used, [what]: '' }, 'and nothing else is new')
    t.equal(core.trust?.repository().targets[0]?.version, 2)
    t.match(
      await administration.status(),
      { staged: undefined, isPending: true },
      'that the old one has ended is not signed yet'
    )
    await t.rejects(administration.publishTargets(signed), { code: 'conflict' }, 'once')
    await t.rejects(
      administration.publishTargets(await signedBy(again.draft, two)),
      { code: 'conflict' },
      'a draft of before'
    )

    const last = await administration.draftTargets()
    t.equal(last.description.version, 3)
    const closing = await administration.publishTargets(await signedBy(last.draft, one.concat(two)))
    t.equal(closing.rotated, undefined)
    t.equal((await administration.status()).isPending, false)
  })
}

t.test('a rotation that waits can be cancelled', async (t) => {
  const site = await initWithCeremony(t)
  const { core } = await openTestCore(t, configOf(site))
  const { administration } = core
  await t.rejects(administration.cancelRotation(), {
    code: 'conflict',
    message: /nothing to cancel/
  })
  const report = await administration.rotate({ what: 'log', dryRun: false })
  const signed = await signedBy(draftOf(report), site.targets)
  t.strictSame(await administration.cancelRotation(), { cancelled: 'log' })
  t.match(await administration.status(), { staged: undefined, isPending: false })
  await t.rejects(
    administration.publishTargets(signed),
    { code: 'conflict', message: /names other files/ },
    'its draft is worth nothing'
  )
  t.equal((await administration.rotate({ what: 'tsa', dryRun: false })).outcome, 'waiting')
})

t.test('a server that clients would refuse does not start, and says what to do', async (t) => {
  const site = await initWithCeremony(t)
  const config = configOf(site)
  // The repository is off meanwhile: nobody is told.
  const off = await openTestCore(t, configOf(site, { 'tuf-enabled': 'false' }))
  await off.core.administration.rotate({ what: 'log', dryRun: false })
  await off.core.administration.rotate({ what: 'ca', dryRun: false })
  await off.close()

  const refusal = {
    code: 'conflict',
    message:
      /^clients would refuse what this server signs: rekor: .* not in it; fulcio: .*\. Publish what is true now: sigstead tuf targets draft$/
  }
  await t.rejects(startTestServer(t, config), refusal)
  await t.rejects(startTestServer(t, config), refusal, 'nothing was left open')

  const opened = await openAdministration(config, serverOptions())
  const { draft } = await opened.administration.draftTargets()
  await opened.administration.publishTargets(await signedBy(draft, site.targets.slice(0, 2)))
  await opened.close()
  const again = await startTestServer(t, config)
  t.ok(again.rootSha256)
})

t.test('a draft that was made for another address', async (t) => {
  const site = await initWithCeremony(t)
  const { core, close } = await openTestCore(t, configOf(site))
  const report = await core.administration.rotate({ what: 'tsa', dryRun: false })
  await close()
  const moved = await openTestCore(
    t,
    configOf(site, { 'public-url': 'http://127.0.0.1:3000/moved' })
  )
  t.ok(
    moved.lines.some(({ msg }) =>
      /^the trust material has changed, and the TUF targets keys are elsewhere/.test(String(msg))
    )
  )
  const { administration } = moved.core
  await t.rejects(
    administration.publishTargets(await signedBy(draftOf(report), site.targets.slice(0, 2))),
    { code: 'conflict', message: /names other files than the server has now: draft again/ }
  )
  t.match(await administration.status(), { staged: 'tsa', isPending: true })
  const { draft } = await administration.draftTargets()
  const done = await administration.publishTargets(await signedBy(draft, site.targets.slice(0, 2)))
  t.equal(done.rotated, 'tsa')
})

t.test('a new tree with the same key waits for nobody', async (t) => {
  const site = await initWithCeremony(t)
  const { core } = await openTestCore(t, configOf(site))
  const report = await core.administration.rotate({ what: 'log', dryRun: false, keepKey: true })
  t.match(report, { outcome: 'done', changes: [], draft: undefined })
  t.match(await core.administration.status(), { staged: undefined, isPending: false })
})

t.test('drafts are signed by those of the keys that are here', async (t) => {
  const site = await initWithCeremony(t)
  const [here, ...elsewhere] = site.targets
  if (here === undefined) throw new Error('there are three')
  const name = keyNameOf('tuf-targets', here.publicKey)
  copyFileSync(join(site.folder, name), join(site.dataDir, 'keys', name))
  const { core } = await openTestCore(t, configOf(site))
  const { administration } = core
  const draft = draftOf(await administration.rotate({ what: 'tsa', dryRun: false }))
  const signers = (text: string) =>
    describeDraft(text, undefined).keys.filter(({ hasSigned }) => hasSigned).length
  t.equal(signers(draft), 1)
  t.equal(signers((await administration.draftTargets()).draft), 1)
  const done = await administration.publishTargets(await signedBy(draft, elsewhere.slice(0, 1)))
  t.equal(done.rotated, 'tsa')
})

t.test('what is no draft of targets', async (t) => {
  const site = await initWithCeremony(t)
  const stranger = await initWithCeremony(t)
  const { core } = await openTestCore(t, configOf(site))
  const { administration } = core
  const { draft } = await administration.draftRoot({ dryRun: false })
  const strange = await openTestCore(t, configOf(stranger))
  const foreign = await strange.core.administration.draftTargets()
  const cases: [name: string, draft: string, code: string][] = [
    ['nothing', '', 'invalid_request'],
    ['no JSON', 'hello', 'invalid_request'],
    ['a root', draft, 'invalid_request'],
    ['an object', '{}', 'invalid_request'],
    ['of another site', await signedBy(foreign.draft, stranger.targets.slice(0, 2)), '']
  ]
  const published = core.trust?.repository()
  for (const [name, text, code] of cases) {
    const refusal = code === '' ? { name: 'LogError' } : { code }
    await t.rejects(administration.publishTargets(text), refusal, name)
  }
  t.equal(core.trust?.repository(), published)
})
