import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import { LogError } from '../../src/errors.js'
import { createBootstrap } from '../../src/server/bootstrap.js'
import { openAdministration } from '../../src/server/open-administration.js'
import { startServer } from '../../src/server.js'
import { expiries } from '../../src/tuf/expiry.js'
import { findGaps } from '../../src/trust/gaps.js'
import { buildTrustedRoot } from '../../src/trust/trusted-root.js'
import type { TufRepository } from '../../src/tuf/contract.js'
import { CEREMONY_URL, initWithCeremony } from '../helpers/ceremony.js'
import { initLog, runCommand, startTestServer, type Teardown, testConfig } from '../helpers/cli.js'
import { openTestCore } from '../helpers/open-core.js'
import { serverOptions } from '../helpers/server-options.js'
import { administrationOf, readThroughTuf, signWith, startIssuer } from '../helpers/whole-server.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const URL = 'http://127.0.0.1:3000'

interface SigningConfig {
  readonly rekorTlogUrls: readonly { readonly url: string; readonly operator: string }[]
}

function versionsOf({ roots, targets, snapshots, timestamp }: TufRepository) {
  return [roots.length, targets[0]?.version, snapshots[0]?.version, timestamp.version]
}

/** Days that each role is still good for. */
function daysLeft(repository: TufRepository | undefined, nowMs: number): readonly number[] {
  if (repository === undefined) throw new Error('no repository')
  return expiries(repository).map(({ expiresSeconds }) =>
    Math.round((expiresSeconds - nowMs / 1000) / 86_400)
  )
}

/** Timers of an hour that are set while `action` runs. */
async function hourlyTimers<R>(
  t: Teardown,
  action: () => Promise<R>
): Promise<readonly [R, readonly (() => void)[], () => number]> {
  const callbacks: (() => void)[] = []
  const timers: NodeJS.Timeout[] = []
  const cleared = new Set<unknown>()
  const [set, clear] = [globalThis.setInterval, globalThis.clearInterval]
  globalThis.setInterval = ((callback: () => void, ms: number) => {
    const timer = set(callback, ms)
    if (ms === HOUR_MS) {
      callbacks.push(callback)
      timers.push(timer)
    }
    return timer
  }) as typeof setInterval
  globalThis.clearInterval = (timer) => {
    cleared.add(timer)
    clear(timer)
  }
  t.teardown(() => {
    globalThis.clearInterval = clear
  })
  try {
    const result = await action()
    return [result, callbacks, () => timers.filter((timer) => !cleared.has(timer)).length]
  } finally {
    globalThis.setInterval = set
  }
}

t.test('a start signs again what was left to grow old', async (t) => {
  const dataDir = await initLog(t)
  const cases: [afterDays: number, changed: readonly boolean[], days: readonly number[]][] = [
    [0.5, [false, false, false, false], [730, 730, 30, 30]],
    [2, [false, false, false, true], [728, 728, 28, 30]],
    [12, [false, false, true, true], [718, 718, 30, 30]],
    [300, [false, true, true, true], [430, 730, 30, 30]],
    [365, [false, false, true, true], [365, 665, 30, 30]]
  ]
  let before = [1, 1, 1, 1] as readonly (number | undefined)[]
  for (const [afterDays, changed, days] of cases) {
    const now = () => Date.now() + afterDays * DAY_MS
    const config = testConfig(dataDir, { 'public-url': URL })
    const { core, close } = await openTestCore(t, config, { now })
    const { trust } = core
    if (trust === undefined) throw new Error('it is on')
    const versions = versionsOf(trust.repository())
    t.strictSame(
      versions.map((version, i) => version !== before[i]),
      changed,
      `after ${afterDays} days`
    )
    const left = daysLeft(trust.repository(), now())
    t.ok(
      left.every((day, i) => Math.abs(day - (days[i] ?? 0)) <= 1),
      `${left.join()} for ${days.join()}`
    )
    before = versions
    await close()
  }
})

