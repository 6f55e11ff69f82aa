import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createTurns } from '../../src/http/turns.js'

t.test('so many begin in one turn, in their order', async (t) => {
  const turn = createTurns(3)
  const begun: number[] = []
  const all = Array.from({ length: 8 }, async (_, i) => {
    await turn()
    begun.push(i)
  })
  await Promise.resolve()
  t.strictSame(begun, [0, 1, 2])
  await setImmediate()
  t.strictSame(begun, [0, 1, 2, 3, 4, 5])
  await Promise.all(all)
  t.strictSame(begun, [0, 1, 2, 3, 4, 5, 6, 7])
})

t.test('nobody waits when nobody else came', async (t) => {
  const turn = createTurns(1)
  t.equal(turn(), undefined)
  await setImmediate()
  await setImmediate()
  t.equal(turn(), undefined)
  const second = turn()
  t.ok(second instanceof Promise)
  await second
})

t.test('who comes while others wait comes after them', async (t) => {
  const turn = createTurns(1)
  const begun: string[] = []
  const come = async (name: string): Promise<void> => {
    await turn()
    begun.push(name)
  }
  const all = [come('a'), come('b'), come('c')]
  await setImmediate()
  all.push(come('d'))
  await Promise.all(all)
  t.strictSame(begun, ['a', 'b', 'c', 'd'])
})
