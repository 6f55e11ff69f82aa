import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createRekorTree } from '../../src/rekor/new-tree.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { readTreeSigner } from '../../src/config/secrets.js'
import {
  artifactKey,
  initLog,
  runCommand,
  startTestServer,
  testConfig,
  upload
} from '../helpers/cli.js'

const key = artifactKey()

interface Shard {
  readonly treeId: string
  readonly state: string
  readonly origin: string
  readonly logId: string
  readonly offset: number
  readonly treeSize: number
}

async function shards(dataDir: string): Promise<readonly Shard[]> {
  const { stdout } = await runCommand(['shard', 'list', '--data-dir', dataDir, '--json'])
  return (JSON.parse(stdout) as { shards: Shard[] }).shards
}

/** Key files of the log. */
function logKeys(dataDir: string): readonly string[] {
  return readdirSync(join(dataDir, 'keys')).filter((name) => name.startsWith('rekor-'))
}

t.test('rotation keeps the key, the entries and their indexes', async (t) => {
  const dataDir = await initLog(t)
  const before = await startTestServer(t, testConfig(dataDir))
  const ids = [await upload(before.publicUrl, 'a', key), await upload(before.publicUrl, 'b', key)]
  await before.close()

  const rotated = await runCommand(['shard', 'rotate', '--data-dir', dataDir, '--json'])
  t.equal(rotated.code, 0, rotated.stderr)
  const report = JSON.parse(rotated.stdout) as Record<string, Record<string, unknown>>
  t.match(report, {
    closed: { treeId: before.treeId, treeSize: 3 },
    opened: { offset: 3 },
    logId: before.logId,
    newKey: false
  })
  t.match(await shards(dataDir), [
    { treeId: before.treeId, state: 'frozen', offset: 0, treeSize: 3, logId: before.logId },
    { treeId: report.opened?.treeId, state: 'active', offset: 3, treeSize: 1, logId: before.logId }
  ])
  t.equal(logKeys(dataDir).length, 1)
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)

  const after = await startTestServer(t, testConfig(dataDir))
  t.equal(after.treeId, report.opened?.treeId)
  t.equal(after.origin, `127.0.0.1 - ${after.treeId}`)
  t.equal(after.keyStartSeconds, before.keyStartSeconds, 'the key has signed since the first tree')
  const at = ['--server', after.publicUrl, '--json']
  const info = await runCommand(['log', 'info', ...at])
  t.match(JSON.parse(info.stdout), {
    entries: 4,
    trees: [{ state: 'frozen' }, { state: 'active' }]
  })
  for (const [i, id] of ids.entries()) {
    const { code, stdout } = await runCommand(['entry', 'get', String(i + 1), ...at])
    t.equal(code, 0)
    t.match(JSON.parse(stdout), { entryId: id, leafIndex: i + 1, treeId: before.treeId })
  }
  // The same entry may enter the new tree, whose first entry is its own statement.
  await upload(after.publicUrl, 'c', key)
  t.match(JSON.parse((await runCommand(['entry', 'get', '4', ...at])).stdout), {
    logIndex: 4,
    leafIndex: 1,
    treeId: after.treeId
  })
  const grown = await runCommand([
    'entry',
    'proof',
    '--tree-id',
    before.treeId,
    '--first-size',
    '2',
    ...at
  ])
  t.equal(grown.code, 0, grown.stderr)
})

t.test('a new key and a new name', async (t) => {
  const dataDir = await initLog(t)
  const [old] = await shards(dataDir)
  const flags = ['--new-key', '--public-url', 'http://rekor.test', '--log-hostname', 'rekor.test']
  const rotated = await runCommand(['shard', 'rotate', '--data-dir', dataDir, ...flags])
  t.equal(rotated.code, 0, rotated.stderr)
  t.match(rotated.stdout, /^key file {2}\/.*rekor-[0-9a-f]{16}\.pem \(new: back it up\)$/m)
  const [closed, opened] = await shards(dataDir)
  t.equal(closed?.logId, old?.logId)
  t.not(opened?.logId, old?.logId)
  t.equal(opened?.origin, `rekor.test - ${opened?.treeId}`)
  t.equal(logKeys(dataDir).length, 2)
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)

  const server = await startTestServer(
    t,
    testConfig(dataDir, { 'public-url': 'http://rekor.test' })
  )
  const at = ['--server', server.listenUrl]
  for (const logIndex of ['0', '1']) {
    t.equal((await runCommand(['entry', 'get', logIndex, ...at])).code, 0, `entry ${logIndex}`)
  }
  t.equal((await runCommand(['log', 'info', ...at])).code, 0)
})

