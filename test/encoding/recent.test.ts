import t from 'tap'
import { createRecent } from '../../src/encoding/recent.js'

t.test('a value is made once while it is asked for', async (t) => {
  const recent = createRecent<{ readonly key: string }>(3)
  let made = 0
  const get = (key: string) =>
    recent.get(key, () => {
      made++
      return { key }
    })
  const first = get('a')
  t.same(first, { key: 'a' })
  for (const key of ['b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    get(key)
    t.equal(get('a'), first, 'the very same')
  }
  t.equal(made, 8)
  get('b')
  t.equal(made, 9, 'what nobody asked for is forgotten')
})

t.test('at most twice the capacity is kept', async (t) => {
  const recent = createRecent<number>(10)
  for (let i = 0; i < 1000; i++) recent.get(String(i), () => i)
  let kept = 0
  for (let i = 999; i >= 0; i--) {
    let isNew = false
    recent.get(String(i), () => {
      isNew = true
      return i
    })
    if (isNew) break
    kept++
  }
  t.ok(kept >= 10 && kept <= 20, `${kept}`)
})

t.test('what throws is asked again', async (t) => {
  const recent = createRecent<number>(1)
  const fail = (): number => {
    throw new Error('bad')
  }
  t.throws(() => recent.get('a', fail), { message: 'bad' })
  t.equal(
    recent.get('a', () => 1),
    1
  )
})
