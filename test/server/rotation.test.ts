import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { LogError } from '../../src/errors.js'
import type { RekorService } from '../../src/rekor/service.js'
import { openRekorService } from '../../src/server/rekor.js'
import { rotate } from '../../src/server/rotation.js'
import { ROTATED_PARTS, type RotateRequest } from '../../src/site/administration.js'
import type { ProposedEntry } from '../../src/entries/entry-type.js'
import type { OpenAuthority } from '../../src/server/authority.js'
import type { Core } from '../../src/server/core.js'
import {
  artifactKey,
  initLog,
  proposal,
  runCommand,
  startTestServer,
  testConfig
} from '../helpers/cli.js'
import { chainFromElsewhere } from '../helpers/offline-root.js'
import { createClientKey } from '../helpers/fulcio-app.js'
import { openTestCore } from '../helpers/open-core.js'
import {
  administrationOf,
  newVerifier,
  readEntry,
  readThroughTuf,
  type RunningIssuer,
  signWith,
  startIssuer
} from '../helpers/whole-server.js'

const URL = 'http://127.0.0.1:3000'
const key = artifactKey()
let texts = 0

const services = new WeakMap<Core, RekorService>()

/** The service over a core, one for each. */
function rekorOf(core: Core): RekorService {
  const rekor = services.get(core) ?? openRekorService(core.foundation, core.rekorLog)
  services.set(core, rekor)
  return rekor
}

/** Logs something new. @returns its log index */
async function log(core: Core): Promise<number> {
  const rekor = rekorOf(core)
  const entry = proposal(`text ${texts++}`, key) as ProposedEntry
  return (await rekor.submit(entry, 1000)).entry.logIndex
}

const CELLS = ['tuf/repository', 'ca/authorities', 'tsa/authorities', 'rotation/staged']

/** Everything that a rotation may change, as a text. */
async function everything({ foundation }: Core): Promise<string> {
  const { paths, database } = foundation
  const cells = await Promise.all(CELLS.map((cell) => database.register.read(cell)))
  const trees = [...(await database.trees('rekor')), ...(await database.trees('ct'))]
  const files = readdirSync(paths.root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('sigstead.db'))
    .sort()
    .map((name) => {
      const file = join(paths.root, name)
      return [name, statSync(file).isFile() ? readFileSync(file, 'utf8') : '']
    })
  return JSON.stringify({
    cells: cells.map((cell) => (cell === undefined ? null : Buffer.from(cell).toString())),
    trees,
    files
  })
}

/** What signs now. */
function inUse({ rekorLog, certificates, authority, timestamps, trust }: Core) {
  return {
    log: rekorLog.generations.current.log.record.treeId,
    ct: certificates?.ct.active.logId,
    ca: authority?.current().chain.der,
    tsa: timestamps?.chain(),
    repository: trust?.repository(),
    state: trust?.state()
  }
}

t.test('a dry run tells what would be, and changes nothing', async (t) => {
  const { core, rotating } = await openTestCore(t, testConfig(await initLog(t)))
  const [before, used] = [await everything(core), inUse(core)]
  for (const what of ROTATED_PARTS) {
    const report = await rotate(rotating(), { what, dryRun: true })
    t.equal(report.outcome, 'dry-run')
    const kind = what === 'log' ? 'rekor' : what
    t.strictSame(
      report.changes.map((change) => [change.kind, change.change]),
      [
        [kind, 'ended'],
        [kind, 'added']
      ],
      what
    )
    t.not(report.keyFile, report.keyFileBefore)
    t.equal(report.closed, undefined)
    t.equal(await everything(core), before, `${what}: not a byte`)
    t.strictSame(inUse(core), used)
  }
})