t.test('the air-gap profile needs nobody for a year', async (t) => {
  const flags = { 'tuf-lifetimes': 'air-gap', 'public-url': CEREMONY_URL }
  const site = await initWithCeremony(t, ['--offline-targets', '--tuf-lifetimes', 'air-gap'])
  const now = () => Date.now() + 365 * DAY_MS
  const { core } = await openTestCore(t, testConfig(site.dataDir, flags), { now })
  const left = daysLeft(core.trust?.repository(), now())
  t.ok(
    left.every((days) => days > 365),
    left.join()
  )
  t.notOk(core.calendar().some(({ what, state }) => what.startsWith('TUF') && state !== 'ok'))
})

t.test('a server that runs signs again by itself', async (t) => {
  let passedMs = 0
  const now = () => Date.now() + passedMs
  const config = testConfig(await initLog(t), { 'public-url': URL })
  const [opened, callbacks, running] = await hourlyTimers(t, () => openTestCore(t, config, { now }))
  const { core, lines, close } = opened
  const { trust } = core
  if (trust === undefined) throw new Error('it is on')
  t.equal(callbacks.length, 1)
  const tick = async () => {
    for (const callback of callbacks) callback()
    await trust.exclusive(async () => undefined) // after what the timer began
  }
  const first = trust.repository()
  await tick()
  t.equal(trust.repository(), first, 'nothing is due')

  passedMs = 25 * DAY_MS
  await tick()
  t.strictSame(versionsOf(trust.repository()), [1, 1, 2, 2])
  t.strictSame(daysLeft(trust.repository(), now()).slice(2), [30, 30])
  const state = trust.state()

  passedMs = 50 * DAY_MS
  const second = trust.repository()
  sql(
    config.dataDir,
    `create trigger refuse before update on register when new.register_key = 'tuf/repository'
     begin select raise(abort, 'refused by the test'); end`
  )
  await tick()
  t.match(
    lines.filter(({ level }) => level === 50),
    [{ msg: 'TUF metadata were not signed again', err: { message: /refused by the test/ } }]
  )
  t.equal(trust.repository(), second, 'what is shown is what is stored')
  sql(config.dataDir, 'drop trigger refuse')
  await tick()
  t.strictSame(versionsOf(trust.repository()), [1, 1, 3, 3], 'the next hour does it')
  t.equal(trust.state(), state)

  t.equal(running(), 1)
  await close()
  t.equal(running(), 0, 'no timer is left')
})

t.test('another address is published by the next start', async (t) => {
  const dataDir = await initLog(t)
  const first = await startTestServer(t, testConfig(dataDir))
  const configOf = async (url: string) =>
    JSON.parse((await readThroughTuf(url, 'signing_config.v0.2.json')).toString()) as SigningConfig
  t.match((await configOf(first.publicUrl)).rekorTlogUrls, [
    { url: first.publicUrl, operator: '127.0.0.1' }
  ])
  await first.close()
  const proxied = testConfig(dataDir, { 'public-url': 'https://127.0.0.1.example.test/sig' })
  const second = await startTestServer(t, proxied)
  const { rekorTlogUrls } = await configOf(second.listenUrl)
  t.match(rekorTlogUrls, [
    { url: 'https://127.0.0.1.example.test/sig', operator: '127.0.0.1.example.test' }
  ])
  const page = (await (
    await fetch(`${second.listenUrl}/bootstrap`, { headers: { accept: 'application/json' } })
  ).json()) as { publicUrl: string }
  t.equal(page.publicUrl, 'https://127.0.0.1.example.test/sig')
  t.equal(second.rootSha256, first.rootSha256, 'the root is the same')
  await second.close()

  // A command on a stopped server may not know the address: it changes nothing.
  const opened = await openAdministration(testConfig(dataDir), serverOptions())
  t.equal((await opened.administration.status()).publicUrl, 'https://127.0.0.1.example.test/sig')
  t.equal((await opened.administration.status()).isPending, false)
  const report = await opened.administration.rotate({ what: 'log', dryRun: false })
  t.ok(report.changes.every(({ url }) => url === 'https://127.0.0.1.example.test/sig'))
  await opened.close()
})

