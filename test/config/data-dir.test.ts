import { join } from 'node:path'
import t from 'tap'
import { assertLogDirectory, dataPaths, inspectDataDirectory } from '../../src/config/data-dir.js'

const dir = t.testdir({
  empty: {},
  volume: { 'lost+found': {} },
  log: { 'sigstead.db': '', keys: {} },
  unfinished: { 'sigstead.db': '', keys: {}, 'init.unfinished': '' },
  marked: { 'init.unfinished': '' },
  keys: { keys: { 'a.pem': '' } },
  other: { 'README.md': '' },
  file: 'not a folder'
})

t.test('what a directory is, and what serve says to it', async (t) => {
  const cases: [name: string, state: string, refusal: RegExp | undefined][] = [
    ['absent', 'new', /absent holds no log: run sigstead init, or sigstead start/],
    ['empty', 'new', /holds no log/],
    ['volume', 'new', /holds no log/],
    ['log', 'log', undefined],
    ['unfinished', 'unfinished', /is from an init that was interrupted: run sigstead init again$/],
    ['marked', 'unfinished', /interrupted/],
    ['keys', 'foreign', /has files in it but no sigstead.db: name the right one, or restore/],
    ['other', 'foreign', /has files in it/]
  ]
  for (const [name, state, message] of cases) {
    const paths = dataPaths(join(dir, name))
    t.equal(inspectDataDirectory(paths), state, name)
    if (message === undefined) t.doesNotThrow(() => assertLogDirectory(paths), name)
    else t.throws(() => assertLogDirectory(paths), { code: 'invalid_request', message }, name)
  }
})

t.test('not a folder', async (t) => {
  t.throws(() => inspectDataDirectory(dataPaths(join(dir, 'file'))), {
    code: 'invalid_request',
    message: /cannot be read: ENOTDIR$/
  })
})

t.test('where things lie', async (t) => {
  t.match(dataPaths('/d'), { database: '/d/sigstead.db', keys: '/d/keys' })
})
