import t from 'tap'
import { collectSearchKeys } from '../../src/entries/search-keys.js'
import { refusalText } from '../helpers/refusals.js'

t.test('lower case, once, in order, none that cannot be asked for', (t) => {
  t.same(collectSearchKeys(['B', 'a', 'b', 'A@Example.com', 'x'.repeat(512), 'y'.repeat(513)]), [
    'b',
    'a',
    'a@example.com',
    'x'.repeat(512)
  ])
  t.end()
})

t.test('no more than one entry may have', async (t) => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `sha256:${i}`)
  t.equal(collectSearchKeys([...keys, 'sha256:0']).length, 10_000)
  t.equal(
    await refusalText(() => collectSearchKeys([...keys, 'one more'])),
    'invalid_request: entry has 10001 search keys, more than 10000'
  )
})
