import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Updater } from 'tuf-js'
import { keyNameOf } from '../../src/config/key-files.js'
import { encodePem } from '../../src/encoding/pem.js'
import type { Signer } from '../../src/keys/signer.js'
import type { DraftReport } from '../../src/site/administration.js'
import { TUF_ROLES, type TufRole } from '../../src/tuf/contract.js'
import { describeDraft } from '../../src/tuf/describe-draft.js'
import { readRoot } from '../../src/tuf/roles.js'
import { openAdministration } from '../../src/server/open-administration.js'
import { serverOptions } from '../helpers/server-options.js'
import { initWithCeremony, signedBy } from '../helpers/ceremony.js'
import { initLog, startTestServer, tempFolder, type Teardown, testConfig } from '../helpers/cli.js'
import { openTestCore } from '../helpers/open-core.js'
import { newSigner } from '../helpers/test-tsa.js'
import { administrationOf } from '../helpers/whole-server.js'

const URL = 'http://127.0.0.1:3000'

function missingOf({ description }: Pick<DraftReport, 'description'>): readonly number[] {
  return description.missing.map(({ signatures }) => signatures)
}

/** A client of tuf-js that remembers what it saw. */
async function newTufClient(t: Teardown, url: string): Promise<() => Promise<number>> {
  const folder = tempFolder(t)
  const [metadataDir, targetDir] = [join(folder, 'metadata'), join(folder, 'targets')]
  for (const directory of [metadataDir, targetDir]) mkdirSync(directory)
  const file = join(metadataDir, 'root.json')
  writeFileSync(file, await (await fetch(`${url}/tuf/1.root.json`)).text())
  return async () => {
    const updater = new Updater({
      metadataDir,
      targetDir,
      metadataBaseUrl: `${url}/tuf`,
      targetBaseUrl: `${url}/tuf/targets`,
      config: { fetchRetries: 0, fetchRetry: 0 }
    })
    await updater.refresh()
    const info = await updater.getTargetInfo('trusted_root.json')
    if (info === undefined) throw new Error('no trusted root')
    await updater.downloadTarget(info)
    return (JSON.parse(readFileSync(file, 'utf8')) as { signed: { version: number } }).signed
      .version
  }
}

function pemOf({ publicKey }: Signer): string {
  return encodePem('PUBLIC KEY', publicKey)
}

