import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t from 'tap'
import { createProgressBar } from '../../src/cli/progress.js'
import {
  artifactKey,
  initLog,
  runCommand,
  startTestServer,
  testConfig,
  upload
} from '../helpers/cli.js'

const key = artifactKey()

/** A stopped log of 4 entries. */
async function smallLog(t: Tap): Promise<string> {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  for (const text of ['a', 'b', 'c']) await upload(server.publicUrl, text, key)
  await server.close()
  return dataDir
}

interface Tap {
  teardown(action: () => unknown): unknown
}

/** Turns over one bit of a blob. */
function flip(dataDir: string, table: string, column: string, where = '1 = 1'): void {
  const database = new Sqlite(join(dataDir, 'sigstead.db'))
  database.function('flip', (value: unknown) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value as Uint8Array)
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    return typeof value === 'string' ? bytes.toString() : bytes
  })
  const { changes } = database
    .prepare(
      `update ${table} set ${column} = flip(${column}) where rowid in (select rowid from ${table} where ${where} limit 1)`
    )
    .run()
  database.close()
  if (changes !== 1) throw new Error(`flipped ${changes} rows`)
}

t.test('a good log', async (t) => {
  const dataDir = await smallLog(t)
  const { code, stdout, stderr } = await runCommand(['verify', '--data-dir', dataDir])
  t.equal(code, 0)
  t.match(stdout, /^Rekor tree \d+: 4 entries, 1 tiles, 5 checkpoints, 4 signed entry timestamps\n/)
  t.match(stdout, /\nall good\n$/)
  t.equal(stderr, '', 'no bar where there is no terminal')
  const json = await runCommand(['verify', '--data-dir', dataDir, '--json'])
  t.match(JSON.parse(json.stdout), { ok: true, trees: [{ treeSize: 4, publishedSize: 4 }] })
})

t.test('beside a running server, as of one moment', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  const uploads = Array.from({ length: 30 }, (_, i) => upload(server.publicUrl, `text ${i}`, key))
  const checks = [1, 2, 3].map(() => runCommand(['verify', '--data-dir', dataDir]))
  for (const { code, stdout } of await Promise.all(checks)) t.equal(code, 0, stdout)
  await Promise.all(uploads)
  await upload(server.publicUrl, 'one more', key)
})

t.test('one flipped bit', async (t) => {
  const cases: [name: string, spoil: (dataDir: string) => void, what: string, problem: RegExp][] = [
    [
      'leaf',
      (dir) => flip(dir, 'leaf', 'leaf_value', 'leaf_id % 4 = 2'),
      'leaf',
      /^leaf 2 of tree/
    ],
    ['leaf hash', (dir) => flip(dir, 'leaf', 'leaf_hash'), 'leaf', /leaf hash/],
    ['tile', (dir) => flip(dir, 'tile', 'hashes'), 'tile', /tile/],
    ['head', (dir) => flip(dir, 'tree', 'root_hash'), 'treeHead', /root/],
    [
      'SET',
      (dir) => flip(dir, 'inclusion_promise', 'promise', 'leaf_id % 4 = 1'),
      'promise',
      /^inclusion promise of leaf 1 /
    ],
    ['public key', (dir) => flip(dir, 'tree', 'public_key'), 'checkpoint', /checkpoint/]
  ]
  for (const [name, spoil, what, problem] of cases) {
    const dataDir = await smallLog(t)
    spoil(dataDir)
    const { code, stdout } = await runCommand(['verify', '--data-dir', dataDir, '--json'])
    t.equal(code, 1, name)
    const found = JSON.parse(stdout) as Record<string, unknown>
    t.match(found, { ok: false, what, problem }, name)
    const human = await runCommand(['verify', '--data-dir', dataDir])
    t.equal(human.code, 1)
    t.equal(human.stdout, `BAD: ${String(found.problem)}\n`)
  }
})

t.test('tables without row ids', async (t) => {
  const cases: [statement: string, what: string][] = [
    [
      "update checkpoint set note = replace(note, char(10) || '2' || char(10), char(10) || '3' || char(10)) where tree_size = 2",
      'checkpoint'
    ],
    ['delete from checkpoint where tree_size = 4', 'promise'],
    [
      'update search_key set key_hash = zeroblob(16) where key_hash = (select min(key_hash) from search_key)',
      'searchIndex'
    ],
    [
      'delete from search_key where key_hash = (select max(key_hash) from search_key)',
      'searchIndex'
    ],
    // Rekor keeps neither.
    ['insert into extra_data select leaf_id, zeroblob(0) from leaf limit 1', 'extraData'],
    [
      'insert into submission select zeroblob(32), leaf_id, tree_key from leaf limit 1',
      'submission'
    ]
  ]
  for (const [statement, what] of cases) {
    const dataDir = await smallLog(t)
    const database = new Sqlite(join(dataDir, 'sigstead.db'))
    t.ok(database.prepare(statement).run().changes > 0, statement)
    database.close()
    const { code, stdout } = await runCommand(['verify', '--data-dir', dataDir, '--json'])
    t.equal(code, 1, statement)
    t.match(JSON.parse(stdout), { ok: false, what }, statement)
  }
})

t.test('a file that is no database is a finding too', async (t) => {
  const dataDir = await initLog(t)
  writeFileSync(join(dataDir, 'sigstead.db'), 'x'.repeat(100_000))
  const { code, stdout } = await runCommand(['verify', '--data-dir', dataDir])
  t.equal(code, 1)
  t.match(stdout, /^BAD: cannot open .*sigstead.db: file is not a database\n$/)
})

t.test('progress on a terminal', async (t) => {
  let nowMs = 0
  let written = ''
  const bar = createProgressBar({ isTTY: true, write: (text) => (written += text) }, () => nowMs)
  bar.show('entries', 0, 200)
  nowMs += 50
  bar.show('entries', 50, 200) // too soon
  nowMs += 50
  bar.show('entries', 100, 200)
  bar.show('search index', 7, undefined)
  bar.show('tiles', 0, 0)
  bar.clear()
  bar.clear()
  t.strictSame(written.split('\r\u001b[K'), [
    '',
    'entries          [........................]   0 % 0 of 200',
    'entries          [############............]  50 % 100 of 200',
    'search index     7',
    'tiles            [########################] 100 % 0 of 0',
    ''
  ])
  const silent = createProgressBar({ write: () => t.fail('no terminal') }, () => 0)
  silent.show('entries', 0, 1)
  silent.clear()

  const dataDir = await initLog(t)
  let shown = ''
  const stderr = { isTTY: true, write: (text: string) => (shown += text) }
  t.equal((await runCommand(['verify', '--data-dir', dataDir], { stderr })).code, 0)
  t.match(shown, /entries .* 1 of 1/)
  t.ok(shown.endsWith('\r\u001b[K'), 'leaves the line empty')
})