t.test('a name that clients would not find in the address they know', async (t) => {
  const dataDir = await initLog(t)
  const flags = ['--data-dir', dataDir, '--log-hostname', 'rekor.test']
  const named = ['--public-url', 'http://rekor.test']
  t.match(await runCommand(['shard', 'rotate', ...flags]), {
    code: 2,
    stderr: /log\.hostname must occur literally in publicUrl/
  })
  // What the command is told of an address does not count where a server has one.
  const server = await startTestServer(t, testConfig(dataDir))
  t.match(await runCommand(['shard', 'rotate', ...flags, ...named]), {
    code: 1,
    stderr: /rekor\.test does not occur in the public URL http:\/\/127\.0\.0\.1:\d+/
  })
  await server.close()
  t.equal((await shards(dataDir)).length, 1)
  // Moved to another address, a server does not start before it has a tree of that name.
  const moved = testConfig(dataDir, { 'public-url': 'http://rekor.test' })
  await t.rejects(startTestServer(t, moved), {
    code: 'conflict',
    message: /open a new tree with sigstead shard rotate --log-hostname$/
  })
  t.equal((await runCommand(['shard', 'rotate', ...flags, ...named])).code, 0)
  t.match((await startTestServer(t, moved)).origin, /^rekor\.test - \d+$/)
})

t.test('while a server runs: nobody is refused, and it goes on in the new tree', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  const first = await upload(server.publicUrl, 'a', key)
  const [rotated, ...during] = await Promise.all([
    runCommand(['shard', 'rotate', '--data-dir', dataDir, '--json']),
    ...Array.from({ length: 20 }, (_, i) => upload(server.publicUrl, `text ${i}`, key))
  ])
  t.equal(rotated.code, 0, rotated.stderr)
  const { closed, opened, newKey } = JSON.parse(rotated.stdout) as {
    closed: { treeId: string; treeSize: number }
    opened: { treeId: string; offset: number }
    newKey: boolean
  }
  t.equal(newKey, false)
  t.equal(closed.treeId, server.treeId)
  t.equal(opened.offset, closed.treeSize)
  const last = await upload(server.publicUrl, 'b', key)
  t.match(await shards(dataDir), [
    { treeId: closed.treeId, state: 'frozen', treeSize: closed.treeSize },
    { treeId: opened.treeId, state: 'active', treeSize: 23 - closed.treeSize + 1 }
  ])
  for (const id of [first, ...during, last]) {
    t.equal((await fetch(`${server.publicUrl}/api/v1/log/entries/${id}`)).status, 200)
  }
  await server.close()
  t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
})

t.test('interrupted after the new tree was opened, the next start finishes it', async (t) => {
  for (const how of ['serve', 'rotate']) {
    const dataDir = await initLog(t)
    const database = await openDatabase({ path: join(dataDir, 'sigstead.db'), mode: 'write' })
    const [tree] = await database.trees('rekor')
    if (tree === undefined) throw new Error('no tree')
    const signer = readTreeSigner({ keys: join(dataDir, 'keys') }, tree, undefined)
    await createRekorTree({
      database,
      hostname: '127.0.0.1',
      signer,
      keyName: tree.keyName,
      now: Date.now,
      randomBytes: (length) => new Uint8Array(length).fill(7)
    })
    await database.close()
    if (how === 'serve') {
      const server = await startTestServer(t, testConfig(dataDir))
      await upload(server.publicUrl, 'a', key)
      await server.close()
      t.match(await shards(dataDir), [{ treeSize: 1 }, { offset: 1, treeSize: 2 }], how)
    } else {
      t.equal((await runCommand(['shard', 'rotate', '--data-dir', dataDir])).code, 0)
      t.match(await shards(dataDir), [{ treeSize: 1 }, { treeSize: 1 }, { offset: 2, treeSize: 1 }])
    }
    t.equal((await runCommand(['verify', '--data-dir', dataDir])).code, 0)
  }
})

t.test('an encrypted key stays encrypted', async (t) => {
  const world = { environment: { SIGSTEAD_LOG_KEY_PASSPHRASE: 'x' } }
  const dataDir = join(await initLog(t), '..', 'encrypted')
  t.equal((await runCommand(['init', '--data-dir', dataDir], world)).code, 0)
  t.match(await runCommand(['shard', 'rotate', '--data-dir', dataDir]), {
    code: 1,
    stderr: /is encrypted/
  })
  const rotate = ['shard', 'rotate', '--new-key', '--data-dir', dataDir]
  t.equal((await runCommand(rotate, world)).code, 0)
  const config = testConfig(dataDir)
  await t.rejects(startTestServer(t, config), { message: /is encrypted/ })
})

t.test('list for people', async (t) => {
  const dataDir = await initLog(t)
  const { stdout } = await runCommand(['shard', 'list', '--data-dir', dataDir])
  t.match(stdout, /^tree {8}\d+ \(active\)\n {2}origin {4}127\.0\.0\.1 - \d+\n/)
  t.match(stdout, /^ {2}entries {3}1, log index 0 to 0$/m)
})
