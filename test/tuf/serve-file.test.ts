import { createHash } from 'node:crypto'
import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { publishTargets } from '../../src/tuf/publish.js'
import { findFile } from '../../src/tuf/serve-file.js'
import { LIFETIMES, newRepository, NOW, textTarget } from '../helpers/tuf.js'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

t.test('what is served', async (t) => {
  const first = await newRepository([textTarget('a.pem', 'old'), textTarget('gone', 'gone')])
  const repository = await publishTargets(first.repository, {
    targets: [textTarget('a.pem', 'new')],
    signers: first.signers,
    lifetimes: LIFETIMES,
    nowSeconds: NOW
  })
  const { roots, targets, snapshots, timestamp } = repository
  const served: readonly (readonly [string, string | undefined, boolean])[] = [
    ['1.root.json', roots[0], true],
    ['root.json', roots[0], false],
    ['timestamp.json', timestamp.text, false],
    ['1.snapshot.json', snapshots[1]?.text, true],
    ['2.snapshot.json', snapshots[0]?.text, true],
    ['snapshot.json', snapshots[0]?.text, false],
    ['1.targets.json', targets[1]?.text, true],
    ['2.targets.json', targets[0]?.text, true],
    ['targets.json', targets[0]?.text, false],
    [`targets/${sha256('old')}.a.pem`, 'old', true],
    [`targets/${sha256('new')}.a.pem`, 'new', true],
    [`targets/${sha256('gone')}.gone`, 'gone', true],
    ['targets/a.pem', 'new', false]
  ]
  for (const [path, text, isImmutable] of served) {
    if (text === undefined) throw new Error(`${path} should be there`)
    t.same(findFile(repository, path), { bytes: encodeUtf8(text), isImmutable }, path)
  }
  const absent = [
    '',
    '/',
    '/root.json',
    'root',
    'ROOT.json',
    'root.json/',
    'root.json?',
    './root.json',
    '0.root.json',
    '2.root.json',
    '01.root.json',
    '1.0.root.json',
    '+1.root.json',
    '-1.root.json',
    '1e0.root.json',
    '1 .root.json',
    '1.root.json\n',
    `${'9'.repeat(400)}.root.json`,
    '9007199254740993.root.json',
    '3.snapshot.json',
    '0.targets.json',
    '3.targets.json',
    '1.timestamp.json',
    '2.timestamp.json',
    '1.mirrors.json',
    'constructor',
    '__proto__',
    'targets',
    'targets/',
    'targets/gone',
    'targets/constructor',
    'targets/__proto__',
    'targets/toString',
    'targets/../root.json',
    'targets/./a.pem',
    'targets//a.pem',
    'targets/A.pem',
    'targets/%61.pem',
    `targets/${sha256('new').toUpperCase()}.a.pem`,
    `targets/${sha256('new')}.gone`,
    `targets/${sha256('other')}.a.pem`,
    `${sha256('new')}.a.pem`,
    'a.pem'
  ]
  for (const path of absent) t.equal(findFile(repository, path), undefined, path)
})
