import { pathToFileURL } from 'node:url'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Migration, planMigrations, readMigrations } from '../../src/store/migrate.js'
import { tempFolder } from '../helpers/test-log.js'

const KNOWN: readonly Migration[] = ['one', 'two', 'three'].map((name, i) => ({
  number: i + 1,
  name,
  sha256: `hash ${name}`,
  sql: `sql ${name}`
}))
const APPLIED = KNOWN.map(({ number, name, sha256 }) => ({ number, name, sha256 }))

t.test('plan', async (t) => {
  for (let count = 0; count <= KNOWN.length; count++) {
    t.strictSame(planMigrations(APPLIED.slice(0, count), KNOWN), KNOWN.slice(count), `${count}`)
  }
  const refused = [
    ['gap at the start', APPLIED.slice(1), 'integrity'],
    ['gap inside', [APPLIED[0], APPLIED[2]], 'integrity'],
    ['twice', [APPLIED[0], APPLIED[0]], 'integrity'],
    ['other content', [{ ...APPLIED[0], sha256: 'x' }], 'integrity'],
    ['other name', [{ ...APPLIED[0], name: 'x' }], 'integrity'],
    ['newer', [...APPLIED, { number: 4, name: 'four', sha256: 'x' }], 'unsupported']
  ] as const
  for (const [name, applied, code] of refused) {
    const rows = applied.filter((row) => row !== undefined) as typeof APPLIED
    t.throws(() => planMigrations(rows, KNOWN), { code }, name)
  }
})

t.test('read', async (t) => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, '0001_first.sql'), 'select 1;\n')
  writeFileSync(join(folder, '0002_second.sql'), 'select 2;\n')
  t.strictSame(readMigrations(pathToFileURL(`${folder}/`), ['first', 'second']), [
    {
      number: 1,
      name: 'first',
      sha256: '4a45092ccf992ea92250053a80b931b787924ba61648f420555511b84f10ab6c',
      sql: 'select 1;\n'
    },
    {
      number: 2,
      name: 'second',
      sha256: 'ac4396cdee0295db27f816dc31134189999d0071663e618f4957bc23edb584d7',
      sql: 'select 2;\n'
    }
  ])
  t.throws(() => readMigrations(pathToFileURL(`${folder}/`), ['first', 'missing']))
})