t.test('a commit that is refused leaves everything as it was', async (t) => {
  const refused = new LogError('internal', 'the disk is full')
  const cases: [name: string, replaced: Parameters<typeof damage>[1]][] = [
    ['the database refuses', 'database'],
    ['somebody else changed what is published', 'cell']
  ]
  function damage(core: Core, how: 'database' | 'cell') {
    const { database } = core.foundation
    const { register } = database
    if (how === 'database') {
      const fail = () => Promise.reject(refused)
      return { createTree: fail, register: { ...register, swapAll: fail } }
    }
    const stale = Buffer.from('other')
    return {
      createTree: (...[tree, cells = []]: Parameters<typeof database.createTree>) =>
        database.createTree(
          tree,
          cells.map((cell) => ({ ...cell, expected: stale }))
        ),
      register: {
        ...register,
        swapAll: (cells: Parameters<typeof register.swapAll>[0]) =>
          register.swapAll(cells.map((cell) => ({ ...cell, expected: stale })))
      }
    }
  }
  const { core, rotating } = await openTestCore(t, testConfig(await initLog(t)))
  for (const [name, how] of cases) {
    for (const what of ROTATED_PARTS) {
      const used = inUse(core)
      const before = JSON.parse(await everything(core)) as { files: [string, string][] }
      const last = await log(core)
      await t.rejects(
        rotate(rotating({ database: damage(core, how) }), { what, dryRun: false }),
        how === 'database' ? refused : { code: 'conflict', message: /changed .*meanwhile$/ },
        `${what}: ${name}`
      )
      const after = JSON.parse(await everything(core)) as { files: [string, string][] }
      t.strictSame({ ...after, files: [] }, { ...before, files: [] }, 'what is stored')
      const names = new Set(after.files.map(([file]) => file))
      t.ok(
        before.files.every(([file]) => names.has(file)),
        'no key is lost'
      )
      t.strictSame(inUse(core), used, 'what signs')
      t.equal(await log(core), last + 1, 'the next entry goes to the same tree')
      t.equal(core.rekorLog.generations.current.log.failure, undefined)
    }
  }
  for (const what of ROTATED_PARTS) {
    t.equal((await rotate(rotating(), { what, dryRun: false })).outcome, 'done', 'as ever')
  }
  await log(core)
})

t.test('what cannot be opened after the commit is told, and can be opened later', async (t) => {
  for (const what of ['log', 'ct'] as const) {
    const { core, rotating } = await openTestCore(t, testConfig(await initLog(t)))
    const broken = () => Promise.reject(new LogError('invalid_request', 'the key is gone'))
    const { rekorLog, certificates } = core
    if (certificates === undefined) throw new Error('it is on')
    const parts =
      what === 'log'
        ? { rekorLog: { ...rekorLog, reopen: broken } }
        : { certificates: { ...certificates, reopen: broken } }
    await t.rejects(rotate(rotating({ parts }), { what, dryRun: false }), {
      message: 'the key is gone'
    })
    const trees = await core.foundation.database.trees(what === 'log' ? 'rekor' : 'ct')
    t.equal(trees.length, 2, `${what}: it has happened`)
    t.equal(core.trust?.isPending(), false, 'and clients are told')
    const generations = () => core[what === 'log' ? 'rekorLog' : 'certificates']?.generations
    if (what === 'log') {
      await t.rejects(log(core), { code: 'overloaded' }, 'nothing is written to the closed tree')
    }
    await t.rejects(
      rotate(rotating(), { what, dryRun: false }),
      { code: 'conflict', message: /of which none are published/ },
      'no tree is closed that was never opened'
    )
    t.equal(
      generations()?.current.log.record.treeId,
      trees[1]?.treeId,
      'but the attempt has opened it'
    )
    if (what === 'log') t.equal(await log(core), 2, 'after its statement')
    t.equal((await rotate(rotating(), { what, dryRun: false })).outcome, 'done')
  }
})

t.test('a running server goes on when its database refuses', async (t) => {
  const issuer = await startIssuer(t)
  const config = testConfig(await initLog(t), { 'ca-issuers-file': issuer.issuersFile })
  const server = await startTestServer(t, config)
  const url = server.publicUrl
  const administration = await administrationOf(config)
  const before = await readThroughTuf(url, 'trusted_root.json')
  const first = await signWith(url, issuer)
  sql(
    config.dataDir,
    `create trigger refuse before update on register when new.register_key = 'tuf/repository'
     begin select raise(abort, 'refused by the test'); end`
  )
  for (const what of ROTATED_PARTS) {
    const during = Promise.all([signWith(url, issuer), signWith(url, issuer)])
    await t.rejects(administration.rotate({ what, dryRun: false }), /refused by the test/, what)
    await during
  }
  const second = await signWith(url, issuer)
  t.strictSame(await readThroughTuf(url, 'trusted_root.json'), before)
  sql(config.dataDir, 'drop trigger refuse')
  const verify = await newVerifier(t, url, issuer)
  await verify(first)
  await verify(second)
  const [log] = (await administration.status()).trees
  await administration.rotate({ what: 'log', dryRun: false })
  const [, entry] = await readEntry(url, `?logIndex=${log?.treeSize ?? 0}`)
  t.equal(entry.logIndex, log?.treeSize)
})

