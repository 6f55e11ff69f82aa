import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import {
  type CliResult,
  initLog,
  runCommand,
  startTestServer,
  type Teardown,
  tempFolder,
  testConfig
} from '../helpers/cli.js'

interface Finding {
  readonly severity: string
  readonly where: string
  readonly message: string
}

const GOOD = [
  'bootstrap/trusted_root.json',
  'bootstrap/signing_config.v0.2.json',
  'api/v1/log/publicKey',
  'api/v1/timestamp/certchain',
  'tuf/1.root.json'
]

async function download(url: string, path: string, folder: string): Promise<string> {
  const response = await fetch(`${url}/${path}`)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  const file = join(folder, path.replaceAll('/', '-'))
  writeFileSync(file, Buffer.from(await response.arrayBuffer()))
  return file
}

function check(file: string, server: string, ...flags: string[]): Promise<CliResult> {
  return runCommand(['trust', 'check', file, '--server', server, ...flags])
}

async function findingsOf(file: string, server: string) {
  const { code, stdout, stderr } = await check(file, server, '--json')
  if (stderr !== '') throw new Error(stderr)
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] }
  return { code, findings, errors: findings.filter(({ severity }) => severity === 'error') }
}

t.test('good, then stale, then gone', async (t) => {
  const folder = tempFolder(t)
  const dataDir = await initLog(t)
  const { publicUrl } = await startTestServer(t, testConfig(dataDir))
  const files = await Promise.all(GOOD.map((path) => download(publicUrl, path, folder)))
  for (const file of files) {
    const { code, findings } = await findingsOf(file, publicUrl)
    t.equal(code, 0, file)
    t.ok(findings.length > 0)
    t.ok(
      findings.every(({ severity }) => severity === 'ok'),
      JSON.stringify(findings)
    )
  }
  const [trustedRoot = '', signingConfig = '', logKey = '', tsaChain = '', root = ''] = files
  const text = await check(trustedRoot, `${publicUrl}/`)
  t.equal(text.code, 0)
  const [title, ...lines] = text.stdout.trimEnd().split('\n')
  t.equal(title, `${trustedRoot} beside ${publicUrl}:`)
  for (const line of lines) t.match(line, /^ok {6}\S/)

  for (const part of ['log', 'ct', 'ca', 'tsa', 'tuf-root']) {
    const publish = part === 'tuf-root' ? ['--publish'] : []
    const rotated = await runCommand(['rotate', part, '--data-dir', dataDir, ...publish])
    t.equal(rotated.code, 0, rotated.stderr)
  }
  const stale = await findingsOf(trustedRoot, publicUrl)
  t.equal(stale.code, 1)
  for (const member of ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities']) {
    t.ok(
      stale.errors.some(({ where }) => where.startsWith(member)),
      `${member}: what signs now is missing`
    )
  }
  t.match(await check(trustedRoot, publicUrl), { code: 1, stdout: /^error {3}tlogs/m })
  t.equal((await findingsOf(signingConfig, publicUrl)).code, 0, 'the addresses are the same')
  for (const file of [logKey, tsaChain, root]) {
    const { findings } = await findingsOf(file, publicUrl)
    t.ok(
      findings.some(({ severity }) => severity !== 'ok'),
      `${file}: ${JSON.stringify(findings)}`
    )
  }
  // Fetched again, all is well.
  for (const path of [...GOOD.slice(0, 4), 'tuf/2.root.json']) {
    const { code, findings } = await findingsOf(await download(publicUrl, path, folder), publicUrl)
    t.equal(code, 0, `${path}: ${JSON.stringify(findings)}`)
  }
})

t.test('of another server, and of nobody', async (t) => {
  const folder = tempFolder(t)
  const mine = await startTestServer(t, testConfig(await initLog(t)))
  const theirs = await startTestServer(t, testConfig(await initLog(t)))
  for (const path of GOOD) {
    const file = await download(theirs.publicUrl, path, folder)
    const { code, errors } = await findingsOf(file, mine.publicUrl)
    t.equal(code, 1, path)
    t.ok(errors.length > 0)
  }
  const stranger = join(folder, 'stranger.pub')
  execFileSync('openssl', ['genpkey', '-algorithm', 'ED25519', '-out', join(folder, 'key')])
  execFileSync('openssl', ['pkey', '-in', join(folder, 'key'), '-pubout', '-out', stranger])
  const privateKey = join(folder, 'key')
  const cases: [name: string, content: string | Buffer | undefined][] = [
    ['empty', ''],
    ['text', 'hello\n'],
    ['brackets', '['],
    ['an empty object', '{}'],
    ['a foreign object', '{"mediaType":"image/png"}'],
    ['deep', '['.repeat(100_000)],
    ['bytes', Buffer.from([0xff, 0xfe, 0, 0x80])],
    ['control characters', '{"mediaType":"\\u001b[2J\\u001b]0;x\\u0007"}']
  ]
  const files = cases.map(([name, content]) => {
    const file = join(folder, name)
    writeFileSync(file, content ?? '')
    return file
  })
  for (const file of [...files, stranger, privateKey]) {
    const result = await check(file, mine.publicUrl)
    t.match(result, { code: 1, stderr: '', stdout: /^error {3}/m }, file)
    const { stdout } = result
    t.notMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/, 'safe for a terminal')
    t.notOk(stdout.includes(readFileSync(privateKey, 'utf8').split('\n')[1] ?? '!'))
  }
})

