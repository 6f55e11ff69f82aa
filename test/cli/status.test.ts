import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import {
  artifactKey,
  initLog,
  runCommand,
  startTestServer,
  type Teardown,
  tempFolder,
  testConfig,
  upload
} from '../helpers/cli.js'

const DAY_MS = 86_400_000

interface Status {
  readonly isRunning: boolean
  readonly publicUrl: string
  readonly isPending: boolean
  readonly rootSha256?: string
  readonly trees: readonly { log: string; treeId: string; treeSize: number }[]
  readonly calendar: readonly { what: string; daysLeft: number; state: string }[]
}

async function statusOf(dataDir: string, now = Date.now, ...flags: string[]) {
  const argv = ['status', '--data-dir', dataDir, ...flags]
  const { code, stdout, stderr } = await runCommand([...argv, '--json'], { now })
  if (stderr !== '') throw new Error(stderr)
  return { code, status: JSON.parse(stdout) as Status }
}

t.test('of a stopped server and of one that runs', async (t) => {
  const dataDir = await initLog(t)
  const stopped = await statusOf(dataDir)
  t.equal(stopped.code, 0)
  t.match(stopped.status, {
    isRunning: false,
    publicUrl: 'http://127.0.0.1:3000',
    isPending: false,
    trees: [
      { log: 'rekor', treeSize: 1 },
      { log: 'ct', treeSize: 0 }
    ]
  })
  const names = stopped.status.calendar.map(({ what }) => what)
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    t.ok(names.includes(`TUF ${role}`), role)
  }
  t.ok(names.some((what) => what.startsWith('certificate authority')))
  t.ok(names.some((what) => what.startsWith('timestamp authority')))

  const server = await startTestServer(t, testConfig(dataDir))
  await upload(server.publicUrl, 'a', artifactKey())
  const running = await statusOf(dataDir)
  t.equal(running.code, 0)
  t.match(running.status, {
    isRunning: true,
    publicUrl: server.publicUrl,
    rootSha256: server.rootSha256,
    isPending: false,
    trees: [
      { log: 'rekor', treeId: server.treeId, treeSize: 2 },
      { log: 'ct', treeSize: 0 }
    ]
  })
  const { code, stdout } = await runCommand(['status', '--data-dir', dataDir])
  t.equal(code, 0)
  t.match(stdout, /^sigstead \S+ runs, http:\/\/127\.0\.0\.1:\d+\nrekor {5}tree \d+ with 2 entries/)
  t.match(stdout, new RegExp(`^root\\.json SHA-256 ${server.rootSha256}$`, 'm'))
  t.match(stdout, /^ {9} TUF root ends 20\S+Z, in 7(29|30) days$/m)
  t.notMatch(stdout, /^waiting|SOON|EXPIRED/m)
  await server.close()
  t.match(await runCommand(['status', '--data-dir', dataDir]), {
    code: 0,
    stdout: /^sigstead \S+ does not run, /
  })
})

t.test('what ends is told, first what ends first, and what has ended fails', async (t) => {
  const dataDir = await initLog(t)
  for (const [days, code, states] of [
    [20, 0, ['soon', 'soon', 'ok']],
    [31, 1, ['expired', 'expired', 'ok']],
    [725, 1, ['expired', 'expired', 'soon']],
    [4000, 1, ['expired', 'expired', 'expired']]
  ] as const) {
    const now = () => Date.now() + days * DAY_MS
    const { code: actual, status } = await statusOf(dataDir, now)
    t.equal(actual, code, `in ${days} days`)
    t.strictSame(
      status.calendar.slice(0, 3).map(({ state }) => state),
      states
    )
    const left = status.calendar.map(({ daysLeft }) => daysLeft)
    t.strictSame(
      left,
      [...left].sort((a, b) => a - b)
    )
  }
  const { code, stdout } = await runCommand(['status', '--data-dir', dataDir], {
    now: () => Date.now() + 725 * DAY_MS
  })
  t.equal(code, 1)
  t.match(stdout, /^EXPIRED {3}TUF (snapshot|timestamp) ended 20\S+Z, 69\d days ago$/m)
  t.match(stdout, /^SOON {6}TUF root ends 20\S+Z, in [45] days$/m)
})