t.test('rotations that are asked for at once happen one after the other', async (t) => {
  for (const tuf of ['true', 'false']) {
    const config = testConfig(await initLog(t), { 'tuf-enabled': tuf })
    const { core, close } = await openTestCore(t, config)
    await log(core)
    const requests: RotateRequest[] = ['log', 'tsa', 'ca', 'log', 'ct', 'ca', 'log'].map(
      (what) => ({ what: what as RotateRequest['what'], dryRun: false })
    )
    const entries = Promise.all(Array.from({ length: 5 }, () => log(core)))
    const reports = await Promise.all(requests.map((r) => core.administration.rotate(r)))
    await entries
    for (const what of ROTATED_PARTS) {
      const files = reports.filter((report) => report.what === what)
      for (const [i, { keyFileBefore }] of files.slice(1).entries()) {
        t.equal(keyFileBefore, files[i]?.keyFile, `${what}: each takes over from the one before`)
      }
    }
    const logs = reports.flatMap(({ what, closed }) =>
      what === 'log' && closed !== undefined ? [closed] : []
    )
    t.equal(logs.length, 3)
    let offset = 0
    for (const closed of logs) {
      t.equal(closed.offset, offset)
      t.ok(closed.treeSize >= 1, 'each begins with its statement')
      offset += closed.treeSize
    }
    t.equal(
      await log(core),
      offset + core.rekorLog.generations.current.active.checkpoint().treeHead.treeSize - 1
    )
    t.equal(core.trust?.isPending() ?? false, false)
    await close()
    t.match(await runCommand(['verify', '--data-dir', config.dataDir]), { code: 0 })
    const again = await openTestCore(t, config)
    await log(again.core)
  }
})

t.test('a new tree with the same key', async (t) => {
  const { core, rotating } = await openTestCore(t, testConfig(await initLog(t)))
  await log(core)
  const published = core.trust?.repository()
  const report = await rotate(rotating(), { what: 'log', dryRun: false, keepKey: true })
  t.equal(report.keyFile, report.keyFileBefore)
  t.strictSame(report.changes, [], 'is the same log to clients')
  t.strictSame(core.trust?.repository(), published)
  t.equal(report.closed?.treeSize, 2)
  t.equal(await log(core), 3)
  // What is published is known as well as before.
  t.equal((await rotate(rotating(), { what: 'log', dryRun: false })).outcome, 'done')
  t.equal(core.trust?.state().rekorLogs.length, 2)
})

t.test('another host name', async (t) => {
  const { core, rotating } = await openTestCore(
    t,
    testConfig(await initLog(t), { 'public-url': 'http://127.0.0.1/localhost' })
  )
  const attempt = (hostname: string) => rotate(rotating(), { what: 'log', dryRun: false, hostname })
  const before = await everything(core)
  await t.rejects(attempt('rekor.example'), {
    code: 'conflict',
    message: /^rekor\.example does not occur in the public URL http:\/\/127\.0\.0\.1\/localhost/
  })
  for (const bad of ['', 'a b', '127.0.0.1\n', '1+1']) {
    await t.rejects(attempt(bad), { code: 'invalid_request', message: /host name/ }, `"${bad}"`)
  }
  t.equal(await everything(core), before, 'no key is made for it')
  const { opened } = await attempt('localhost')
  t.equal(opened?.origin, `localhost - ${opened?.treeId}`)

  const fixed = await openTestCore(
    t,
    testConfig(await initLog(t), { 'log-hostname': '127.0.0.1', 'public-url': URL })
  )
  await t.rejects(rotate(fixed.rotating(), { what: 'log', dryRun: false, hostname: '127.0.0' }), {
    code: 'conflict',
    message: /^log\.hostname of this server is 127\.0\.0\.1/
  })
})