t.test('every role gets another key while clients read', async (t) => {
  const config = testConfig(await initLog(t))
  const server = await startTestServer(t, config)
  const administration = await administrationOf(config)
  const keysFolder = join(config.dataDir, 'keys')
  const client = await newTufClient(t, server.publicUrl)
  t.equal(await client(), 1)
  let version = 1
  for (const role of TUF_ROLES) {
    const names = readdirSync(keysFolder)
    const dry = await administration.draftRoot({ role, dryRun: true })
    t.strictSame(readdirSync(keysFolder), names, `${role}: a look makes no key`)
    t.match(dry.description, { version: version + 1 })

    const {
      draft,
      description,
      keyFile = ''
    } = await administration.draftRoot({
      role,
      dryRun: false
    })
    t.strictSame(
      readdirSync(keysFolder).filter((name) => !names.includes(name)),
      [keyFile.slice(keysFolder.length + 1)],
      `${role}: the new key is here`
    )
    t.strictSame(missingOf({ description }), [0, 0], 'all that must sign are here')
    t.strictSame(
      description.roles.map(({ role: of, addedKeyIds, removedKeyIds, threshold }) => [
        of,
        addedKeyIds.length,
        removedKeyIds.length,
        threshold
      ]),
      TUF_ROLES.map((of) => (of === role ? [of, 1, 1, 1] : [of, 0, 0, 1]))
    )
    t.equal(await client(), version, 'nothing is published')
    for (const wrong of ['', 'ab'.repeat(32), description.sha256.toUpperCase()]) {
      await t.rejects(administration.publishRoot(draft, wrong), {
        code: 'verification_failed',
        message: /is published only when the SHA-256 of its text is confirmed/
      })
    }
    t.equal(await client(), version)
    await administration.publishRoot(draft, description.sha256)
    version++
    t.equal(await client(), version, 'a client of before goes along')
    t.equal(await (await newTufClient(t, server.publicUrl))(), version, 'and a new one')
    await t.rejects(administration.publishRoot(draft, description.sha256), { code: 'conflict' })
    t.equal((await administration.status()).rootSha256, description.sha256)
    const report = await administration.rotate({ what: 'tsa', dryRun: false })
    t.equal(report.outcome, 'done', 'the server signs with the new keys')
    t.equal(await client(), version)
  }
  const renewed = await administration.draftRoot({ dryRun: false })
  t.equal(renewed.keyFile, undefined)
  await administration.publishRoot(renewed.draft, renewed.description.sha256)
  t.equal(await client(), version + 1)
  await server.close()

  // What no role has any more can go away.
  const { core, close } = await openTestCore(t, testConfig(config.dataDir))
  const { roles } = readRoot(core.trust?.repository().roots.at(-1) ?? '')
  await close()
  const inUse = TUF_ROLES.flatMap((role) =>
    roles[role].publicKeys.map((publicKey) => keyNameOf(`tuf-${role}`, publicKey))
  )
  const old = readdirSync(keysFolder).filter(
    (name) => name.startsWith('tuf-') && !inUse.includes(name)
  )
  t.equal(old.length, TUF_ROLES.length)
  for (const name of old) rmSync(join(keysFolder, name))
  const again = await startTestServer(t, testConfig(config.dataDir))
  t.equal(await (await newTufClient(t, again.publicUrl))(), version + 1)
})

t.test('root keys elsewhere, two of three', async (t) => {
  const site = await initWithCeremony(t, [])
  const config = testConfig(site.dataDir, { 'public-url': URL })
  const { core } = await openTestCore(t, config)
  const { administration } = core
  const { draft, description } = await administration.draftRoot({
    role: 'timestamp',
    dryRun: false
  })
  t.strictSame(missingOf({ description }), [2, 2])
  const [one, two, three] = site.root
  if (one === undefined || two === undefined || three === undefined) throw new Error('three keys')
  for (const signers of [[], [one]]) {
    const few = await signedBy(draft, signers)
    await t.rejects(
      administration.publishRoot(few, describeDraft(few, undefined).sha256),
      { code: 'verification_failed' },
      `${signers.length} of 2`
    )
  }
  const signed = await signedBy(draft, [one, three])
  await t.rejects(
    administration.publishRoot(signed, description.sha256),
    {
      code: 'verification_failed'
    },
    'the hash of the draft without signatures is not what is published'
  )
  const { sha256 } = describeDraft(signed, undefined)
  t.equal((await administration.publishRoot(signed, sha256)).version, 2)

  await t.rejects(administration.draftRoot({ role: 'root', dryRun: false }), {
    code: 'conflict',
    message:
      /^the keys of TUF role root are elsewhere: make a new one there with sigstead tuf key new/
  })
  const next = await newSigner()
  const changed = await administration.draftRoot({
    role: 'root',
    publicKeysPem: [pemOf(two), pemOf(three), pemOf(next)],
    dryRun: false
  })
  t.equal(changed.keyFile, undefined)
  t.match(
    changed.description.roles.find(({ role }) => role === 'root'),
    { addedKeyIds: { length: 1 }, removedKeyIds: { length: 1 }, threshold: 2 }
  )
  const cases: [signers: readonly Signer[], isEnough: boolean][] = [
    [[one, next], false], // one of the old, one of the new
    [[three, next], false], // two of the new, one of the old
    [[one, two], false], // two of the old, one of the new
    [[one, two, next], true]
  ]
  for (const [signers, isEnough] of cases) {
    const text = await signedBy(changed.draft, signers)
    const publishing = administration.publishRoot(text, describeDraft(text, undefined).sha256)
    if (isEnough) t.equal((await publishing).version, 3)
    else await t.rejects(publishing, { code: 'verification_failed' })
  }
  t.equal(core.trust?.repository().roots.length, 3)
})