t.test('what is published, what runs and what is shown agree', async (t) => {
  const { core } = await openTestCore(t, testConfig(await initLog(t), { 'public-url': URL }))
  const { trust, administration } = core
  if (trust === undefined) throw new Error('it is on')
  const bootstrap = createBootstrap(trust, ['https://issuer.example'])
  const first = bootstrap()
  t.equal(bootstrap(), first, 'made once')
  await administration.rotate({ what: 'ca', dryRun: false })
  const second = bootstrap()
  t.not(second, first, 'and anew when something changes')
  t.equal(bootstrap(), second)
  const renewed = await administration.draftRoot({ dryRun: false })
  await administration.publishRoot(renewed.draft, renewed.description.sha256)
  t.not(bootstrap(), second, 'also a root')
  t.equal(bootstrap().tuf.rootSha256, renewed.description.sha256)
  t.strictSame(
    findGaps(buildTrustedRoot(trust.state()), {
      nowSeconds: Math.floor(Date.now() / 1000),
      rekorKeys: [core.rekorLog.generations.current.log.record.publicKey],
      ctKeys: [core.certificates?.ct.active.publicKey ?? new Uint8Array()],
      certificateChains: [core.authority?.current().chain.der ?? []],
      timestampChains: [core.timestamps?.chain() ?? []]
    }),
    []
  )
  t.equal(trust.tufFile('../keys'), undefined)
  t.ok(trust.tufFile('root.json'))
})

t.test('a directory without a repository, and a damaged one', async (t) => {
  const dataDir = await initLog(t, ['--tuf-enabled', 'false'])
  await t.rejects(startTestServer(t, testConfig(dataDir)), {
    code: 'conflict',
    message:
      /has no TUF repository yet: run sigstead init, which adds what is missing, or set tuf\.enabled to false$/
  })
  const without = await startTestServer(t, testConfig(dataDir, { 'tuf-enabled': 'false' }))
  t.equal(without.rootSha256, undefined)
  t.equal((await fetch(`${without.publicUrl}/tuf/root.json`)).status, 404)
  await without.close()
  t.match(await runCommand(['init', '--data-dir', dataDir]), { code: 0 })
  const server = await startTestServer(t, testConfig(dataDir))
  t.ok(server.rootSha256)
  await server.close()
  sql(dataDir, "update register set value = x'7b7d' where register_key = 'tuf/repository'")
  await t.rejects(startTestServer(t, testConfig(dataDir)), { code: 'integrity' })
  await t.rejects(startTestServer(t, testConfig(dataDir)), { code: 'integrity' }, 'not: in use')
})

t.test('a stop waits for a rotation, and the rotation for requests', async (t) => {
  const issuer = await startIssuer(t)
  for (const tuf of ['true', 'false']) {
    const config = testConfig(await initLog(t), {
      'ca-issuers-file': issuer.issuersFile,
      'tuf-enabled': tuf
    })
    const server = await startServer(config, serverOptions())
    const administration = await administrationOf(config)
    const signing = Array.from({ length: 3 }, () =>
      signWith(server.publicUrl, issuer).catch((err: unknown) => err)
    )
    await new Promise((resolve) => setTimeout(resolve, 30))
    const rotating = Promise.allSettled([
      administration.rotate({ what: 'log', dryRun: false }),
      administration.rotate({ what: 'ct', dryRun: false })
    ])
    await new Promise((resolve) => setTimeout(resolve, 10))
    await server.close()
    for (const outcome of await rotating) {
      if (outcome.status === 'fulfilled') t.equal(outcome.value.outcome, 'done')
      else t.ok(outcome.reason instanceof LogError, String(outcome.reason))
    }
    await Promise.all(signing)
    t.match(await runCommand(['verify', '--data-dir', config.dataDir]), { code: 0 })
    const again = await startTestServer(t, config)
    await signWith(again.publicUrl, issuer)
    await again.close()
  }
})

function sql(dataDir: string, statement: string): void {
  const database = new Sqlite(join(dataDir, 'sigstead.db'))
  try {
    database.exec(statement)
  } finally {
    database.close()
  }
}
