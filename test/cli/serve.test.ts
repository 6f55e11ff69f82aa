import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  artifactKey,
  buildCommand,
  type CliProcess,
  initLog,
  proposal,
  runCommand,
  spawnCli,
  tempFolder,
  upload
} from '../helpers/cli.js'

buildCommand()
const key = artifactKey()

// Real processes, as they are started and stopped by people and by service managers.
const ANY_PORT = [
  '--listen',
  '127.0.0.1:0',
  '--metrics-listen',
  'off',
  '--rekor-verify-workers',
  '0'
]

/** Address that a process printed. */
async function urlOf(server: CliProcess): Promise<string> {
  await server.until('cosign verify-blob --key cosign.pub --trusted-root')
  return /^Rekor API {3}(\S+)$/m.exec(server.output().stdout)?.[1] ?? ''
}

t.test('start makes a log, says so, and serves it; the second time it only serves', async (t) => {
  const dataDir = join(tempFolder(t), 'data')
  const first = spawnCli(t, ['start', '--data-dir', dataDir, ...ANY_PORT])
  const url = await urlOf(first)
  t.match(
    first.output().stderr,
    /^there was none in .*data: made tree \d+ with key .*\.pem\n.*certificate log .*\n.*certificate authority .*\n.*timestamp authority .*\n.*TUF repository, SHA-256 of root\.json [0-9a-f]{64} .*\ntranscript with all fingerprints: .*\n/
  )
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  t.match(first.output().stdout, `curl -sSf ${url}/api/v1/log/publicKey -o rekor.pub`)
  const entryId = await upload(url, 'a', key)
  first.child.kill('SIGTERM')
  t.strictSame(await first.ended, { code: 0, signal: null })
  for (const line of first.output().stderr.trim().split('\n').slice(6)) {
    t.doesNotThrow(() => JSON.parse(line), 'the log is JSON')
  }

  const keys = readdirSync(join(dataDir, 'keys'))
  const second = spawnCli(t, ['start', '--data-dir', dataDir, ...ANY_PORT, '--json'])
  await second.until('"publicUrl"')
  const told = JSON.parse(second.output().stdout) as Record<string, string>
  t.notMatch(second.output().stderr, /there was none/)
  t.equal((await fetch(`${told.publicUrl}/api/v1/log/entries/${entryId}`)).status, 200)
  t.strictSame(readdirSync(join(dataDir, 'keys')), keys)
  second.child.kill('SIGINT')
  t.strictSame(await second.ended, { code: 0, signal: null })
})

t.test('start finishes an interrupted init, and never touches anything else', async (t) => {
  const unfinished = await initLog(t)
  writeFileSync(join(unfinished, 'init.unfinished'), '')
  const server = spawnCli(t, ['start', '--data-dir', unfinished, ...ANY_PORT])
  await urlOf(server)
  t.notOk(existsSync(join(unfinished, 'init.unfinished')))
  server.child.kill('SIGTERM')
  t.equal((await server.ended).code, 0)

  const foreign = join(tempFolder(t), 'foreign')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'file'), '')
  t.match(await runCommand(['start', '--data-dir', foreign]), {
    code: 1,
    stderr: /has files in it but no sigstead.db/
  })
  t.strictSame(readdirSync(foreign), ['file'])
})

t.test('serve makes nothing', async (t) => {
  const dataDir = join(tempFolder(t), 'data')
  t.match(await runCommand(['serve', '--data-dir', dataDir]), {
    code: 1,
    stderr: /holds no log: run sigstead init, or sigstead start, which does both\n$/
  })
  t.notOk(existsSync(dataDir))
})

t.test('a failed start is one sentence and exit status 1', async (t) => {
  const dataDir = await initLog(t)
  const first = spawnCli(t, ['serve', '--data-dir', dataDir, ...ANY_PORT])
  const { port } = new URL(await urlOf(first))
  const other = await initLog(t)
  const flags = ['--metrics-listen', 'off', '--rekor-verify-workers', '1']
  const second = spawnCli(t, [
    'serve',
    '--data-dir',
    other,
    '--listen',
    `127.0.0.1:${port}`,
    ...flags
  ])
  t.equal((await second.ended).code, 1)
  t.equal(
    second.output().stderr,
    `sigstead: cannot listen on 127.0.0.1:${port}: the address is in use, perhaps by another server. ` +
      'Choose another address with --listen\n'
  )
  const third = spawnCli(t, ['serve', '--data-dir', dataDir, ...ANY_PORT])
  t.equal((await third.ended).code, 1)
  t.match(
    third.output().stderr,
    /^sigstead: .* is in use: another process writes to it\. [^\n]*\n$/
  )
  first.child.kill('SIGTERM')
  t.equal((await first.ended).code, 0)
})