t.test('parts that are off', async (t) => {
  const dataDir = await initLog(t)
  const off = async (t: Test, flags: Record<string, string>) =>
    (await openTestCore(t, testConfig(dataDir, flags))).core.administration
  const cases: [what: RotateRequest['what'], flags: Record<string, string>, message: RegExp][] = [
    ['ca', { 'ca-enabled': 'false' }, /^there is no certificate authority: ca\.enabled is false$/],
    ['tsa', { 'tsa-enabled': 'false' }, /^there is no timestamp authority: tsa\.enabled is false$/],
    [
      'ct',
      { 'ca-enabled': 'false', 'ct-enabled': 'false' },
      /^there is no certificate log: ct\.enabled is false$/
    ]
  ]
  for (const [what, flags, message] of cases) {
    await t.test(what, async (t) => {
      const administration = await off(t, flags)
      for (const dryRun of [true, false]) {
        await t.rejects(administration.rotate({ what, dryRun }), { code: 'conflict', message })
      }
    })
  }
  await t.test('tuf', async (t) => {
    const administration = await off(t, { 'tuf-enabled': 'false' })
    const message = 'there is no TUF repository: tuf.enabled is false'
    await t.rejects(administration.draftRoot({ dryRun: true }), { code: 'conflict', message })
    await t.rejects(administration.draftTargets(), { code: 'conflict', message })
    await t.rejects(administration.publishTargets('x'), { code: 'conflict', message })
    await t.rejects(administration.publishRoot('x', 'y'), { code: 'conflict', message })
    const report = await administration.rotate({ what: 'tsa', dryRun: false })
    t.match(report, { outcome: 'done', changes: [] })
    t.match(await administration.status(), { rootSha256: undefined, isPending: false })
  })
  await t.test('and on again: what changed meanwhile is published', async (t) => {
    const { core } = await openTestCore(t, testConfig(dataDir))
    t.equal(core.trust?.state().timestampAuthorities.length, 2)
    t.equal(core.trust?.isPending(), false)
  })
})

t.test('a chain that was signed elsewhere', async (t) => {
  const config = testConfig(await initLog(t))
  const { core, rotating } = await openTestCore(t, config)
  const chainPem = await chainFromElsewhere(config.dataDir)
  const attempt = (pem: string) => rotate(rotating(), { what: 'ca', dryRun: false, chainPem: pem })
  const before = await everything(core)
  const [issuing = '', root = ''] = chainPem.split(/(?<=END CERTIFICATE-----\n)/)
  const strange = await chainFromElsewhere(await initLog(t))
  const cases: [name: string, pem: string, message: RegExp][] = [
    ['nothing', '', /./],
    ['no certificate', 'hello', /./],
    ['the root first', root + issuing, /there is no key for the first certificate/],
    ['no root', issuing, /./],
    ['of another directory', strange, /there is no key for the first certificate/],
    ['another root', issuing + (strange.split(/(?<=END CERTIFICATE-----\n)/)[1] ?? ''), /./]
  ]
  for (const [name, pem, message] of cases) {
    await t.rejects(attempt(pem), { name: 'LogError', message }, name)
  }
  t.equal(await everything(core), before)
  const report = await attempt(chainPem)
  t.match(report, { outcome: 'done' })
  t.equal(core.authority?.current().chain.certificates.length, 2)
  t.equal(core.certificates?.ct.roots().length, 2, 'its certificates are logged')
  await t.rejects(attempt(chainPem), { code: 'already_exists' })
  await t.rejects(rotate(rotating(), { what: 'ca', dryRun: false }), {
    code: 'conflict',
    message: /was signed elsewhere: make a request with sigstead ca csr/
  })
  t.equal((await attempt(await chainFromElsewhere(config.dataDir))).outcome, 'done')
  t.equal(core.trust?.state().certificateAuthorities.length, 3)
})

const client = createClientKey()

