import t from 'tap'
import type { NewLeaf, TransparencyLog } from '../../src/log/contract.js'
import { countWaiting, timeWrites } from '../../src/log/instruments.js'
import type { LogStore } from '../../src/store/log-store.js'

t.test('a stopwatch around the two writes, and nothing else', async (t) => {
  let nowMs = 0
  const told: string[] = []
  const read = async () => ({ treeSize: 0, rootHash: new Uint8Array(32) })
  const inner: Partial<LogStore> = {
    treeId: '7',
    treeHead: read,
    append: async () => {
      nowMs += 2000
      return []
    },
    publish: async (_expected, next) => {
      nowMs += 500
      return next
    }
  }
  const store = timeWrites(
    inner as LogStore, // no other member is touched
    {
      onCommit: (seconds) => told.push(`commit ${seconds}`),
      onPublish: (seconds) => told.push(`publish ${seconds}`)
    },
    () => nowMs
  )
  t.equal(store.treeId, '7')
  t.equal(store.treeHead, read)
  t.strictSame(await store.append([], () => ({ treeHead: emptyHead(), tiles: [] })), [])
  const next = { treeHead: emptyHead(), note: 'n' }
  t.equal(await store.publish(undefined, next, []), next)
  t.strictSame(told, ['commit 2', 'publish 0.5'])

  inner.append = () => Promise.reject(new Error('disk full'))
  const failing = timeWrites(
    inner as LogStore, // likewise
    { onCommit: () => t.fail('a failed commit has no time'), onPublish: () => undefined },
    () => nowMs
  )
  await t.rejects(
    failing.append([], () => ({ treeHead: emptyHead(), tiles: [] })),
    /disk full/
  )
})

function emptyHead() {
  return { treeSize: 0, rootHash: new Uint8Array(32) }
}

t.test('counts what waits', async (t) => {
  const gates: { resolve: () => void; reject: (err: Error) => void }[] = []
  let failure: Error | undefined
  const inner: Partial<TransparencyLog> = {
    add: () =>
      new Promise((resolve, reject) => {
        gates.push({ resolve: () => resolve({} as never), reject }) // the answer is only passed on
      }),
    freshTimeMs: 5,
    close: async () => undefined
  }
  Object.defineProperty(inner, 'failure', { get: () => failure })
  const { log, waiting } = countWaiting(inner as TransparencyLog) // no other member is touched
  const leaf: NewLeaf = {
    leafHash: new Uint8Array(32),
    leafValue: new Uint8Array(100),
    searchKeys: []
  }
  const first = log.add(leaf)
  const second = log.add({ ...leaf, attestation: { key: 'k', value: new Uint8Array(11) } })
  t.strictSame(waiting(), { leaves: 2, bytes: 211 })
  gates[0]?.resolve()
  await first
  t.strictSame(waiting(), { leaves: 1, bytes: 111 })
  gates[1]?.reject(new Error('no'))
  await t.rejects(second, /no/)
  t.strictSame(waiting(), { leaves: 0, bytes: 0 })

  t.equal(log.freshTimeMs, 5)
  t.equal(log.failure, undefined)
  failure = new Error('stopped')
  t.equal(log.failure, failure, 'as it is now, not as it was')
})