t.test('targets keys move away from the server, and back', async (t) => {
  const config = testConfig(await initLog(t), { 'public-url': URL })
  const carried = [await newSigner(), await newSigner()]
  const opened = await openTestCore(t, config)
  const { administration } = opened.core
  const [here] = readRoot(opened.core.trust?.repository().roots[0] ?? '').roles.targets.publicKeys
  if (here === undefined) throw new Error('one key')
  const herePem = encodePem('PUBLIC KEY', here)
  const publish = async (keys: readonly string[], threshold: number) => {
    const { draft, description } = await administration.draftRoot({
      role: 'targets',
      publicKeysPem: keys,
      threshold,
      dryRun: false
    })
    return administration.publishRoot(draft, description.sha256)
  }
  const away = carried.map(pemOf)
  await t.rejects(publish(away, 2), {
    code: 'conflict',
    message: /changes the keys of targets, and these are not here/
  })
  await publish([herePem, ...away], 1)
  const { draft } = await administration.draftTargets()
  await administration.publishTargets(await signedBy(draft, carried))
  await publish(away, 2)
  t.equal(opened.core.trust?.canSign('targets'), false)
  t.equal((await administration.status()).isPending, false)
  await opened.close()

  const { core, close } = await openTestCore(t, config)
  t.equal(core.trust?.repository().roots.length, 3)
  const waiting = await core.administration.rotate({ what: 'tsa', dryRun: false })
  t.equal(waiting.outcome, 'waiting')
  const done = await core.administration.publishTargets(
    await signedBy(waiting.draft ?? '', carried)
  )
  t.equal(done.rotated, 'tsa')
  await t.rejects(core.administration.draftRoot({ role: 'targets', dryRun: false }), {
    code: 'conflict'
  })
  const back = await core.administration.draftRoot({
    role: 'targets',
    publicKeysPem: [herePem],
    threshold: 1,
    dryRun: false
  })
  await core.administration.publishRoot(back.draft, back.description.sha256)
  t.equal(core.trust?.canSign('targets'), true)
  await close()
  const last = await openTestCore(t, config)
  t.match(await last.core.administration.status(), { isPending: false, staged: undefined })
  t.equal((await last.core.administration.rotate({ what: 'tsa', dryRun: false })).outcome, 'done')
})

t.test('keys that a role cannot have', async (t) => {
  const { core } = await openTestCore(t, testConfig(await initLog(t)))
  const { administration } = core
  const [one, two] = [pemOf(await newSigner()), pemOf(await newSigner())]
  const other = encodePem('PUBLIC KEY', (await newSigner('ecdsa-sha2-384-nistp384')).publicKey)
  const cases: [
    name: string,
    keys: readonly string[],
    threshold: number | undefined,
    code: string
  ][] = [
    ['none', [], undefined, 'invalid_request'],
    ['no PEM', ['hello'], undefined, 'invalid_request'],
    ['a private key', [encodePem('PRIVATE KEY', new Uint8Array(8))], undefined, 'invalid_request'],
    ['a damaged key', [encodePem('PUBLIC KEY', new Uint8Array(8))], undefined, 'invalid_request'],
    ['two keys in one text', [one + two], undefined, 'invalid_request'],
    ['one key twice', [one, one], undefined, 'invalid_request'],
    ['another kind of key', [other], undefined, 'unsupported'],
    ['threshold 0', [one, two], 0, 'invalid_request'],
    ['threshold -1', [one, two], -1, 'invalid_request'],
    ['threshold 1.5', [one, two], 1.5, 'invalid_request'],
    ['threshold 3 of 2', [one, two], 3, 'invalid_request']
  ]
  for (const [name, publicKeysPem, threshold, code] of cases) {
    await t.rejects(
      administration.draftRoot({
        role: 'targets',
        publicKeysPem,
        ...(threshold === undefined ? {} : { threshold }),
        dryRun: true
      }),
      { name: 'LogError', code },
      name
    )
  }
  // What must be signed all the time cannot be elsewhere.
  for (const role of ['snapshot', 'timestamp'] as const) {
    const { draft, description } = await administration.draftRoot({
      role,
      publicKeysPem: [one],
      dryRun: false
    })
    await t.rejects(
      administration.publishRoot(draft, description.sha256),
      { code: 'conflict', message: new RegExp(`^the TUF ${role} key .* is missing`) },
      role
    )
  }
  t.equal(core.trust?.repository().roots.length, 1)
})

