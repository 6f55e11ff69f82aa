import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { createGenTimeRecord, type Cells } from '../../src/tsa/gen-time-record.js'
import { refusalText } from '../helpers/refusals.js'

/** Cells in memory. @param onSwap called before each; may change what is kept */
function memoryCells(onSwap: (kept: Map<string, Uint8Array>) => void = () => undefined) {
  const kept = new Map<string, Uint8Array>()
  const cells: Cells = {
    read: async (key) => kept.get(key),
    swap: async (key, expected, next) => {
      onSwap(kept)
      if (kept.get(key) !== expected) return false
      kept.set(key, next)
      return true
    }
  }
  return { kept, cells }
}

t.test('a time that only grows', async (t) => {
  const { cells, kept } = memoryCells()
  const record = createGenTimeRecord(cells)
  t.equal(await record.read(), undefined)
  await record.write(100)
  t.equal(await record.read(), 100)
  await record.write(99)
  t.equal(await record.read(), 100)
  await record.write(101)
  t.equal(await createGenTimeRecord(cells).read(), 101)
  t.same([...kept.keys()], ['tsa/last-gen-time'])
})

t.test('other instances', async (t) => {
  let others = 3
  const { cells } = memoryCells((kept) => {
    if (others-- > 0) {
      kept.set('tsa/last-gen-time', encodeUtf8(`{"version":1,"genTimeSeconds":${10 - others}}`))
    }
  })
  const record = createGenTimeRecord(cells)
  await record.write(100)
  t.equal(await record.read(), 100)

  const later = memoryCells((kept) => {
    kept.set('tsa/last-gen-time', encodeUtf8('{"version":1,"genTimeSeconds":500}'))
  })
  await createGenTimeRecord(later.cells).write(100)
  t.equal(await createGenTimeRecord(later.cells).read(), 500, 'theirs is later')

  let turn = 0
  const busy = memoryCells((kept) => {
    kept.set('tsa/last-gen-time', encodeUtf8(`{"version":1,"genTimeSeconds":${++turn}}`))
  })
  t.match(await refusalText(() => createGenTimeRecord(busy.cells).write(100)), /^conflict: /)
})

t.test('what is kept is damaged', async (t) => {
  for (const text of [
    '',
    'x',
    '5',
    '{}',
    '{"version":2,"genTimeSeconds":1}',
    '{"version":1}',
    '{"version":1,"genTimeSeconds":"1"}',
    '{"version":1,"genTimeSeconds":1.5}',
    '{"version":1,"genTimeSeconds":-1}'
  ]) {
    const { cells, kept } = memoryCells()
    kept.set('tsa/last-gen-time', encodeUtf8(text))
    const record = createGenTimeRecord(cells)
    const expected = 'integrity: what is kept of the last timestamp is damaged'
    t.equal(await refusalText(() => record.read()), expected, text)
    t.equal(await refusalText(() => record.write(5)), expected, text)
  }
})
