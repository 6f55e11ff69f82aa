import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { encodePem } from '../../src/encoding/pem.js'
import type { CalendarEntry } from '../../src/trust/expiry.js'
import { certificate, utcTime } from '../helpers/certificates.js'
import { CEREMONY_URL, initWithCeremony } from '../helpers/ceremony.js'
import { initLog, startTestServer, tempFolder, testConfig } from '../helpers/cli.js'
import { openTestCore } from '../helpers/open-core.js'
import { administrationOf } from '../helpers/whole-server.js'

const DAY_MS = 86_400_000
const TUF = ['TUF root', 'TUF targets', 'TUF snapshot', 'TUF timestamp']

/** PEM of a certificate that ends in so many days. */
function pemOf(days: number): string {
  const time = (ms: number) =>
    utcTime(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`)
  const der = certificate({
    notBefore: time(Date.now() - 400 * DAY_MS),
    notAfter: time(Date.now() + days * DAY_MS)
  })
  return encodePem('CERTIFICATE', der)
}

function file(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** Clocks that only go when they are told to. */
function clocks() {
  let passedMs = 0
  const startMs = Date.now()
  return {
    now: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    pass: (ms: number) => {
      passedMs += ms
    }
  }
}

function find(calendar: readonly CalendarEntry[], what: string): CalendarEntry | undefined {
  return calendar.find((entry) => entry.what === basename(what))
}

async function healthOf(url: string): Promise<unknown> {
  const response = await fetch(`${url}/healthz`)
  return { code: response.status, ...((await response.json()) as object) }
}

t.test('everything that can expire, in days', async (t) => {
  const folder = tempFolder(t)
  const proxy = file(folder, 'proxy.pem', pemOf(200.5) + pemOf(100.5))
  const config = testConfig(await initLog(t), {
    'metrics-listen': '127.0.0.1:0',
    'trust-watch-files': ` ${proxy} , ${proxy},`
  })
  const server = await startTestServer(t, config)
  const { calendar } = await (await administrationOf(config)).status()
  t.strictSame(
    calendar.map(({ what }) => what).sort(),
    [basename(proxy), 'certificate authority', 'timestamp authority', ...TUF].sort(),
    'each once'
  )
  t.match(find(calendar, proxy), { daysLeft: 100, state: 'ok' }, 'the first of a chain that ends')
  const daysOf = (what: string) => find(calendar, what)?.daysLeft ?? 0
  t.ok([29, 30].includes(daysOf('TUF timestamp')))
  t.ok([729, 730].includes(daysOf('TUF root')))
  t.strictSame(
    calendar.map(({ expiresSeconds }) => expiresSeconds),
    calendar.map(({ expiresSeconds }) => expiresSeconds).sort((a, b) => a - b)
  )
  t.strictSame(await healthOf(server.publicUrl), { code: 200, status: 'ok' })

  const text = await (await fetch(`${server.metricsUrl}/metrics`)).text()
  for (const { what, expiresSeconds } of calendar) {
    const line = text
      .split('\n')
      .find((line) => line.startsWith(`sigstead_expiry_days_remaining{what="${what}"} `))
    const days = (expiresSeconds * 1000 - Date.now()) / DAY_MS
    t.ok(Math.abs(Number(line?.split(' ').at(-1)) - days) < 0.01, `${what}: ${line}`)
  }
})

t.test('what the server does not have cannot expire', async (t) => {
  const flags = { 'tsa-enabled': 'false', 'ca-enabled': 'false', 'tuf-enabled': 'false' }
  const { core } = await openTestCore(t, testConfig(await initLog(t), flags))
  t.strictSame(core.calendar(), [])
})

t.test('watched files that are wrong stop the start', async (t) => {
  const dataDir = await initLog(t)
  const folder = tempFolder(t)
  const good = file(folder, 'good.pem', pemOf(100))
  const key = encodePem('PRIVATE KEY', new Uint8Array(8))
  mkdirSync(join(folder, 'folder'))
  const cases: [path: string, message: RegExp][] = [
    [join(folder, 'none.pem'), /cannot be read: ENOENT$/],
    [join(folder, 'folder'), /cannot be read: EISDIR$/],
    [file(folder, 'empty.pem', ''), /./],
    [file(folder, 'text.pem', 'hello'), /./],
    [file(folder, 'key.pem', pemOf(100) + key), /PRIVATE KEY/],
    [file(folder, 'damaged.pem', encodePem('CERTIFICATE', new Uint8Array(8))), /./]
  ]
  for (const [path, message] of cases) {
    for (const names of [path, `${good},${path}`]) {
      const config = testConfig(dataDir, { 'trust-watch-files': names })
      const err = await startTestServer(t, config).then(
        () => undefined,
        (err: unknown) => err as Error & { code: string }
      )
      t.equal(err?.code, 'invalid_request')
      t.match(err?.message, message)
      t.ok(err?.message.startsWith(`trust.watchFiles ${path}`), `${err?.message}`)
    }
  }
})

t.test('watched files are read again, each for itself', async (t) => {
  const folder = tempFolder(t)
  const [one, two] = [file(folder, 'one.pem', pemOf(3.5)), file(folder, 'two.pem', pemOf(5.5))]
  const dataDir = await initLog(t)
  const time = clocks() // nothing in there is from its future
  const config = testConfig(dataDir, { 'trust-watch-files': `${one},${two}` })
  const { core, lines } = await openTestCore(t, config, time)
  const daysOf = (name: string) => find(core.calendar(), name)?.daysLeft
  t.strictSame([daysOf(one), daysOf(two)], [3, 5])
  t.equal(find(core.calendar(), one)?.state, 'soon')
  writeFileSync(one, pemOf(90.5))
  time.pass(30_000)
  t.equal(daysOf(one), 3, 'not at every look')
  time.pass(31_000)
  t.equal(daysOf(one), 90)
  t.equal(find(core.calendar(), one)?.state, 'ok')

  rmSync(one)
  writeFileSync(two, pemOf(80.5))
  time.pass(61_000)
  t.strictSame([daysOf(one), daysOf(two)], [90, 80], 'it is as it was, and the other is read')
  const told = () => lines.filter(({ msg }) => msg === 'a watched file cannot be read')
  t.match(told(), [
    { level: 40, err: { message: `trust.watchFiles ${one} cannot be read: ENOENT` } }
  ])
  writeFileSync(one, 'half of it')
  time.pass(61_000)
  t.equal(daysOf(one), 90)
  t.equal(told().length, 2)
  writeFileSync(one, pemOf(70.5))
  time.pass(61_000)
  t.equal(daysOf(one), 70)
  t.equal(told().length, 2)
})

t.test('what is near its end, and what is past it, degrades and stops nobody', async (t) => {
  const folder = tempFolder(t)
  const proxy = file(folder, 'proxy.pem', pemOf(3.5))
  const dataDir = await initLog(t, ['--ca-root-validity-days', '40'])
  const time = clocks()
  const config = testConfig(dataDir, {
    'trust-watch-files': proxy,
    'metrics-listen': '127.0.0.1:0'
  })
  const server = await startTestServer(t, config, { now: time.now })
  t.match(await healthOf(server.publicUrl), {
    code: 200,
    status: 'degraded',
    reason: `${basename(proxy)} expires in 3 days`
  })
  await server.close()
  time.pass(41.5 * DAY_MS)
  const later = await startTestServer(t, config, { now: time.now })
  t.match(await healthOf(later.publicUrl), {
    code: 200,
    status: 'degraded',
    reason: `${basename(proxy)} has expired, certificate authority has expired`
  })
  const { calendar } = await (await administrationOf(config)).status()
  t.match(find(calendar, 'certificate authority'), { daysLeft: -2, state: 'expired' })
  t.match(
    find(calendar, 'TUF timestamp'),
    { daysLeft: 30, state: 'ok' },
    'signed again at the start'
  )
  const text = await (await fetch(`${later.metricsUrl}/metrics`)).text()
  t.match(text, /^sigstead_expiry_days_remaining\{what="certificate authority"\} -1\.[45]\d*$/m)
  await (await administrationOf(config)).rotate({ what: 'ca', dryRun: false })
  await new Promise((resolve) => setTimeout(resolve, 1100)) // it is read once a second
  t.match(await healthOf(later.publicUrl), { reason: `${basename(proxy)} has expired` })
})

t.test('TUF metadata that nobody here can renew are told of in time', async (t) => {
  const lifetimes = [
    '--tuf-root-days',
    '20',
    '--tuf-targets-days',
    '20',
    '--tuf-timestamp-days',
    '20'
  ]
  const flags = Object.fromEntries([
    ...Array.from({ length: 3 }, (_, i) => [lifetimes[2 * i]?.slice(2), lifetimes[2 * i + 1]]),
    ['public-url', CEREMONY_URL]
  ]) as Record<string, string>
  const site = await initWithCeremony(t, ['--offline-targets', ...lifetimes])
  const { core } = await openTestCore(t, testConfig(site.dataDir, flags))
  const states = TUF.map((what) => find(core.calendar(), what)?.state)
  t.strictSame(states, ['soon', 'soon', 'ok', 'ok'])

  const online = await openTestCore(t, testConfig(await initLog(t, lifetimes), flags))
  t.strictSame(
    TUF.map((what) => find(online.core.calendar(), what)?.state),
    ['soon', 'ok', 'ok', 'ok'],
    'the server renews all but the root'
  )
})
