// Every key of a server is replaced, twice, while it is asked for everything it gives: nobody is turned away, what was signed
// before still verifies, and only who has not looked at the mirror since refuses what is signed now.
import t from 'tap'
import { type Generation, NO_TSA_CHAIN, openGenerations } from './generations.js'
import { runSigstead } from './server.js'
import { refused } from './session.js'

const rotating = await openGenerations(t)
const { session, load, get, timestampVersion, sigstead } = rotating
const { newGeneration, verify2, verify3, verifyJs, assertVerified } = rotating

const PARTS = ['log', 'ct', 'ca', 'tsa'] as const
const ROUNDS = 2

/** Words of each client that does not know a part yet. */
const UNKNOWN: Record<
  (typeof PARTS)[number],
  { readonly two: RegExp; readonly three: RegExp; readonly js: RegExp }
> = {
  log: {
    two: /rekor log public key not found for payload/,
    three: /not enough verified log entries from transparency log: 0 < 1/,
    js: /inclusion promise could not be verified/
  },
  ct: {
    two: /ctfe public key not found for payload/,
    three: /only able to verify 0 SCT entries; unable to meet threshold of 1/,
    js: /SCT verification failed/
  },
  ca: {
    two: /cert verification failed: x509: certificate signed by unknown authority/,
    three: /leaf certificate verification failed/,
    js: /Failed to verify certificate chain/
  },
  tsa: {
    two: NO_TSA_CHAIN,
    three: /threshold not met for verified signed timestamps: 0 < 1/,
    js: /timestamp could not be verified/
  }
}

const generations: Generation[] = []

t.test('before', async (t) => {
  generations.push(await newGeneration(t, 'start', 0))
  const [start] = generations
  if (start === undefined) throw new Error('no generation')
  await assertVerified(t, start, start)
  await load.more(5)
})

interface Rotated {
  readonly what: string
  readonly outcome: string
  readonly newKey: boolean
  readonly changes: readonly { readonly kind: string; readonly change: string }[]
  readonly closed?: { readonly treeId: string; readonly treeSize: number }
  readonly opened?: { readonly treeId: string }
}

for (let round = 1; round <= ROUNDS; round += 1) {
  for (const part of PARTS) {
    t.test(`rotate ${part}, round ${round}`, async (t) => {
      const before = generations.at(-1)
      if (before === undefined) throw new Error('no generation')
      const version = await timestampVersion()
      if (round === 1) {
        const dry = await sigstead<Rotated>(['rotate', part, '--dry-run'])
        t.match(dry, { what: part, outcome: 'dry-run' })
        t.ok(dry.changes.some(({ change }) => change === 'added'))
        t.equal(await timestampVersion(), version, 'nothing was published')
      }
      const done = await sigstead<Rotated>(['rotate', part])
      t.match(done, { what: part, outcome: 'done', newKey: true })
      const kind = part === 'log' ? 'rekor' : part
      for (const change of ['added', 'ended']) {
        t.ok(
          done.changes.some((item) => item.kind === kind && item.change === change),
          change
        )
      }
      if (part === 'log' || part === 'ct') {
        t.not(done.opened?.treeId, done.closed?.treeId)
        t.ok((done.closed?.treeSize ?? 0) > 0)
      }
      t.equal(await timestampVersion(), version + 1, 'published at once')
      await load.more(5)
      t.strictSame(load.failures(), [])

      const now = await newGeneration(t, `${part}-${round}`, before.tsa + (part === 'tsa' ? 1 : 0))
      generations.push(now)
      for (const signed of new Set([generations[0], before, now])) {
        if (signed !== undefined) await assertVerified(t, signed, now)
      }

      const { two, three, js } = UNKNOWN[part]
      refused(t, await verify2(now, before, { stamped: true }), 'cosign 2, as before', two)
      refused(t, await verify3(now, { root: before.trustedRoot }), 'cosign 3, as before', three)
      await t.rejects(
        verifyJs(now.js, before.cache, true),
        { message: js },
        'sigstore-js, as before'
      )
    })
  }
}

t.test('nobody was turned away', async (t) => {
  const last = generations.at(-1)
  if (last === undefined) throw new Error('no generation')
  for (const signed of generations) await assertVerified(t, signed, last)
  await rotating.endLoad(t, last)
  const trees = new Set(load.entries().map(({ id }) => id.slice(0, 16)))
  t.equal(trees.size, 1 + ROUNDS, 'trees')
})

t.test('the data directory', async (t) => {
  const last = generations.at(-1)
  if (last === undefined) throw new Error('no generation')
  let report = ''
  await session.server.restart(async () => {
    report = await runSigstead(['verify', '--data-dir', session.dataDir])
  })
  t.comment(report)
  await assertVerified(t, last, last)
  for (const { id, logIndex } of load.entries().filter((_, i) => i % 20 === 0)) {
    const entry = JSON.parse((await get(`/api/v1/log/entries/${id}`)).toString()) as object
    t.match(entry, { [id]: { logIndex } })
  }
})
