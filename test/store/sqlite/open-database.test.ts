import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import { integrate } from '../../../src/merkle/integrate.js'
import { openDatabase } from '../../../src/store/sqlite/open-database.js'
import { migrate, readSqliteMigrations } from '../../../src/store/sqlite/migrations.js'
import {
  checkTestLog,
  createTestLog,
  openTestLog,
  tempFolder,
  testLeaf,
  testLeaves
} from '../../helpers/test-log.js'
import { newTree, pendingLeaves } from '../contract.js'

const create = (path: string) => openDatabase({ path, mode: 'write', create: true })
const write = (path: string) => openDatabase({ path, mode: 'write' })
const read = (path: string) => openDatabase({ path, mode: 'read' })

t.test('a missing log is not an empty log', async (t) => {
  const folder = tempFolder(t)
  const path = join(folder, 'log.sqlite')
  for (const open of [write, read]) {
    await t.rejects(open(path), { code: 'not_found', message: new RegExp(folder) })
  }
  t.strictSame(readdirSync(folder), [], 'and trying leaves nothing behind')
  await t.rejects(create(join(folder, 'no', 'such', 'folder')), { code: 'internal' })
})

t.test('one process writes', async (t) => {
  const folder = tempFolder(t)
  const path = join(folder, 'log.sqlite')
  const first = await create(path)
  for (const open of [create, write]) {
    await t.rejects(open(path), { code: 'conflict', message: new RegExp(`${folder} is in use`) })
  }
  await first.close()
  const second = await write(path)
  await second.close()
})

t.test('the right to write dies with its process', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  await (await create(path)).close()
  // As takeWriterLock does it, in a process that gets no chance to tidy up.
  const other = spawn(
    process.execPath,
    [
      '--eval',
      `const Sqlite = require('better-sqlite3')
       new Sqlite(process.argv[1]).exec('begin exclusive')
       console.log('locked')
       setInterval(() => {}, 1000)`,
      `${path}.lock`
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  await once(other.stdout, 'data')
  await t.rejects(write(path), { code: 'conflict' })
  other.kill('SIGKILL')
  await once(other, 'exit')
  const database = await write(path)
  await database.close()
})

t.test('commits are durable, and that is checked', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  await (await create(path)).close()
  const database = await write(path) // reopening is what brings the weaker default back
  t.teardown(() => database.close())
  const other = new Sqlite(path)
  t.teardown(() => other.close())
  t.equal(other.pragma('journal_mode', { simple: true }), 'wal')
  t.equal(other.pragma('synchronous', { simple: true }), 1, 'the default we override')
  t.teardown(() => rmSync(':memory:.lock', { force: true })) // the lock of a database without a file
  await t.rejects(openDatabase({ path: ':memory:', mode: 'write', create: true }), {
    code: 'internal',
    message: /journal_mode = memory instead of wal/
  })
})

t.test('reading gives a snapshot, beside a writer', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  const writer = await create(path)
  t.teardown(() => writer.close())
  await writer.createTree(newTree('1'))
  await writer.logStore('1').append(pendingLeaves(5), integrate)
  const reader = await read(path)
  t.teardown(() => reader.close())
  await writer.logStore('1').append(pendingLeaves(5, 5), integrate)
  t.equal((await reader.logStore('1').treeHead()).treeSize, 5, 'as it was when opened')
  t.equal((await reader.logStore('1').leaves(0, 100)).length, 5)

  const later = await read(path)
  t.teardown(() => later.close())
  t.equal((await later.logStore('1').treeHead()).treeSize, 10)
  await t.rejects(later.logStore('1').append(pendingLeaves(1, 10), integrate), { code: 'internal' })
  await t.rejects(later.createTree({ ...newTree('2'), log: 'ct' }), { code: 'internal' })
  await t.rejects(later.register.swap('cell', undefined, Uint8Array.of(1)), { code: 'internal' })
  t.equal((await writer.logStore('1').treeHead()).treeSize, 10)
})

t.test('reading needs no writer', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  await (await create(path)).close()
  const reader = await read(path)
  t.strictSame(await reader.trees('rekor'), [])
  await reader.close()
})

t.test('files that are not ours', async (t) => {
  const folder = tempFolder(t)
  const foreign = join(folder, 'foreign.sqlite')
  const other = new Sqlite(foreign)
  other.exec('create table their_table (a)')
  other.close()
  const text = join(folder, 'text')
  writeFileSync(text, 'To whom it may concern:\n'.repeat(100))
  const size = statSync(foreign).size
  for (const open of [create, write, read]) {
    await t.rejects(open(foreign), { code: 'conflict', message: /another program/ })
    await t.rejects(open(text), { code: 'integrity' })
  }
  t.equal(statSync(foreign).size, size, 'nothing was written to it')
})

t.test('what SQLite calls damage is integrity', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  const database = await create(path)
  await database.createTree(newTree('1'))
  await database.logStore('1').append(pendingLeaves(500), integrate)
  await database.close()
  t.notOk(existsSync(`${path}-wal`), 'closing folds the write-ahead log into the file')
  truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096)
  // Where it shows depends on which pages are gone; that it shows as what it is does not.
  await t.rejects(
    async () => {
      const reader = await read(path)
      t.teardown(() => reader.close())
      await reader.logStore('1').leaves(0, 500)
      await reader.audit.engineProblems()
    },
    { code: 'integrity', details: { what: 'storage' } }
  )
})

t.test('an outdated database is not read, and is brought up to date by a writer', async (t) => {
  const path = join(tempFolder(t), 'log.sqlite')
  new Sqlite(path).exec('vacuum').close() // no application id, no tables: as if made and then interrupted
  await t.rejects(read(path), { code: 'conflict', message: /lacks 2 migration/ })
  await (await write(path)).close()
  await (await read(path)).close()
})

t.test('a log from before there were submissions goes on', async (t) => {
  const { folder, database, store, key } = await createTestLog(t)
  const path = join(folder, 'log.sqlite')
  const old = await openTestLog(store, key)
  await Promise.all(testLeaves(300).map((leaf) => old.add(leaf)))
  await old.close()
  await database.close()

  // As the version before left it: to the letter what its only migration makes.
  const connection = new Sqlite(path)
  connection.exec('drop table submission; drop table extra_data')
  connection.exec('delete from migration where number > 1; vacuum')
  const first = new Sqlite(':memory:')
  migrate(first, readSqliteMigrations().slice(0, 1))
  const schema = 'select type, name, sql from sqlite_schema order by name'
  t.strictSame(connection.prepare(schema).all(), first.prepare(schema).all())
  connection.close()
  first.close()

  await t.rejects(read(path), {
    code: 'conflict',
    message: /log\.sqlite lacks 1 migration\(s\).*applied when the server starts/
  })
  const migrated = await write(path)
  t.teardown(() => migrated.close())
  t.match(await checkTestLog(migrated), {
    submissions: 0,
    trees: [{ treeSize: 300, publishedSize: 300, promises: 300 }]
  })
  const again = migrated.logStore('1234')
  const log = await openTestLog(again, key)
  t.equal((await log.add(testLeaf('leaf 7'))).leafIndex, 7, 'what was there is known')
  const submissionHash = new Uint8Array(32).fill(7)
  t.equal((await log.add({ ...testLeaf('submission'), submissionHash })).leafIndex, 300)
  await log.close()
  const reader = await read(path)
  t.teardown(() => reader.close())
  t.equal(await reader.logStore('1234').findSubmission(submissionHash), 300)
})