t.test('files that cannot be read', async (t) => {
  const folder = tempFolder(t)
  const big = join(folder, 'big')
  writeFileSync(big, '')
  truncateSync(big, 16 * 1024 * 1024 + 1)
  const none = 'http://127.0.0.1:1'
  t.match(await check(join(folder, 'absent'), none), { code: 1, stderr: /absent does not exist$/m })
  t.match(await check(folder, none), { code: 1, stderr: /cannot be read: EISDIR$/m })
  t.match(await check(big, none), { code: 1, stderr: /big is larger than 16777216 bytes$/m })
  t.match(await check('/dev/zero', none), { code: 1, stderr: /zero is larger than/ }, 'endless')
  t.match(await runCommand(['trust', 'check', big, '--server', 'ftp://x']), { code: 1 })
  writeFileSync(big, 'x')
  t.match(await check(big, 'ftp://x'), { code: 2, stderr: /--server must be an http or https URL/ })
  t.match(await check(big, none), {
    code: 1,
    stderr: /cannot reach http:\/\/127\.0\.0\.1:1\/boots/
  })
})

t.test('a pipe is a file too', async (t) => {
  const { publicUrl } = await startTestServer(t, testConfig(await initLog(t)))
  const folder = tempFolder(t)
  const file = await download(publicUrl, 'bootstrap/trusted_root.json', folder)
  const pipe = join(folder, 'pipe')
  const { status } = spawnSync('mkfifo', [pipe])
  t.equal(status, 0)
  // Written by another process, for reading waits.
  const writer = spawnSync('sh', ['-c', `cat '${file}' > '${pipe}' &`], { stdio: 'ignore' })
  t.equal(writer.status, 0)
  t.match(await check(pipe, publicUrl), { code: 0 })
})

/** Answers as it likes. */
async function impostor(
  t: Teardown,
  answer: (path: string) => { readonly status: number; readonly body: string }
): Promise<string> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? '')
    response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('servers that are none of ours', async (t) => {
  const folder = tempFolder(t)
  const file = join(folder, 'trusted_root.json')
  writeFileSync(file, '{}')
  const notOurs = /does not say what is to be believed: no sigstead, or one with tuf\.enabled false/
  const off = ['--tuf-enabled', 'false']
  const without = await startTestServer(
    t,
    testConfig(await initLog(t, off), { 'tuf-enabled': 'false' })
  )
  t.match(await check(file, without.publicUrl), { code: 1, stdout: '', stderr: notOurs })
  for (const [status, body] of [
    [404, 'no'],
    [403, 'no'],
    [200, ''],
    [200, '<html>'],
    [200, '{}'],
    [200, '[]'],
    [200, '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":7}']
  ] as const) {
    const url = await impostor(t, () => ({ status, body }))
    const result = await check(file, url)
    t.match(
      result,
      {
        code: 1,
        stdout: '',
        stderr: status === 200 ? /what the server publishes cannot be read: / : notOurs
      },
      `${status} ${body}`
    )
    t.notMatch(result.stderr, /this is a bug/)
  }
  const url = await impostor(t, () => ({ status: 500, body: 'x' }))
  t.match(await check(file, url), { code: 1, stderr: /answered 500$/m })

  // A server whose roots never end is asked for so many, and no more.
  const { publicUrl } = await startTestServer(t, testConfig(await initLog(t)))
  const documents = new Map<string, string>()
  for (const path of GOOD) {
    documents.set(`/${path}`, readFileSync(await download(publicUrl, path, folder), 'utf8'))
  }
  let asked = 0
  const endless = await impostor(t, (path) => {
    if (path.startsWith('/tuf/')) asked++
    const body = documents.get(path) ?? documents.get('/tuf/1.root.json') ?? ''
    return { status: 200, body }
  })
  const root = await download(publicUrl, 'tuf/1.root.json', folder)
  t.equal((await check(root, endless)).stderr.includes('this is a bug'), false)
  t.equal(asked, 256)
  const rootless = await impostor(t, (path) =>
    path.startsWith('/tuf/')
      ? { status: 404, body: '' }
      : { status: 200, body: documents.get(path) ?? '' }
  )
  t.match(await check(root, rootless), { code: 1, stderr: /the server has no TUF repository$/m })
})
