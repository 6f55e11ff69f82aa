import t from 'tap'
import {
  activate,
  activeAuthority,
  formatAuthorityState,
  loadAuthorityState,
  parseAuthorityState,
  saveAuthorityState
} from '../../src/store/authority-records.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { refusalText } from '../helpers/refusals.js'
import { openTestDatabase, tempFolder } from '../helpers/test-log.js'

const first = { keyName: 'ca-1.pem', chain: ['one'] }
const second = { keyName: 'ca-2.pem', chain: ['two', 'root'] }

t.test('one authority after the other', (t) => {
  t.throws(() => activeAuthority([]), { code: 'conflict', message: /run sigstead init/ })
  const one = activate([], first, 100)
  t.strictSame(one, [{ ...first, activeFromSeconds: 100 }])
  const two = activate(one, second, 200)
  t.strictSame(two, [
    { ...first, activeFromSeconds: 100, activeUntilSeconds: 200 },
    { ...second, activeFromSeconds: 200 }
  ])
  t.strictSame(activeAuthority(two), two[1])
  t.equal(activate(two, first, 300).length, 3, 'one that was closed may come back')
  t.throws(() => activate(two, second, 300), { code: 'already_exists' })
  t.end()
})

t.test('in the register: what another wrote meanwhile is not overwritten', async (t) => {
  const { register } = await openTestDatabase(t, tempFolder(t))
  const empty = await loadAuthorityState(register, 'ca')
  t.strictSame(empty, { owner: 'ca', authorities: [], stored: undefined })
  const one = activate([], first, 100)
  await saveAuthorityState(register, empty, one)
  const loaded = await loadAuthorityState(register, 'ca')
  t.strictSame(loaded.authorities, one)
  t.match(
    await refusalText(() => saveAuthorityState(register, empty, activate([], second, 1))),
    /^conflict: the authorities were changed by somebody else/
  )
  await saveAuthorityState(register, loaded, activate(one, second, 200))
  t.equal((await loadAuthorityState(register, 'ca')).authorities.length, 2)
  t.strictSame(
    (await loadAuthorityState(register, 'tsa')).authorities,
    [],
    'each service has its own'
  )
})

t.test('only what was written is read', async (t) => {
  const good = { version: 1, authorities: [{ ...first, activeFromSeconds: 1 }] }
  t.strictSame(parseAuthorityState(formatAuthorityState(activate([], first, 1))), good.authorities)
  const record = { ...first, activeFromSeconds: 1 }
  const cases: [name: string, value: unknown][] = [
    ['no object', 5],
    ['another version', { ...good, version: 2 }],
    ['no list', { version: 1, authorities: {} }],
    ['an item that is no object', { version: 1, authorities: [1] }],
    ['no key', { version: 1, authorities: [{ ...record, keyName: 1 }] }],
    ['no chain', { version: 1, authorities: [{ ...record, chain: [] }] }],
    ['a chain of numbers', { version: 1, authorities: [{ ...record, chain: [1] }] }],
    ['a time as text', { version: 1, authorities: [{ ...record, activeFromSeconds: '1' }] }],
    ['the last one closed', { version: 1, authorities: [{ ...record, activeUntilSeconds: 2 }] }],
    ['an earlier one open', { version: 1, authorities: [record, record] }]
  ]
  for (const [name, value] of cases) {
    const bytes = encodeUtf8(JSON.stringify(value))
    t.match(
      await refusalText(() => parseAuthorityState(bytes)),
      /^integrity: what is kept of the/,
      name
    )
  }
  for (const bytes of [encodeUtf8('{'), Uint8Array.of(0xff)]) {
    t.match(await refusalText(() => parseAuthorityState(bytes)), /^integrity: .*no JSON/)
  }
})
