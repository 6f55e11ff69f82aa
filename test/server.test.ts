import { request as httpRequest } from 'node:http'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import type { Config } from '../src/config/schema.js'
import {
  artifactKey,
  initLog,
  proposal,
  runCommand,
  startTestServer,
  tempFolder,
  testConfig,
  upload
} from './helpers/cli.js'

const key = artifactKey()

function keyFile(dataDir: string): string {
  const names = readdirSync(join(dataDir, 'keys'))
  return join(dataDir, 'keys', names.find((name) => name.startsWith('rekor-')) ?? '')
}

async function getJson(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function isListening(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false
  )
}

t.test('serves, stops, and goes on where it was', async (t) => {
  const dataDir = await initLog(t)
  const first = await startTestServer(t, testConfig(dataDir))
  t.equal(first.publicUrl, first.listenUrl)
  t.match(first.publicUrl, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal(first.metricsUrl, undefined)
  t.equal(first.origin, `127.0.0.1 - ${first.treeId}`)
  const entryId = await upload(first.publicUrl, 'a', key)
  t.strictSame(await getJson(`${first.publicUrl}/healthz`), { status: 200, body: { status: 'ok' } })
  const page = await (await fetch(first.publicUrl)).text()
  t.match(page, /<!doctype html>[^]*Entries<\/dt><dd>2</)
  await first.close()
  t.notOk(await isListening(first.publicUrl), 'no longer there')
  await t.resolves(first.close(), 'closing twice is closing once')

  const second = await startTestServer(t, testConfig(dataDir))
  t.equal(second.logId, first.logId)
  t.equal((await getJson(`${second.publicUrl}/api/v1/log/entries/${entryId}`)).status, 200)
  await upload(second.publicUrl, 'b', key)
  t.equal((await getJson(`${second.publicUrl}/api/v1/log`)).body.treeSize, 3)
})

t.test('the log of requests is JSON with their ids', async (t) => {
  const server = await startTestServer(t, testConfig(await initLog(t)))
  await fetch(`${server.publicUrl}/api/v1/log?x=1`, { headers: { 'x-request-id': 'my-id' } })
  await server.close()
  const line = server.log.find(({ msg }) => msg === 'request')
  t.match(line, { requestId: 'my-id', method: 'GET', path: '/api/v1/log?x=1', code: 200 })
})

t.test('metrics have a listener of their own', async (t) => {
  const server = await startTestServer(
    t,
    testConfig(await initLog(t), { 'metrics-listen': '127.0.0.1:0' })
  )
  const { publicUrl, metricsUrl = '' } = server
  await upload(publicUrl, 'a', key)
  for (let i = 0; i < 50; i++) {
    await fetch(`${publicUrl}/api/v1/log/entries/${String(i).padStart(64, '0')}`)
    await fetch(`${publicUrl}/no/such/${i}`)
    await fetch(`${publicUrl}/api/v1/log/entries?logIndex=${i}&x${i}=1`)
  }
  await fetch(`${publicUrl}/api/v1/index/retrieve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"hash":"sha256:' + 'ab'.repeat(32) + '"}'
  })
  const response = await fetch(`${metricsUrl}/metrics`)
  t.match(response.headers.get('content-type'), /^text\/plain; version=0.0.4/)
  const text = await response.text()
  t.match(text, /^rekor_new_entries 1$/m)
  t.match(
    text,
    /^rekor_qps_by_api\{path="\/api\/v1\/log\/entries\/\{entryUUID\}",method="GET",code="404"\} 50$/m
  )
  t.match(text, /^rekor_qps_by_api\{path="\/api\/v1\/log\/entries",method="POST",code="201"\} 1$/m)
  t.match(text, /^rekor_index_storage_latency_summary_count\{success="true"\} 1$/m)
  t.match(
    text,
    new RegExp(`^rekor_checkpoint_publish\\{shard="${server.treeId}",code="SUCCESS"\\} 1$`, 'm')
  )
  t.match(text, new RegExp(`^sigstead_tree_size\\{tree_id="${server.treeId}"\\} 2$`, 'm'))
  t.match(text, /^sigstead_commit_seconds_count 1$/m)
  t.match(text, /^sigstead_publish_seconds_count 1$/m)
  t.match(text, /^sigstead_queue_leaves 0$/m)
  t.match(text, /^sigstead_checkpoint_age_seconds \d/m)
  t.match(text, /^process_resident_memory_bytes /m)
  const paths = new Set([...text.matchAll(/path="([^"]*)"/g)].map(([, path = '']) => path))
  t.strictSame(
    [...paths].sort(),
    ['/api/v1/index/retrieve', '/api/v1/log/entries', '/api/v1/log/entries/{entryUUID}'],
    'templates only, whatever is asked'
  )

  t.equal((await fetch(`${metricsUrl}/`)).status, 404)
  t.equal((await fetch(`${metricsUrl}/metrics/x`)).status, 404)
  t.equal((await fetch(`${metricsUrl}/metrics?x=1`)).status, 200)
  const posted = await fetch(`${metricsUrl}/metrics`, { method: 'POST', body: 'x'.repeat(1e6) })
  t.equal(posted.status, 405)
  t.equal((await fetch(`${publicUrl}/metrics`)).status, 404, 'and not where strangers are')
  await server.close()
  t.notOk(await isListening(metricsUrl))
})

t.test('healthz goes stale with the log', async (t) => {
  const dataDir = await initLog(t)
  let offsetMs = 0
  const config = testConfig(dataDir, { 'health-max-age-ms': '1000' })
  const server = await startTestServer(t, config, { now: () => Date.now() + offsetMs })
  const { publicUrl } = server
  t.equal((await getJson(`${publicUrl}/healthz`)).status, 200)
  offsetMs = 10_000 // ten seconds pass in which nothing was proved
  const stale = await getJson(`${publicUrl}/healthz`)
  t.equal(stale.status, 503)
  t.match(stale.body, {
    status: 'failing',
    reason: /^no proof for \d+ s that the log can be written$/
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  t.equal((await getJson(`${publicUrl}/healthz`)).status, 200, 'until the idle log proves itself')
})

t.test('healthz says so when the log has stopped, and reads go on', async (t) => {
  const dataDir = await initLog(t)
  const config = testConfig(dataDir, { 'health-max-age-ms': '1000' })
  const server = await startTestServer(t, config)
  const { publicUrl } = server
  // Another checkpoint than the one that was published: what a forked or patched database looks like.
  const database = new Sqlite(join(dataDir, 'sigstead.db'))
  database.exec("update checkpoint set note = replace(note, '127.0.0.1', '127.0.0.2')")
  database.close()
  let health = await getJson(`${publicUrl}/healthz`)
  for (let i = 0; i < 100 && health.status === 200; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    health = await getJson(`${publicUrl}/healthz`)
  }
  t.strictSame(health, { status: 503, body: { status: 'failing', reason: 'the log has stopped' } })
  await t.rejects(upload(publicUrl, 'a', key), { message: /^500: / })
  t.equal((await getJson(`${publicUrl}/api/v1/log/entries?logIndex=0`)).status, 200)
  t.ok(
    server.log.some(
      ({ msg, level }) => msg === 'the log has stopped: run sigstead verify' && level === 60
    )
  )
})

t.test('an authority that has expired: the logs go on, certificates are refused', async (t) => {
  const dataDir = await initLog(t, ['--ca-root-validity-days', '1'])
  const twoDaysLater = () => Date.now() + 2 * 86_400_000
  const server = await startTestServer(t, testConfig(dataDir), { now: twoDaysLater })
  t.match(
    server.log.find(({ level }) => level === 50),
    { msg: /certificate authority has expired and issues nothing/, expired: String }
  )
  await upload(server.publicUrl, 'a', key)
  const root = await fetch(`${server.listenUrl}/api/v1/rootCert`)
  t.equal(root.status, 200, 'auditors can still read it')
})

t.test('a start that must not happen', async (t) => {
  const made = await initLog(t)
  const encrypted = join(tempFolder(t), 'data')
  await runCommand(['init', '--data-dir', encrypted], {
    environment: { SIGSTEAD_LOG_KEY_PASSPHRASE: 'right' }
  })
  const passphraseFile = join(tempFolder(t), 'passphrase')
  writeFileSync(passphraseFile, 'wrong')

  /** A copy to be spoilt. */
  function copy(dataDir: string): string {
    const spoilt = join(tempFolder(t), 'data')
    cpSync(dataDir, spoilt, { recursive: true })
    return spoilt
  }

  const grown = copy(made)
  const server = await startTestServer(t, testConfig(grown))
  await upload(server.publicUrl, 'a', key)
  await server.close()

  const cases: [
    name: string,
    base: string,
    spoil: (dataDir: string) => void | Promise<void>,
    flags: Record<string, string>,
    message: RegExp
  ][] = [
    [
      'a foreign key under the right name',
      made,
      async (dataDir) => copyFileSync(keyFile(await initLog(t)), keyFile(dataDir)),
      {},
      /^the key in rekor-.*\.pem \(log id .*\) is not the one this log was created with .* Put the original key back/
    ],
    [
      'no key',
      made,
      (dataDir) => rmSync(keyFile(dataDir)),
      {},
      /^log key .*\.pem does not exist: restore it from your backup$/
    ],
    [
      'a key that others can read',
      made,
      (dataDir) => chmodSync(keyFile(dataDir), 0o644),
      {},
      /^log key .* is open to other users \(mode 0644\): run chmod 600 /
    ],
    [
      'no passphrase',
      encrypted,
      () => undefined,
      {},
      /is encrypted .* set SIGSTEAD_LOG_KEY_PASSPHRASE_FILE$/
    ],
    [
      'a wrong passphrase',
      encrypted,
      () => undefined,
      { 'log-key-passphrase-file': passphraseFile },
      /: the private key cannot be decrypted: wrong passphrase or damaged file$/
    ],
    [
      'another host name than the log has',
      made,
      () => undefined,
      { 'public-url': 'http://rekor.test', 'log-hostname': 'rekor.test' },
      /^the log was created as "127\.0\.0\.1 - \d+" but is configured as "rekor\.test - \d+"\. Set the host name back/
    ],
    [
      'a public URL without the host name',
      made,
      () => undefined,
      { 'public-url': 'http://rekor.test' },
      /signed as 127\.0\.0\.1, which does not occur in its public URL http:\/\/rekor\.test: .* Set --public-url/
    ],
    [
      'an altered origin',
      made,
      (dataDir) =>
        sql(dataDir, "update tree set origin = replace(origin, '127.0.0.1', '127.0.0.2')"),
      { 'public-url': 'http://127.0.0.2' },
      /^checkpoint of tree \d+ at size 1 is of "127\.0\.0\.1 - \d+", want "127\.0\.0\.2 - \d+"$/
    ],
    [
      'an altered checkpoint',
      made,
      (dataDir) =>
        sql(dataDir, "update checkpoint set note = replace(note, '127.0.0.1', '127.0.0.2')"),
      {},
      /^checkpoint of tree \d+ at size /
    ],
    [
      'entries cut off behind the checkpoint',
      grown,
      (dataDir) => {
        sql(dataDir, 'pragma foreign_keys = off; update tree set tree_size = 1')
      },
      {},
      /^the log was published with 2 entries but holds 1: the database is damaged .* Restore the newest complete/
    ],
    [
      'a file cut short',
      grown,
      (dataDir) => truncateSync(join(dataDir, 'sigstead.db'), 3 * 4096),
      {},
      /sigstead\.db: database disk image is malformed\. Restore the newest complete backup$/
    ],
    [
      'not a database',
      made,
      (dataDir) => writeFileSync(join(dataDir, 'sigstead.db'), 'x'.repeat(100_000)),
      {},
      /sigstead\.db: file is not a database/
    ],
    [
      'an empty database file',
      made,
      (dataDir) => writeFileSync(join(dataDir, 'sigstead.db'), ''),
      {},
      /^the database holds no tree: restore it from a backup, or make a new log in another directory$/
    ],
    [
      'no database',
      made,
      (dataDir) => renameSync(join(dataDir, 'sigstead.db'), join(dataDir, 'x')),
      {},
      /has files in it but no sigstead\.db: name the right one, or restore it/
    ]
  ]
  for (const [name, base, spoil, flags, message] of cases) {
    const dataDir = copy(base)
    await spoil(dataDir)
    await t.rejects(
      startTestServer(t, testConfig(dataDir, flags)),
      { name: 'LogError', message },
      name
    )
    // Nothing stays open: the lock is free again.
    const other = await runCommand(['shard', 'rotate', '--data-dir', dataDir])
    t.notMatch(other.stderr, /in use/, name)
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

t.test('a public URL that only follows from the address is worth a warning', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir, { listen: 'localhost:0' }))
  t.match(server.publicUrl, /^http:\/\/localhost:\d+$/)
  t.ok(server.log.some(({ msg }) => /signed as 127.0.0.1, .* set --public-url/.test(String(msg))))
})

t.test('addresses that cannot be had', async (t) => {
  const dataDir = await initLog(t)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => taken.close(resolve)))
  const { port } = taken.address() as { port: number }
  const cases: [flags: Record<string, string>, message: RegExp][] = [
    [
      { listen: `127.0.0.1:${port}` },
      new RegExp(
        `^cannot listen on 127.0.0.1:${port}: the address is in use, perhaps by another server. Choose another address with --listen$`
      )
    ],
    [
      { 'metrics-listen': `127.0.0.1:${port}` },
      /^cannot listen on .*: the address is in use, .* with --metrics-listen \(or off\)$/
    ],
    [
      { listen: '192.0.2.1:0' },
      /^cannot listen on 192.0.2.1:0: this machine does not have that address/
    ],
    [
      { listen: 'no.such.host.invalid:0' },
      /^cannot listen on no.such.host.invalid:0: (there is no such host|the host name cannot)/
    ]
  ]
  for (const [flags, message] of cases) {
    await t.rejects(startTestServer(t, testConfig(dataDir, flags)), { code: 'conflict', message })
  }
  const server = await startTestServer(t, testConfig(dataDir))
  await t.rejects(startTestServer(t, testConfig(dataDir)), {
    code: 'conflict',
    message: /is in use: another process writes to it/
  })
  t.ok(await isListening(server.publicUrl), 'the first is not disturbed')
})

t.test('what was accepted is answered and published before the stop', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  const uploads = Array.from({ length: 40 }, (_, i) => upload(server.publicUrl, `text ${i}`, key))
  // All are on their way once the first is done.
  await Promise.race(uploads)
  await server.close()
  const outcomes = await Promise.allSettled(uploads)
  const ids = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  t.ok(ids.length > 0)
  const again = await startTestServer(t, testConfig(dataDir))
  for (const id of ids) {
    t.equal((await getJson(`${again.publicUrl}/api/v1/log/entries/${id}`)).status, 200, id)
  }
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('a client that does not finish its request does not hold the stop', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir, { 'shutdown-ms': '300' }))
  const { port } = new URL(server.publicUrl)
  const slow = httpRequest({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/api/v1/log/entries',
    headers: { 'content-type': 'application/json', 'content-length': 1000 }
  })
  const cut = new Promise((resolve) => slow.once('error', resolve))
  slow.write('{')
  await new Promise((resolve) => setTimeout(resolve, 100))
  const startedMs = performance.now()
  await t.rejects(server.close(), {
    code: 'timeout',
    message: /^some requests were not answered within 300 ms; what the log had taken is published$/
  })
  t.ok(performance.now() - startedMs < 3000)
  await cut
  const again = await startTestServer(t, testConfig(dataDir))
  t.ok(again, 'everything was closed all the same')
})

t.test('a body above the limit', async (t) => {
  const flags = { 'max-request-body-bytes': '2000' }
  const server = await startTestServer(t, testConfig(await initLog(t), flags))
  const response = await fetch(`${server.publicUrl}/api/v1/log/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ x: 'y'.repeat(3000) })
  })
  t.equal(response.status, 413)
  t.match(await response.json(), { code: 413, message: /2000/ })
})

t.test('what the operator switched off', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(
    t,
    testConfig(dataDir, {
      'rekor-endpoints': 'getLogInfo,createLogEntry',
      'rekor-entry-types': 'dsse'
    })
  )
  t.equal((await getJson(`${server.publicUrl}/api/v1/log`)).status, 200)
  t.match(await getJson(`${server.publicUrl}/api/v1/log/entries?logIndex=0`), {
    status: 501,
    body: { code: 501 }
  })
  await t.rejects(upload(server.publicUrl, 'a', key), {
    message: /^400: .*not enabled for submission/
  })
})

t.test('verification on threads', async (t) => {
  const dataDir = await initLog(t)
  const config: Config = testConfig(dataDir, { 'rekor-verify-workers': '1' })
  const server = await startTestServer(t, config)
  await upload(server.publicUrl, 'a', key)
  const bad = proposal('a', key) as { spec: { data: { hash: { value: string } } } }
  bad.spec.data.hash.value = '00'.repeat(32)
  const response = await fetch(`${server.publicUrl}/api/v1/log/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(bad)
  })
  t.equal(response.status, 400)
  await server.close()
})
