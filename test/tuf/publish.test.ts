import t from 'tap'
import type { TufRepository } from '../../src/tuf/contract.js'
import { publishTargets } from '../../src/tuf/publish.js'
import { encodeRepository, readRepository } from '../../src/tuf/read-repository.js'
import { findFile } from '../../src/tuf/serve-file.js'
import { refusalText } from '../helpers/refusals.js'
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

t.test('files change, and clients see it', async (t) => {
  const { repository, signers } = await newRepository()
  const publish = (on: TufRepository, targets = FILES): Promise<TufRepository> =>
    publishTargets(on, { targets, signers, lifetimes: LIFETIMES, nowSeconds: NOW })
  t.equal(await publish(repository), repository, 'nothing is signed for nothing')
  t.equal(await publish(repository, [...FILES].reverse()), repository, 'order is nothing')
  t.equal(
    await publishTargets(repository, {
      targets: FILES,
      signers: { ...signers, targets: [] },
      lifetimes: LIFETIMES,
      nowSeconds: NOW
    }),
    repository,
    'and needs no keys'
  )

  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  let current = repository
  for (const content of ['two', 'three', 'four', 'five']) {
    current = await publish(current, [textTarget('trusted_root.json', content)])
    t.same(readRepository(encodeRepository(current)), current)
    mirror.publish(current)
    t.same(await client.fetch('trusted_root.json'), [content])
  }
  await t.rejects(client.fetch('rekor.pub'), /rekor.pub is not a target/)
  t.same(
    current.targets.map(({ version }) => version),
    [5, 4, 3]
  )
  t.same(
    current.snapshots.map(({ version }) => version),
    [5, 4, 3]
  )
  t.equal(current.files.size, 3, 'files of the three newest, and no others')
  t.equal(current.timestamp.version, 5)

  const custom = FILES.map((target) => ({ ...target, custom: { sigstore: { status: 'Expired' } } }))
  const marked = await publish(current, custom)
  t.not(await publish(marked, FILES), marked, 'a custom member is a change')
  t.equal(repository.targets.length, 1, 'the value before is as it was')
})

t.test('a client in the middle of a refresh finishes with what it began', async (t) => {
  const { repository, signers } = await newRepository()
  let current = repository
  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  // A client that has read the first timestamp, and asks for the rest after two more were published.
  const next = (content: string): Promise<TufRepository> =>
    publishTargets(current, {
      targets: [textTarget('trusted_root.json', content)],
      signers,
      lifetimes: LIFETIMES,
      nowSeconds: NOW
    })
  const begun = findFile(current, 'timestamp.json')
  current = await next('b')
  current = await next('c')
  const stale: TufRepository = { ...current, timestamp: repository.timestamp }
  t.same(findFile(stale, 'timestamp.json'), begun)
  mirror.publish(stale)
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  t.same(await client.fetch('trusted_root.json'), ['{"mediaType":"x"}\n'])
  mirror.publish(current)
  t.same(await client.fetch('trusted_root.json'), ['c'])
  mirror.publish(stale)
  await t.rejects(client.fetch('trusted_root.json'), /less than current/, 'and is not led back')
})

t.test('refused', async (t) => {
  const { repository, signers } = await newRepository()
  const before = encodeRepository(repository)
  const changed = [textTarget('a', 'b')]
  const good = { targets: changed, signers, lifetimes: LIFETIMES, nowSeconds: NOW }
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    const without = { ...good, signers: { ...signers, [role]: [] } }
    t.match(
      await refusalText(() => publishTargets(repository, without)),
      new RegExp(`^conflict: ${role} metadata needs 1 signatures, and only 0`)
    )
  }
  t.match(
    await refusalText(() =>
      publishTargets(repository, { ...good, targets: [textTarget('../a', '')] })
    ),
    /^invalid_request: not a name/
  )
  const many = Array.from({ length: 1001 }, (_, i) => textTarget(`file-${i}`, ''))
  t.match(
    await refusalText(() => publishTargets(repository, { ...good, targets: many })),
    /^too_large: 1001 TUF targets/
  )
  const lying = {
    ...(signers.timestamp[0] ?? signers.root[0]),
    sign: () => Promise.resolve(new Uint8Array(70))
  }
  t.match(
    await refusalText(() =>
      publishTargets(repository, {
        ...good,
        signers: { ...signers, timestamp: [lying as (typeof signers.timestamp)[0]] }
      })
    ),
    /^internal: the signer of key .* made a signature that is not good/
  )
  t.same(encodeRepository(repository), before)
})

t.test('an expired repository is refused by clients, not by us', async (t) => {
  const { repository } = await newRepository(FILES, NOW - 31 * DAY)
  t.same(readRepository(encodeRepository(repository)), repository)
  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  await t.rejects(client.fetch('rekor.pub'), /expired/)
})
