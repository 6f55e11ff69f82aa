import t from 'tap'
import { createSuccession } from '../../src/log/succession.js'

/** A promise and what settles it. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

/** Lets everything run that can run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test(
  'a replacement waits for those who use the current one, and others wait for it',
  async (t) => {
    const succession = createSuccession('first')
    const events: string[] = []
    const work = deferred()
    const opening = deferred()
    const early = succession.use(async (current) => {
      events.push(`early uses ${current}`)
      await work.promise
      events.push(`early done, ${succession.current}`)
      return current
    })
    const replaced = succession.replace(async (current) => {
      events.push(`close ${current}`)
      await opening.promise
      return 'second'
    })
    const late = succession.use(async (current) => {
      events.push(`late uses ${current}`)
      return current
    })
    await settle()
    t.same(events, ['early uses first'])
    work.resolve()
    await settle()
    t.same(events, ['early uses first', 'early done, first', 'close first'])
    t.equal(succession.current, 'first', 'reads go on meanwhile')
    opening.resolve()
    t.equal(await replaced, 'second')
    t.same(await Promise.all([early, late]), ['first', 'second'])
    t.equal(succession.current, 'second')
  }
)

t.test('several at once run one after the other, and several users at once', async (t) => {
  const succession = createSuccession(0)
  const seen: number[] = []
  const use = () =>
    succession.use(async (current) => {
      await settle()
      t.equal(succession.current, current, 'not replaced while it is used')
      seen.push(current)
    })
  const users = Array.from({ length: 20 }, use)
  const replacements = [1, 2, 3].map((step) =>
    succession.replace(async (current) => {
      t.equal(current, step - 1)
      await settle()
      return current + 1
    })
  )
  users.push(...Array.from({ length: 20 }, use))
  await Promise.all([...users, ...replacements])
  t.equal(succession.current, 3)
  t.equal(seen.length, 40)
  t.same(
    seen.slice(0, 20),
    Array.from({ length: 20 }, () => 0)
  )
})

t.test('when it fails the current one stays, and those who wait get it', async (t) => {
  const succession = createSuccession('first')
  const replaced = succession.replace(async () => {
    await settle()
    throw new Error('disk full')
  })
  const waiting = succession.use(async (current) => current)
  await t.rejects(replaced, { message: 'disk full' })
  t.equal(await waiting, 'first')
  await t.rejects(
    succession.use(async () => {
      throw new Error('theirs')
    }),
    { message: 'theirs' }
  )
  t.equal(await succession.replace(async (current) => `${current} again`), 'first again')
})
