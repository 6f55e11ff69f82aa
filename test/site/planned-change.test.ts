import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import {
  changeAt,
  formatChange,
  loadStagedChange,
  parseChange,
  type PlannedChange,
  stagedChange
} from '../../src/site/planned-change.js'
import type { CellChange } from '../../src/store/log-store.js'

const TREE = {
  treeId: '42',
  log: 'rekor',
  origin: 'host - 42',
  publicKey: Uint8Array.of(1, 2, 255),
  keyName: 'rekor-1.pem',
  createdTimeSeconds: 1_767_225_600
} as const

const CHANGES: readonly PlannedChange[] = [
  { what: 'log', tree: TREE },
  { what: 'ct', tree: { ...TREE, log: 'ct' } },
  { what: 'ca', authority: { keyName: 'ca-1.pem', chain: ['A', 'B'] }, atSeconds: 1_767_225_600 },
  { what: 'tsa', authority: { keyName: 'tsa-1.pem', chain: ['A'] }, atSeconds: 0 }
]

t.test('what is written is read', (t) => {
  for (const change of CHANGES) t.strictSame(parseChange(formatChange(change)), change, change.what)
  t.end()
})

t.test('damage is told', (t) => {
  const tree = { ...TREE, publicKey: 'AQL/' }
  const authority = { keyName: 'k', chain: ['A'] }
  const cases: unknown[] = [
    null,
    [],
    {},
    { what: 'tuf' },
    { what: 'log' },
    { what: 'log', tree: [] },
    { what: 'log', tree: { ...tree, log: 'tuf' } },
    { what: 'log', tree: { ...tree, treeId: 42 } },
    { what: 'log', tree: { ...tree, publicKey: 'AQL' } },
    { what: 'log', tree: { ...tree, publicKey: undefined } },
    { what: 'ct', tree: { ...tree, createdTimeSeconds: '1' } },
    { what: 'ca', atSeconds: 1 },
    { what: 'ca', authority: { keyName: 'k', chain: 'A' }, atSeconds: 1 },
    { what: 'ca', authority: { keyName: 'k', chain: [1] }, atSeconds: 1 },
    { what: 'ca', authority: { chain: ['A'] }, atSeconds: 1 },
    { what: 'tsa', authority }
  ]
  for (const value of cases) {
    const text = JSON.stringify(value)
    t.throws(
      () => parseChange(encodeUtf8(text)),
      {
        name: 'LogError',
        code: 'integrity',
        message: /^what is kept of a rotation is damaged: /
      },
      text
    )
  }
  for (const bytes of [encodeUtf8('{'), Uint8Array.of(0x22, 0xff, 0x22)]) {
    t.throws(() => parseChange(bytes), { code: 'integrity' })
  }
  t.end()
})

t.test('it happens when it happens', (t) => {
  const times = CHANGES.map((change) => changeAt(change, 1_800_000_000)).map((change) =>
    'tree' in change ? change.tree.createdTimeSeconds : change.atSeconds
  )
  t.strictSame(
    times,
    CHANGES.map(() => 1_800_000_000)
  )
  t.end()
})

t.test('one waits, or none', async (t) => {
  let cell: Uint8Array | undefined
  const register = { read: async () => cell }
  const write = ({ expected, next }: CellChange): void => {
    t.equal(expected, cell, 'in place of what was read')
    cell = next
  }
  const none = await loadStagedChange(register)
  t.equal(none.change, undefined)
  for (const change of CHANGES) {
    write(stagedChange(await loadStagedChange(register), change))
    t.strictSame((await loadStagedChange(register)).change, change)
  }
  write(stagedChange(await loadStagedChange(register), undefined))
  t.equal((await loadStagedChange(register)).change, undefined)
  write(stagedChange(await loadStagedChange(register), CHANGES[0]))
  t.match((await loadStagedChange(register)).change, { what: 'log' }, 'another may wait then')
  cell = encodeUtf8('{"what":"log"}')
  await t.rejects(loadStagedChange(register), { code: 'integrity' })
})