t.test('drafts that are of no use', async (t) => {
  const { core } = await openTestCore(t, testConfig(await initLog(t)))
  const { administration } = core
  const first = await administration.draftRoot({ dryRun: false })
  const second = await administration.draftRoot({ role: 'timestamp', dryRun: false })
  const targets = await administration.draftTargets()
  await administration.publishRoot(second.draft, second.description.sha256)
  const cases: [name: string, draft: string, sha256: string, code: string][] = [
    ['made before another root', first.draft, first.description.sha256, 'conflict'],
    ['of targets', targets.draft, targets.description.sha256, 'invalid_request'],
    ['nothing', '', '', 'invalid_request'],
    ['no JSON', 'hello', '', 'invalid_request'],
    ['cut short', second.draft.slice(0, -20), second.description.sha256, 'invalid_request']
  ]
  for (const [name, draft, sha256, code] of cases) {
    await t.rejects(administration.publishRoot(draft, sha256), { name: 'LogError', code }, name)
  }
  t.equal(core.trust?.repository().roots.length, 2)
})

t.test('a key that must be here and is not', async (t) => {
  const dataDir = await initLog(t)
  const folder = join(dataDir, 'keys')
  const safe = tempFolder(t)
  const nameOf = (role: TufRole) =>
    readdirSync(folder).find((name) => name.startsWith(`tuf-${role}-`)) ?? ''
  for (const role of ['snapshot', 'timestamp'] as const) {
    const name = nameOf(role)
    renameSync(join(folder, name), join(safe, name))
    await t.rejects(
      startTestServer(t, testConfig(dataDir)),
      {
        code: 'conflict',
        message:
          `the TUF ${role} key ${join(folder, name)} is missing: restore it from your backup, or replace it with ` +
          `sigstead rotate tuf-${role}`
      },
      role
    )
    renameSync(join(safe, name), join(folder, name))
  }
  // The same for keys that are lost: what replaces them works on a stopped server.
  for (const role of ['snapshot', 'timestamp'] as const) {
    rmSync(join(folder, nameOf(role)))
    const { administration, close } = await openAdministration(testConfig(dataDir), serverOptions())
    const { draft, description } = await administration.draftRoot({ role, dryRun: false })
    t.same(description.missing, [
      { rootVersion: description.version - 1, signatures: 0 },
      { rootVersion: description.version, signatures: 0 }
    ])
    await administration.publishRoot(draft, description.sha256)
    await close()
  }
  const mended = await startTestServer(t, testConfig(dataDir, { 'public-url': URL }))
  t.equal(await (await newTufClient(t, mended.listenUrl))(), 3, 'clients follow')
  await mended.close()
  for (const role of ['root', 'targets'] as const) {
    const name = nameOf(role)
    renameSync(join(folder, name), join(safe, name))
  }
  const { core } = await openTestCore(
    t,
    testConfig(dataDir, { 'public-url': 'http://127.0.0.1:3000' })
  )
  t.equal(core.trust?.canSign('targets'), false, 'these may be elsewhere')
  t.equal(core.trust?.isPending(), false)
})