t.test('without a TUF repository', async (t) => {
  const flags = ['--tuf-enabled', 'false', '--ct-enabled', 'false', '--ca-enabled', 'false']
  const dataDir = await initLog(t, flags)
  const { code, status } = await statusOf(dataDir, Date.now, ...flags)
  t.equal(code, 0)
  t.notOk('rootSha256' in status)
  t.match(status.trees, [{ log: 'rekor' }])
  t.equal(status.trees.length, 1)
  t.match(await runCommand(['status', '--data-dir', dataDir]), {
    code: 1,
    stderr: /ct\.enabled|certificate log|sigstead init/
  })
})

t.test('where there is nothing to tell of', async (t) => {
  const folder = tempFolder(t)
  t.match(await runCommand(['status', '--data-dir', join(folder, 'none')]), {
    code: 1,
    stderr: /holds no log: run sigstead init/
  })
  mkdirSync(join(folder, 'foreign'))
  writeFileSync(join(folder, 'foreign', 'x'), '')
  t.match(await runCommand(['status', '--data-dir', join(folder, 'foreign')]), {
    code: 1,
    stderr: /has files in it but no sigstead\.db/
  })
})

/** Something that listens where a server would. @param reply what it says to whatever it is told; undefined: nothing, and hangs up */
async function impostor(t: Teardown, dataDir: string, reply: string | undefined): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      if (reply === undefined) socket.destroy()
      else socket.end(reply)
    })
  })
  server.listen(join(dataDir, 'admin.sock'))
  await once(server, 'listening')
  t.teardown(() => server.close())
}

t.test('a server that dies, or is none', async (t) => {
  const json = (text: string) =>
    `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`
  const cases: [name: string, reply: string | undefined, stderr: RegExp][] = [
    ['hangs up', undefined, /^sigstead: the server is gone: .*\. Look at sigstead status before/],
    [
      'half an answer',
      'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{',
      /^sigstead: the server is gone/
    ],
    ['no HTTP', 'SSH-2.0\r\n\r\n', /^sigstead: the server is gone/],
    ['no JSON', json('hello'), /^sigstead: [^\n]*\n$/],
    ['no object', json('[]'), /^sigstead: the server gave no answer\n$/],
    ['no result', json('{}'), /^sigstead: the server gave no answer\n$/],
    [
      'a refusal',
      json('{"error":{"code":"conflict","message":"not now"}}'),
      /^sigstead: not now\n$/
    ],
    [
      'a code from the future',
      json('{"error":{"code":"teapot","message":"not now"}}'),
      /^sigstead: not now\n$/
    ]
  ]
  for (const [name, reply, stderr] of cases) {
    await t.test(name, async (t) => {
      const dataDir = await initLog(t)
      await impostor(t, dataDir, reply)
      const result = await runCommand(['status', '--data-dir', dataDir])
      t.match(result, { code: 1, stdout: '', stderr })
      t.notMatch(result.stderr, /this is a bug/)
    })
  }
})

t.test('a socket that a killed server left is nobody', async (t) => {
  const dataDir = await initLog(t)
  const path = join(dataDir, 'admin.sock')
  // A listener's file stays when its process is killed; so does one that is no socket at all.
  writeFileSync(path, '')
  t.match(await statusOf(dataDir), { code: 0, status: { isRunning: false } })
  rmSync(path)
  t.match(await statusOf(dataDir), { code: 0, status: { isRunning: false } })
  writeFileSync(path, '')
  const server = await startTestServer(t, testConfig(dataDir))
  t.match(await statusOf(dataDir), { code: 0, status: { isRunning: true } }, 'it is replaced')
  const socket = connect(path)
  await once(socket, 'connect')
  socket.destroy()
  await server.close()
  t.match(await statusOf(dataDir), { code: 0, status: { isRunning: false } })
})

t.test('a path too long for a socket: only a stopped server has a status', async (t) => {
  const folder = join(tempFolder(t), 'x'.repeat(100))
  const dataDir = join(folder, 'data')
  t.equal((await runCommand(['init', '--data-dir', dataDir])).code, 0)
  t.match(await statusOf(dataDir), { code: 0, status: { isRunning: false } })
  const server = await startTestServer(t, testConfig(dataDir))
  t.match(await runCommand(['status', '--data-dir', dataDir]), {
    code: 1,
    stderr: /is in use: another process writes to it\. Only one may; stop it first\n$/
  })
  t.ok(server.log.some(({ msg }) => /admin socket is too long/.test(String(msg))))
})
