import t from 'tap'
import type { TufRepository, TufSigners } from '../../src/tuf/contract.js'
import { expiries } from '../../src/tuf/expiry.js'
import { encodeRepository, readRepository } from '../../src/tuf/read-repository.js'
import { refresh } from '../../src/tuf/refresh.js'
import {
  DAY,
  FILES,
  LIFETIMES,
  newClient,
  newRepository,
  NOW,
  startMirror,
  textTarget
} from '../helpers/tuf.js'

const versionsOf = (repository: TufRepository): readonly number[] =>
  expiries(repository).map(({ version }) => version)

t.test('what is due is signed again, and what names it', async (t) => {
  const { repository, signers } = await newRepository()
  t.same(expiries(repository), [
    { role: 'root', version: 1, expiresSeconds: NOW + 730 * DAY },
    { role: 'targets', version: 1, expiresSeconds: NOW + 365 * DAY },
    { role: 'snapshot', version: 1, expiresSeconds: NOW + 90 * DAY },
    { role: 'timestamp', version: 1, expiresSeconds: NOW + 30 * DAY }
  ])
  // After this many seconds, these versions of root, targets, snapshot and timestamp.
  const third = (365 * DAY) / 3
  const cases: readonly (readonly [string, number, readonly number[]])[] = [
    ['at once', 0, [1, 1, 1, 1]],
    ['nearly a day', DAY - 1, [1, 1, 1, 1]],
    ['a day', DAY, [1, 1, 1, 2]],
    ['nearly a third of a snapshot', 30 * DAY, [1, 1, 1, 2]],
    ['over a third of a snapshot', 30 * DAY + 1, [1, 1, 2, 2]],
    ['just a third of targets', Math.floor(third), [1, 1, 2, 2]],
    ['over a third of targets', Math.floor(third) + 1, [1, 2, 2, 2]],
    ['after everything has expired', 1000 * DAY, [1, 2, 2, 2]],
    ['clock a minute back', -60, [1, 1, 1, 1]],
    ['clock two days back', -2 * DAY, [1, 2, 2, 2]]
  ]
  for (const [name, seconds, expected] of cases) {
    const next = await refresh(repository, {
      signers,
      lifetimes: LIFETIMES,
      nowSeconds: NOW + seconds
    })
    t.same(versionsOf(next), expected, name)
    t.equal(
      next === repository,
      expected.every((version) => version === 1),
      name
    )
    t.same(readRepository(encodeRepository(next)), next)
    t.same(next.roots, repository.roots)
    const again = await refresh(next, { signers, lifetimes: LIFETIMES, nowSeconds: NOW + seconds })
    t.equal(again, next, `${name}: once is enough`)
  }
})

t.test('a shorter setting counts at once', async (t) => {
  const { repository, signers } = await newRepository()
  const lifetimes = { ...LIFETIMES, snapshot: { seconds: 10 * DAY } }
  const next = await refresh(repository, { signers, lifetimes, nowSeconds: NOW })
  t.same(versionsOf(next), [1, 1, 2, 2])
  t.equal(expiries(next)[2]?.expiresSeconds, NOW + 10 * DAY)
})

t.test('roles whose keys are elsewhere are left alone', async (t) => {
  const { repository, signers } = await newRepository()
  const late = async (here: Partial<TufSigners>): Promise<readonly number[]> => {
    const all = { ...signers, ...here }
    const nowSeconds = NOW + 1000 * DAY
    return versionsOf(await refresh(repository, { signers: all, lifetimes: LIFETIMES, nowSeconds }))
  }
  t.same(await late({ root: [] }), [1, 2, 2, 2])
  t.same(await late({ targets: [] }), [1, 1, 2, 2])
  t.same(await late({ targets: [], snapshot: [] }), [1, 1, 1, 2])
  t.same(await late({ snapshot: [] }), [1, 1, 1, 2], 'targets nobody could name are not signed')
  t.same(await late({ timestamp: [] }), [1, 1, 1, 1])
})

t.test('files that changed are published, if their keys are here', async (t) => {
  const { repository, signers } = await newRepository()
  const changed = [textTarget('trusted_root.json', 'new')]
  const context = { lifetimes: LIFETIMES, nowSeconds: NOW }
  t.equal(await refresh(repository, { ...context, signers, targets: FILES }), repository)
  const next = await refresh(repository, { ...context, signers, targets: changed })
  t.same(versionsOf(next), [1, 2, 2, 2])
  const elsewhere = { ...signers, targets: [] }
  t.equal(
    await refresh(repository, { ...context, signers: elsewhere, targets: changed }),
    repository
  )
})

t.test('clients go along for years', async (t) => {
  const { repository, signers } = await newRepository(FILES, NOW - 400 * DAY)
  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  await t.rejects(client.fetch('rekor.pub'), /expired/)
  let current = repository
  for (let day = -399; day <= 0; day += 7) {
    const nowSeconds = NOW + day * DAY
    current = await refresh(current, { signers, lifetimes: LIFETIMES, nowSeconds })
  }
  t.same(readRepository(encodeRepository(current)), current)
  t.same(versionsOf(current), [1, 4, 13, 59])
  mirror.publish(current)
  t.equal((await client.fetch('rekor.pub', 'trusted_root.json')).length, 2)
})
