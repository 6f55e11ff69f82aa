import { createHash, createPublicKey, verify } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkLog } from '../../src/log/check-log.js'
import { createCtLeafChecks } from '../../src/ct/leaf-checks.js'
import { createRekorLeafChecks } from '../../src/rekor/leaf-checks.js'
import { buildLogStatement } from '../../src/rekor/statement.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { initLog, runCommand, tempFolder } from '../helpers/cli.js'

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

function keyFile(dataDir: string): string {
  const names = readdirSync(join(dataDir, 'keys'))
  return join(dataDir, 'keys', names.find((name) => name.startsWith('rekor-')) ?? '')
}

/** The database of a directory as of now. */
async function reading<T>(
  dataDir: string,
  use: (database: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>
): Promise<T> {
  const database = await openDatabase({ path: join(dataDir, 'sigstead.db'), mode: 'read' })
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

t.test('what it makes', async (t) => {
  const dataDir = join(tempFolder(t), 'deep', 'data')
  const argv = [
    'init',
    '--data-dir',
    dataDir,
    '--public-url',
    'https://rekor.example.com/',
    '--json'
  ]
  const { code, stdout, stderr } = await runCommand(argv)
  t.equal(code, 0, stderr)
  const made = JSON.parse(stdout) as Record<string, string>
  t.match(made.treeId, /^[1-9][0-9]{0,18}$/)
  t.equal(made.origin, `rekor.example.com - ${made.treeId}`, 'host of the public URL')
  t.equal(made.keyFile, keyFile(dataDir))
  t.strictSame(readdirSync(dataDir).sort(), [
    'keys',
    'sigstead.db',
    'sigstead.db.lock',
    'transcripts'
  ])
  t.equal(mode(dataDir), '700')
  t.equal(mode(join(dataDir, 'keys')), '700')
  t.equal(mode(keyFile(dataDir)), '600')
  t.match(readFileSync(keyFile(dataDir), 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/)

  await reading(dataDir, async (database) => {
    const report = await checkLog({
      database,
      checks: { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() }
    })
    t.strictSame(
      report.trees.map(({ log }) => log),
      ['rekor', 'ct']
    )
    const [tree] = await database.trees('rekor')
    if (tree === undefined) throw new Error('no tree')
    t.equal(createHash('sha256').update(tree.publicKey).digest('hex'), made.logId)
    const store = database.logStore(tree.treeId)
    t.equal((await store.checkpoint())?.treeHead.treeSize, 1)

    const leaf = await store.leaf(0)
    const body = JSON.parse(Buffer.from(leaf?.leafValue ?? []).toString()) as {
      kind: string
      spec: {
        data: { hash: { value: string } }
        signature: { content: string; publicKey: { content: string } }
      }
    }
    const statement = buildLogStatement(tree)
    const { data, signature } = body.spec
    t.equal(body.kind, 'hashedrekord')
    t.equal(data.hash.value, createHash('sha256').update(statement).digest('hex'))
    const key = createPublicKey(Buffer.from(signature.publicKey.content, 'base64'))
    t.strictSame(Uint8Array.from(key.export({ type: 'spki', format: 'der' })), tree.publicKey)
    t.ok(verify('sha256', Buffer.from(statement), key, Buffer.from(signature.content, 'base64')))
    t.match(statement, new RegExp(`^origin: ${made.origin}$`, 'm'))
  })
})

t.test('tree IDs and keys differ from log to log', async (t) => {
  const [one, two] = [await initLog(t), await initLog(t)]
  t.not(keyFile(one), keyFile(two))
  t.not(
    await reading(one, async (database) => (await database.trees('rekor'))[0]?.treeId),
    await reading(two, async (database) => (await database.trees('rekor'))[0]?.treeId)
  )
})

t.test('an encrypted key', async (t) => {
  const folder = tempFolder(t)
  const passphraseFile = join(folder, 'passphrase')
  writeFileSync(passphraseFile, 'correct horse\n')
  const dataDir = join(folder, 'data')
  const argv = ['init', '--data-dir', dataDir, '--log-key-passphrase-file', passphraseFile]
  t.equal((await runCommand(argv)).code, 0)
  const pem = readFileSync(keyFile(dataDir), 'utf8')
  t.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
  const fromEnvironment = join(folder, 'other')
  const result = await runCommand(['init', '--data-dir', fromEnvironment], {
    environment: { SIGSTEAD_LOG_KEY_PASSPHRASE: 'x' }
  })
  t.equal(result.code, 0)
  t.match(readFileSync(keyFile(fromEnvironment), 'utf8'), /^-----BEGIN ENCRYPTED/)
  t.notOk(`${result.stdout}${result.stderr}`.includes('correct horse'))
})

t.test('where it refuses', async (t) => {
  const folder = tempFolder(t)
  const log = await initLog(t)
  const before = readFileSync(keyFile(log), 'utf8')
  const foreign = join(folder, 'foreign')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'thesis.tex'), '')
  const orphaned = await initLog(t)
  rmSync(join(orphaned, 'sigstead.db'))
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const cases: [name: string, dataDir: string, stderr: RegExp][] = [
    [
      'a log',
      log,
      /^sigstead: .*data holds a log already, and nothing is missing: sigstead serve serves it\n$/
    ],
    ['something else', foreign, /is not empty and holds no log: name another directory\n$/],
    ['keys without a database', orphaned, /is not empty and holds no log/],
    ['a file', file, /data directory .*file cannot be read: ENOTDIR\n$/],
    ['below a file', join(file, 'data'), /ENOTDIR\n$/]
  ]
  for (const [name, dataDir, stderr] of cases) {
    t.match(await runCommand(['init', '--data-dir', dataDir]), { code: 1, stderr }, name)
  }
  t.equal(readFileSync(keyFile(log), 'utf8'), before, 'the key of a log is never touched')
  t.ok(existsSync(keyFile(orphaned)), 'not even one without a log')
})

t.test('an existing empty directory, such as a volume', async (t) => {
  const dataDir = join(tempFolder(t), 'volume')
  mkdirSync(join(dataDir, 'lost+found'), { recursive: true })
  t.equal((await runCommand(['init', '--data-dir', dataDir])).code, 0)
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('a directory that cannot be made', async (t) => {
  // The one place where not even root can make one.
  t.match(await runCommand(['init', '--data-dir', '/proc/sigstead']), {
    code: 1,
    stderr: 'sigstead: cannot make the data directory /proc/sigstead: ENOENT\n'
  })
})

t.test('interrupted anywhere, it is finished by the next run', async (t) => {
  // What is on the disk after each step of createLog, made from a finished log by taking steps back.
  const states: [name: string, undo: (dataDir: string) => void | Promise<void>][] = [
    [
      'only the marker',
      (dataDir) => {
        for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true })
      }
    ],
    [
      'an empty database',
      async (dataDir) => {
        for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true })
        const path = join(dataDir, 'sigstead.db')
        await (await openDatabase({ path, mode: 'write', create: true })).close()
      }
    ],
    [
      'a key without a tree',
      async (dataDir) => {
        renameSync(join(dataDir, 'keys'), join(dataDir, 'k'))
        rmSync(join(dataDir, 'sigstead.db'))
        const path = join(dataDir, 'sigstead.db')
        await (await openDatabase({ path, mode: 'write', create: true })).close()
        renameSync(join(dataDir, 'k'), join(dataDir, 'keys'))
      }
    ],
    [
      'a tree without an entry',
      async (dataDir) => {
        const tree = await reading(dataDir, async (database) => (await database.trees('rekor'))[0])
        if (tree === undefined) throw new Error('no tree')
        rmSync(join(dataDir, 'sigstead.db'))
        const path = join(dataDir, 'sigstead.db')
        const database = await openDatabase({ path, mode: 'write', create: true })
        await database.createTree(tree)
        await database.close()
      }
    ],
    ['everything but the end', () => undefined]
  ]
  for (const [name, undo] of states) {
    const dataDir = await initLog(t)
    await undo(dataDir)
    writeFileSync(join(dataDir, 'init.unfinished'), '')
    for (const command of ['serve', 'verify', 'shard rotate']) {
      const refused = await runCommand([...command.split(' '), '--data-dir', dataDir])
      t.equal(refused.code, 1, `${name}: ${command}`)
      t.match(refused.stderr, /is from an init that was interrupted: run sigstead init again/)
    }
    const again = await runCommand(['init', '--data-dir', dataDir])
    t.equal(again.code, 0, `${name}: ${again.stderr}`)
    t.notOk(existsSync(join(dataDir, 'init.unfinished')))
    t.match(
      readdirSync(join(dataDir, 'keys')).sort(),
      [
        /^ca-/,
        /^ct-/,
        /^rekor-/,
        /^tsa-[0-9a-f]/,
        /^tsa-root-/,
        /^tuf-root-/,
        /^tuf-snapshot-/,
        /^tuf-targets-/,
        /^tuf-timestamp-/
      ],
      `${name}: one key each`
    )
    t.equal(readdirSync(join(dataDir, 'keys')).length, 9)
    await reading(dataDir, async (database) => {
      const { trees } = await checkLog({
        database,
        checks: { rekor: createRekorLeafChecks(), ct: createCtLeafChecks() }
      })
      t.match(
        trees,
        [
          { treeSize: 1, publishedSize: 1 },
          { treeSize: 0, publishedSize: 0 }
        ],
        name
      )
    })
  }
})

t.test('two at once: one makes the log, the other says that somebody is at it', async (t) => {
  const dataDir = join(tempFolder(t), 'data')
  const argv = ['init', '--data-dir', dataDir]
  const results = await Promise.all([runCommand(argv), runCommand(argv), runCommand(argv)])
  t.equal(results.filter(({ code }) => code === 0).length, 1)
  for (const { code, stderr } of results) {
    if (code !== 0) t.match(stderr, /is in use: another process writes to it|holds a log already/)
  }
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('a host name no checkpoint can carry', async (t) => {
  const dataDir = join(tempFolder(t), 'data')
  t.match(
    await runCommand(['init', '--data-dir', dataDir, '--log-hostname', 'rekor.example.com']),
    { code: 2, stderr: /log.hostname must occur literally in publicUrl/ }
  )
  t.notOk(existsSync(dataDir), 'nothing was made')
})