/** A certificate for whom `issuer` knows. */
function issueFrom({ authority }: OpenAuthority, issuer: RunningIssuer) {
  return authority.issue({
    token: issuer.token(),
    key: {
      kind: 'publicKey',
      content: Buffer.from(client.pem),
      proofOfPossession: Buffer.from(client.prove('alice@example.com'), 'base64')
    }
  })
}

t.test('while a log is being replaced writers wait, and readers do not', async (t) => {
  const issuer = await startIssuer(t)
  const flags = { 'ca-issuers-file': issuer.issuersFile }
  const { core, rotating } = await openTestCore(t, testConfig(await initLog(t), flags))
  const { rekorLog, certificates, authority, trust } = core
  const rekor = rekorOf(core)
  if (authority === undefined || certificates === undefined || trust === undefined) {
    throw new Error('all are on')
  }
  const sizeOf = (what: 'log' | 'ct') =>
    what === 'log'
      ? rekorLog.generations.current.active.checkpoint().treeHead.treeSize
      : certificates.ct.active.signedTreeHead().treeSize
  for (const what of ['log', 'ct'] as const) {
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    let arrive = (): void => undefined
    const arrived = new Promise<void>((resolve) => (arrive = resolve))
    const held =
      <R>(reopen: () => Promise<R>) =>
      async () => {
        arrive()
        await gate
        return reopen()
      }
    const used = inUse(core)
    const published = trust.repository()
    const parts =
      what === 'log'
        ? { rekorLog: { ...rekorLog, reopen: held(rekorLog.reopen) } }
        : { certificates: { ...certificates, reopen: held(certificates.reopen) } }
    const rotation = rotate(rotating({ parts }), { what, dryRun: false })
    await arrived
    t.not(trust.repository(), published, `${what}: it is durable, and clients are told`)
    t.strictSame(inUse(core)[what], used[what], 'and not open yet')
    let isWritten = false
    const write = async () => {
      await (what === 'log' ? log(core) : issueFrom(authority, issuer))
      isWritten = true
    }
    const written = write()
    t.equal((await rekor.entryByIndex(0))?.entry.logIndex, 0)
    t.equal((await rekor.logInfo()).treeSize, sizeOf('log'))
    t.type(sizeOf('ct'), 'number')
    await (what === 'log' ? issueFrom(authority, issuer) : log(core)) // the other log goes on
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.equal(isWritten, false, 'whoever writes waits')
    go()
    await rotation
    await written
    t.equal(sizeOf(what), what === 'log' ? 2 : 1, 'and is in the new tree')
  }
})

t.test(
  'a certificate whose log or authority is replaced before its timestamp is checked',
  async (t) => {
    const issuer = await startIssuer(t)
    const flags = { 'ca-issuers-file': issuer.issuersFile }
    const { core, rotating } = await openTestCore(t, testConfig(await initLog(t), flags))
    const { authority, certificates } = core
    if (authority === undefined || certificates === undefined) throw new Error('both are on')
    const issue = () => issueFrom(authority, issuer)
    const ct = certificates.ct as { submitOwn: typeof certificates.ct.submitOwn }
    const { submitOwn } = ct
    for (const moment of ['before', 'after'] as const) {
      for (const what of ['ct', 'ca'] as const) {
        const used = inUse(core)
        ct.submitOwn = async (kind, chain) => {
          if (moment === 'before') await rotate(rotating(), { what, dryRun: false })
          const sct = await submitOwn(kind, chain)
          if (moment === 'after') await rotate(rotating(), { what, dryRun: false })
          return sct
        }
        const { chain } = await issue()
        const [leaf, issuing] = chain.map((der) => new X509Certificate(der))
        t.ok(
          leaf !== undefined && issuing !== undefined && leaf.verify(issuing.publicKey),
          `${what} ${moment}`
        )
        t.strictSame(chain.slice(1), used.ca, 'of the authority it was asked of')
        t.strictNotSame(inUse(core)[what], used[what])
      }
    }
    ct.submitOwn = submitOwn
    t.equal((await issue()).chain.length, 2)
  }
)

function sql(dataDir: string, statement: string): void {
  const database = new Sqlite(join(dataDir, 'sigstead.db'))
  try {
    database.exec(statement)
  } finally {
    database.close()
  }
}
