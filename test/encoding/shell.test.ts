import { execFileSync } from 'node:child_process'
import t from 'tap'
import { shellWord } from '../../src/encoding/shell.js'

t.test('plain words stay as they are', async (t) => {
  for (const text of [
    'https://log.example:3000/a_b-c.d',
    'url=x,start=2026-01-01T00:00:00Z',
    'a@b',
    '%41+1'
  ]) {
    t.equal(shellWord(text), text)
  }
})

t.test('a shell reads back what was meant', async (t) => {
  const words = [
    '',
    ' ',
    "it's",
    "''",
    '$HOME',
    '`id`',
    '$(id)',
    '"a"',
    'a\\b',
    'a\nb',
    '*',
    '~',
    '!x',
    '#x',
    'a;b',
    'a&b|c>d<e',
    '{a,b}',
    'ö',
    '\u{1f600}',
    '\u0001',
    'http://[::1]:3000'
  ]
  for (const shell of ['sh', 'bash']) {
    const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
    const said = execFileSync(shell, ['-c', script], { env: { HOME: '/nowhere' } }).toString()
    t.same(said.split('\0').slice(0, -1), words, shell)
  }
})
