import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import type { Migration } from '../../../src/store/migrate.js'
import {
  SQLITE_MIGRATIONS,
  assertMigrated,
  migrate,
  readSqliteMigrations
} from '../../../src/store/sqlite/migrations.js'
import { openDatabase } from '../../../src/store/sqlite/open-database.js'
import { tempFolder } from '../../helpers/test-log.js'

t.test('the list is the folder', async (t) => {
  const files = readdirSync('migrations/sqlite').sort()
  const listed = SQLITE_MIGRATIONS.map((name, i) => `${String(i + 1).padStart(4, '0')}_${name}.sql`)
  t.strictSame(files, listed)
})

t.test('every table is strict', async (t) => {
  const connection = connect(t)
  migrate(connection, readSqliteMigrations())
  const tables = connection
    .prepare<[], { name: string; strict: number }>(
      `select name, strict from pragma_table_list where schema = 'main' and name not like 'sqlite_%'`
    )
    .all()
  t.ok(tables.length > 8)
  for (const { name, strict } of tables) t.equal(strict, 1, name)
})

t.test('each is applied once and remembered with its hash', async (t) => {
  const connection = connect(t)
  const steps = [step(1, 'create table a (x integer) strict'), step(2, 'insert into a values (1)')]
  migrate(connection, steps.slice(0, 1))
  t.throws(() => assertMigrated(connection, steps), { code: 'conflict' })
  migrate(connection, steps)
  migrate(connection, steps)
  assertMigrated(connection, steps)
  t.equal(connection.prepare('select count(*) from a').pluck().get(), 1)
  t.strictSame(
    connection.prepare('select * from migration').all(),
    steps.map(({ number, name, sha256 }) => ({ number, name, sha256 }))
  )
})

t.test('one that fails leaves no half of itself', async (t) => {
  const connection = connect(t)
  const bad = step(2, 'create table b (x integer) strict; insert into nowhere values (1)')
  t.throws(() => migrate(connection, [step(1, 'create table a (x integer) strict'), bad]))
  const names = connection.prepare('select name from sqlite_schema where type = ?').pluck()
  t.strictSame(names.all('table').sort(), ['a', 'migration'])
  t.equal(connection.prepare('select count(*) from migration').pluck().get(), 1)
})

t.test('a database that remembers otherwise is not opened', async (t) => {
  const cases = [
    ['changed past', `update migration set sha256 = 'no' where number = 1`, 'integrity'],
    ['renamed past', `update migration set name = 'no' where number = 1`, 'integrity'],
    ['gap', 'delete from migration where number = 1', 'integrity'],
    ['newer', `insert into migration values (99, 'future', 'hash')`, 'integrity'],
    [
      'the next one, unknown to us',
      `insert into migration select max(number) + 1, 'future', 'hash' from migration`,
      'unsupported'
    ]
  ] as const
  for (const [name, sql, code] of cases) {
    const path = join(tempFolder(t), 'log.sqlite')
    await (await openDatabase({ path, mode: 'write', create: true })).close()
    const connection = new Sqlite(path)
    connection.exec(sql)
    connection.close()
    for (const mode of ['write', 'read'] as const) {
      await t.rejects(openDatabase({ path, mode }), { code }, `${name}: ${mode}`)
    }
  }
})

function connect(t: { teardown(action: () => void): unknown }): Sqlite.Database {
  const connection = new Sqlite(':memory:')
  t.teardown(() => connection.close())
  return connection
}

function step(number: number, sql: string): Migration {
  return { number, name: `step-${number}`, sha256: `hash of ${sql}`, sql }
}