t.test(
  'uploads under way when SIGTERM comes are answered or refused, and none is lost',
  async (t) => {
    const dataDir = await initLog(t)
    const server = spawnCli(t, ['serve', '--data-dir', dataDir, ...ANY_PORT])
    const url = await urlOf(server)
    await upload(url, 'warm', key)
    const uploads = Array.from({ length: 60 }, (_, i) => upload(url, `text ${i}`, key))
    await Promise.race(uploads)
    server.child.kill('SIGTERM')
    const outcomes = await Promise.allSettled(uploads)
    t.strictSame(await server.ended, { code: 0, signal: null })
    const promised = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    t.ok(promised.length > 0)

    const again = spawnCli(t, ['serve', '--data-dir', dataDir, ...ANY_PORT])
    const newUrl = await urlOf(again)
    for (const id of promised) {
      t.equal((await fetch(`${newUrl}/api/v1/log/entries/${id}`)).status, 200)
    }
    again.child.kill('SIGTERM')
    await again.ended
    t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
  }
)

t.test('a second signal ends it at once', async (t) => {
  const dataDir = await initLog(t)
  const server = spawnCli(t, [
    'serve',
    '--data-dir',
    dataDir,
    ...ANY_PORT,
    '--shutdown-ms',
    '60000'
  ])
  const url = await urlOf(server)
  // A request that never ends keeps the orderly stop waiting.
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
  const endless = fetch(`${url}/api/v1/log/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    duplex: 'half'
  } as RequestInit).then(
    () => 'answered',
    () => 'cut'
  )
  await new Promise((resolve) => setTimeout(resolve, 200))
  server.child.kill('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(server.child.exitCode, null, 'it waits for that request')
  server.child.kill('SIGTERM')
  t.equal((await server.ended).code, 1)
  t.equal(await endless, 'cut')
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('killed at any moment of init, the next one finishes it', async (t) => {
  let interrupted = 0
  for (const delayMs of [0, 1, 2, 4, 8, 16]) {
    const dataDir = join(tempFolder(t), 'data')
    const marker = join(dataDir, 'init.unfinished')
    const victim = spawnCli(t, ['init', '--data-dir', dataDir])
    const deadlineMs = Date.now() + 20_000
    while (!existsSync(marker) && Date.now() < deadlineMs) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    victim.child.kill('SIGKILL')
    await victim.ended
    if (existsSync(marker)) {
      interrupted++
      t.equal((await runCommand(['serve', '--data-dir', dataDir])).code, 1, 'nothing is served')
      const again = await runCommand(['init', '--data-dir', dataDir])
      t.equal(again.code, 0, again.stderr)
    }
    const { code, stdout } = await runCommand(['verify', '--data-dir', dataDir])
    t.equal(code, 0, stdout)
    t.equal(readdirSync(join(dataDir, 'keys')).length, 9)
  }
  t.ok(interrupted > 0, `interrupted ${interrupted} times`)
})

t.test('the passphrase is never shown', async (t) => {
  const dataDir = join(tempFolder(t), 'data')
  const environment = { SIGSTEAD_LOG_KEY_PASSPHRASE: 'hunter2-hunter2' }
  const server = spawnCli(
    t,
    ['start', '--data-dir', dataDir, ...ANY_PORT, '--log-level', 'trace'],
    environment
  )
  const url = await urlOf(server)
  await fetch(`${url}/api/v1/log/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(proposal('a', key))
  })
  server.child.kill('SIGTERM')
  await server.ended
  const { stdout, stderr } = server.output()
  t.notOk(`${stdout}${stderr}`.includes('hunter2'))
  const names = readdirSync(join(dataDir, 'keys'))
  t.equal(names.length, 9)
  for (const name of names) {
    t.match(readFileSync(join(dataDir, 'keys', name), 'utf8'), /ENCRYPTED PRIVATE KEY/, name)
  }
})

t.test('output nobody reads any more', async (t) => {
  const reader = spawnCli(t, ['config', 'table'])
  reader.child.stdout?.destroy()
  t.match(await reader.ended, { signal: null })
  t.notMatch(reader.output().stderr, /EPIPE/)
})
