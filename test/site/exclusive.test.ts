import t from 'tap'
import { createExclusive } from '../../src/site/exclusive.js'

t.test('one after the other, in the order they came, whatever becomes of them', async (t) => {
  const exclusive = createExclusive()
  const events: string[] = []
  const run = (name: string, ms: number, fails = false) =>
    exclusive(async () => {
      events.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, ms))
      events.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const outcomes = await Promise.allSettled([run('a', 20), run('b', 5, true), run('c', 0)])
  t.strictSame(
    events,
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`])
  )
  t.match(outcomes, [{ value: 'a' }, { reason: { message: 'b' } }, { value: 'c' }])
  t.equal(await run('d', 0), 'd')
})

t.test('an action that fails at once is told like one that fails later', async (t) => {
  const exclusive = createExclusive()
  const asked = exclusive(() => {
    throw new Error('at once')
  })
  await t.rejects(asked, { message: 'at once' })
  t.equal(await exclusive(async () => 1), 1)
})
