import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { decodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { useNative } from '../../src/keys/native-crypto.js'
import type { PromisedLeaf } from '../../src/log/leaf-checks.js'
import { hashLeaf } from '../../src/merkle/hash.js'
import { encodeEntryPromise } from '../../src/note/signed-entry-timestamp.js'
import { createRekorLeafChecks } from '../../src/rekor/leaf-checks.js'
import { logIdOf } from '../../src/rekor/statement.js'
import type { TreeRecord } from '../../src/store/log-store.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const TREE: TreeRecord = {
  treeId: '77',
  log: 'rekor',
  position: 1,
  offset: 1000,
  origin: 'log.example - 77',
  publicKey: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })),
  keyName: 'key.pem',
  state: 'active',
  createdTimeSeconds: 1
}

/** A leaf with a good promise, or one made from it. */
function promised(
  leafIndex: number,
  change: (set: Uint8Array) => Uint8Array = (set) => set,
  dsaEncoding: 'der' | 'ieee-p1363' = 'der'
): PromisedLeaf {
  const leafValue = encodeUtf8(`leaf ${leafIndex}`)
  const logId = logIdOf(TREE.publicKey)
  const integratedTimeSeconds = 1_700_000_000 + leafIndex
  const logIndex = TREE.offset + leafIndex
  const message = encodeEntryPromise({ leafValue, integratedTimeSeconds, logId, logIndex })
  const set = Uint8Array.from(sign('sha256', message, { key: privateKey, dsaEncoding }))
  return {
    leafIndex,
    leafHash: hashLeaf(leafValue),
    leafValue,
    integratedTimeSeconds,
    inclusionPromise: change(set)
  }
}

/** A longer spelling of the length of the sequence. */
function longLength(der: Uint8Array): Uint8Array {
  return Uint8Array.from([0x30, 0x81, ...der.slice(1)])
}

t.test('many promises at once get the verdicts that they get one by one', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const leaves: PromisedLeaf[] = [
    promised(0),
    promised(1, () => new Uint8Array(0)),
    promised(2, (set) => set, 'ieee-p1363'),
    promised(3, longLength),
    promised(4, (set) => Uint8Array.from([...set, 0])),
    promised(5, () => decodeHex('3006020100020100')),
    { ...promised(6), leafIndex: 7 },
    { ...promised(8), integratedTimeSeconds: 1 },
    { ...promised(9), leafValue: encodeUtf8('other') },
    promised(10)
  ]
  for (let i = 11; i < 300; i++) {
    leaves.push(promised(i, (set) => (i % 3 === 0 ? set : mutate(set, random))))
  }
  const checks = createRekorLeafChecks()
  const verdicts = async (): Promise<readonly (string | undefined)[]> =>
    ((await checks.verifyPromises?.(TREE, leaves)) ?? []).map((problem) => problem?.message)
  const one = await Promise.all(
    leaves.map(async (leaf) => {
      try {
        await checks.verifyPromise(TREE, leaf)
        return undefined
      } catch (err) {
        return (err as Error).message
      }
    })
  )
  t.strictSame(one.slice(0, 10), [
    undefined,
    ...Array.from({ length: 8 }, () => 'signed entry timestamp is not valid'),
    undefined
  ])
  t.strictSame(await verdicts(), one)
  useNative(false)
  t.teardown(() => useNative(true))
  t.strictSame(await verdicts(), one, 'without the addon')
})

t.test('a tree with a key that cannot be read', async (t) => {
  const checks = createRekorLeafChecks()
  const tree = { ...TREE, publicKey: Uint8Array.of(1, 2, 3) }
  const leaf = promised(0)
  const one = Promise.resolve().then(() => checks.verifyPromise(tree, leaf))
  await t.rejects(one)
  await t.rejects(Promise.resolve().then(() => checks.verifyPromises?.(tree, [leaf])))
})
