import { readFileSync } from 'node:fs'
import t from 'tap'
import { configKeys } from '../../src/config/schema.js'
import { configTable, withConfigTable } from '../../src/config/table.js'

t.test('a row for every key, five cells each', async (t) => {
  const lines = configTable().trimEnd().split('\n')
  t.equal(lines.length, configKeys().length + 2)
  for (const line of lines) t.equal(line.split(' | ').length, 5, line)
  t.match(lines, /`listen`.*`--listen`.*`SIGSTEAD_LISTEN`.*`127.0.0.1:3000`/)
})

t.test('the README holds the table', async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const expected = withConfigTable(readme)
  t.type(expected, 'string', 'README.md has both markers')
  t.equal(readme, expected, 'up to date (sigstead config table --write README.md)')
})

t.test('markers', async (t) => {
  t.equal(withConfigTable('no markers'), undefined)
  t.equal(withConfigTable('<!-- /config --> <!-- config -->\n'), undefined)
  t.equal(withConfigTable('<!-- config -->\nonly one'), undefined)
  const filled = withConfigTable('a\n<!-- config -->\nstale text\n<!-- /config -->\nz\n')
  t.match(filled, /^a\n<!-- config -->\n[^]*\| `dataDir` [^]*<!-- \/config -->\nz\n$/)
  t.notMatch(filled, /stale text/)
  t.equal(withConfigTable(filled ?? ''), filled, 'nothing more to do the second time')
})
