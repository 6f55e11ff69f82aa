import { join } from 'node:path'
import t from 'tap'
import { checkLog } from '../../src/log/check-log.js'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { badThing, type CheckedThing } from '../../src/log/check-error.js'
import type { LeafChecks } from '../../src/log/leaf-checks.js'
import { isLogError, LogError } from '../../src/errors.js'
import { sha256 } from '../../src/store/sha256.js'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { execute, flip, leafId, tileId } from '../helpers/damage.js'
import {
  type Teardown,
  checkTestLog,
  createTestLog,
  openTestDatabase,
  openTestLog,
  tempFolder,
  testChecks,
  testLeaf,
  testLeaves,
  testTree
} from '../helpers/test-log.js'

/** 700 leaves in three batches: two full tiles, a partial one and one above them. */
async function createCheckedLog(t: Teardown): Promise<string> {
  const { folder, database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  for (const [count, first] of [
    [300, 0],
    [1, 300],
    [398, 301]
  ] as const) {
    await Promise.all(testLeaves(count, first).map((leaf) => log.add(leaf)))
  }
  const attested = testLeaf('attested')
  const value = new Uint8Array([1, 2, 3])
  await log.add({
    ...attested,
    attestation: {
      key: 'sha256:039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81',
      value
    }
  })
  await log.close()
  await database.close()
  return folder
}

interface Damage {
  readonly name: string
  readonly what: CheckedThing | readonly CheckedThing[]
  readonly index?: number
  damage(folder: string): void
}

const DAMAGES: readonly Damage[] = [
  {
    name: 'first byte of the first leaf',
    what: 'leaf',
    index: 0,
    damage: (folder) => flip(folder, 'leaf', 'leaf_value', `leaf_id = ${leafId(0)}`, 0)
  },
  {
    name: 'last byte of a leaf in the middle',
    what: 'leaf',
    index: 350,
    damage: (folder) => flip(folder, 'leaf', 'leaf_value', `leaf_id = ${leafId(350)}`, -1)
  },
  {
    name: 'hash of the last leaf',
    what: ['leaf', 'leafHashIndex', 'storage'],
    damage: (folder) => flip(folder, 'leaf', 'leaf_hash', `leaf_id = ${leafId(699)}`, 31)
  },
  {
    name: 'digest of search keys',
    what: 'searchIndex',
    index: 17,
    damage: (folder) => flip(folder, 'leaf', 'search_digest', `leaf_id = ${leafId(17)}`, 3)
  },
  {
    name: 'time of a leaf',
    what: 'promise',
    index: 300,
    damage: (folder) =>
      execute(
        folder,
        `update leaf set integrated_time = integrated_time + 1 where leaf_id = ${leafId(300)}`
      )
  },
  {
    name: 'a full tile of leaf hashes',
    what: 'tile',
    index: 1,
    damage: (folder) => flip(folder, 'tile', 'hashes', `tile_id = ${tileId(0, 1)}`, 4000)
  },
  {
    name: 'the partial tile at the edge',
    what: 'tile',
    index: 2,
    damage: (folder) => flip(folder, 'tile', 'hashes', `tile_id = ${tileId(0, 2)}`, -1)
  },
  {
    name: 'the tile above',
    what: 'tile',
    index: 0,
    damage: (folder) => flip(folder, 'tile', 'hashes', `tile_id = ${tileId(1, 0)}`, 32)
  },
  {
    name: 'a missing tile',
    what: 'tile',
    damage: (folder) => execute(folder, `delete from tile where tile_id = ${tileId(0, 1)}`)
  },
  {
    name: 'signature of the first checkpoint',
    what: 'checkpoint',
    damage: (folder) => flip(folder, 'checkpoint', 'note', 'tree_size = 0', -5)
  },
  {
    name: 'size in the text of a checkpoint in the middle',
    what: 'checkpoint',
    damage: (folder) => flip(folder, 'checkpoint', 'note', 'tree_size = 301', 21)
  },
  {
    name: 'root beside a checkpoint',
    what: 'checkpoint',
    damage: (folder) => flip(folder, 'checkpoint', 'root_hash', 'tree_size = 301', 0)
  },
  {
    name: 'a promise',
    what: 'promise',
    index: 512,
    damage: (folder) => flip(folder, 'inclusion_promise', 'promise', `leaf_id = ${leafId(512)}`, 12)
  },
  {
    name: 'a missing promise',
    what: 'promise',
    index: 512,
    damage: (folder) =>
      execute(folder, `delete from inclusion_promise where leaf_id = ${leafId(512)}`)
  },
  {
    name: 'a row of the search index',
    what: 'searchIndex',
    index: 600,
    damage: (folder) => flip(folder, 'search_key', 'key_hash', `leaf_id = ${leafId(600)}`, 7)
  },
  {
    name: 'a missing row of the search index',
    what: 'searchIndex',
    index: 600,
    damage: (folder) => execute(folder, `delete from search_key where leaf_id = ${leafId(600)}`)
  },
  {
    name: 'a row of the search index that was added',
    what: 'searchIndex',
    index: 5,
    damage: (folder) =>
      execute(folder, `insert into search_key values (randomblob(16), ${leafId(5)})`)
  },
  {
    name: 'a row of the search index that points nowhere',
    what: ['searchIndex', 'storage'],
    damage: (folder) =>
      execute(folder, `insert into search_key values (zeroblob(16), ${leafId(70_000)})`)
  },
  {
    name: 'the committed root',
    what: 'treeHead',
    damage: (folder) => flip(folder, 'tree', 'root_hash', 'tree_key = 1', 16)
  },
  {
    name: 'the committed size',
    what: ['treeHead', 'leaf', 'checkpoint', 'tile'],
    damage: (folder) => execute(folder, 'update tree set tree_size = 699 where tree_key = 1')
  },
  {
    name: 'a missing leaf',
    what: 'leaf',
    index: 42,
    damage: (folder) => execute(folder, `delete from leaf where leaf_id = ${leafId(42)}`)
  },
  {
    name: 'an attestation',
    what: 'attestation',
    damage: (folder) => flip(folder, 'attestation', 'value', 'attestation_id = 1', 1)
  },
  {
    name: 'the public key of the tree',
    what: ['checkpoint', 'tree'],
    damage: (folder) => flip(folder, 'tree', 'public_key', 'tree_key = 1', -1)
  },
  {
    name: 'the origin of the tree',
    what: ['checkpoint', 'tree'],
    damage: (folder) => flip(folder, 'tree', 'origin', 'tree_key = 1', 0)
  },
  {
    name: 'the offset of the tree',
    what: 'tree',
    damage: (folder) => execute(folder, 'update tree set leaf_offset = 1 where tree_key = 1')
  }
]

for (const { name, what, index, damage } of DAMAGES) {
  t.test(`finds damage: ${name}`, async (t) => {
    const folder = await createCheckedLog(t)
    const before = await openDatabase({ path: join(folder, 'log.sqlite'), mode: 'read' })
    await checkTestLog(before)
    await before.close()

    damage(folder)

    const database = await openDatabase({ path: join(folder, 'log.sqlite'), mode: 'read' })
    t.teardown(() => database.close())
    try {
      await checkTestLog(database)
      t.fail('passed a damaged log')
    } catch (err) {
      if (!isLogError(err, 'integrity')) throw err
      t.ok([what].flat().includes(err.details['what'] as CheckedThing), err.message)
      if (index !== undefined) t.equal(err.details['index'], index, err.message)
    }
  })
}

t.test('holds search keys that can be derived again against the index', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  await log.add(testLeaf('a', ['found']))
  await log.close()
  const check = (searchKeys: readonly string[]) => {
    const checks = {
      ...testChecks(),
      deriveFromLeaf: () => ({ searchKeys, attestationKey: undefined })
    }
    return checkLog({ database, checks: { rekor: checks, ct: checks } })
  }
  await check(['found'])
  await t.rejects(check(['found', 'other']), {
    code: 'integrity',
    details: { what: 'searchIndex', index: 0 }
  })
})

/** Checks of a log whose leaves are submissions: found by the hash of their value, which is kept beside them too. */
function submissionChecks(): LeafChecks {
  return {
    ...testChecks(),
    deriveFromLeaf: async ({ treeId }, { leafIndex, leafValue }, side) => {
      const { extraData, attestationKey } = side
      if (extraData === undefined || !equalBytes(extraData, leafValue)) {
        throw badThing('extraData', { treeId, index: leafIndex }, 'not what was submitted')
      }
      if ((await side.readAttestation()) === undefined) {
        throw badThing('attestation', { treeId, index: leafIndex }, 'nothing is kept')
      }
      return { searchKeys: [], attestationKey, submissionHash: sha256(leafValue) }
    }
  }
}

/** Three submissions that share what is kept beside them. */
async function createSubmissionLog(t: Teardown): Promise<string> {
  const { folder, database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  const value = new Uint8Array([1, 2, 3])
  const attestation = { key: `sha256:${encodeHex(sha256(value))}`, value }
  for (const leaf of testLeaves(3)) {
    const { leafValue } = leaf
    await log.add({ ...leaf, submissionHash: sha256(leafValue), extraData: leafValue, attestation })
  }
  await log.close()
  await database.close()
  return folder
}

const SUBMISSION_DAMAGES: readonly Damage[] = [
  {
    name: 'extra data',
    what: 'extraData',
    index: 1,
    damage: (folder) => flip(folder, 'extra_data', 'value', `leaf_id = ${leafId(1)}`, -1)
  },
  {
    name: 'missing extra data',
    what: 'extraData',
    index: 2,
    damage: (folder) => execute(folder, `delete from extra_data where leaf_id = ${leafId(2)}`)
  },
  {
    name: 'extra data of a leaf that is not there',
    what: 'extraData',
    damage: (folder) => execute(folder, `insert into extra_data values (${leafId(7)}, zeroblob(5))`)
  },
  {
    name: 'a submission',
    what: 'submission',
    index: 1,
    damage: (folder) => flip(folder, 'submission', 'submission_hash', `leaf_id = ${leafId(1)}`, 31)
  },
  {
    name: 'a missing submission',
    what: 'submission',
    index: 1,
    damage: (folder) => execute(folder, `delete from submission where leaf_id = ${leafId(1)}`)
  },
  {
    name: 'a submission that leads to the leaf before',
    what: 'submission',
    index: 1,
    damage: (folder) =>
      execute(folder, `update submission set leaf_id = ${leafId(0)} where leaf_id = ${leafId(1)}`)
  },
  ...['randomblob(32)', 'zeroblob(32)'].map((hash) => ({
    name: `a submission that was added: ${hash}`,
    what: 'submission' as const,
    index: 0,
    damage: (folder: string) =>
      execute(folder, `insert into submission values (${hash}, ${leafId(0)}, 1)`)
  })),
  {
    name: 'a submission that points nowhere',
    what: 'submission',
    index: 9,
    damage: (folder) =>
      execute(folder, `insert into submission values (randomblob(32), ${leafId(9)}, 1)`)
  },
  {
    name: 'a submission of a tree that is not there',
    what: 'submission',
    index: 0,
    damage: (folder) =>
      execute(folder, `insert into submission values (randomblob(32), ${leafId(0, 5)}, 5)`)
  },
  {
    name: 'extra data of a tree that is not there',
    what: 'storage',
    damage: (folder) =>
      execute(folder, `insert into extra_data values (${leafId(0, 5)}, zeroblob(1))`)
  },
  {
    name: 'a link to what leaves share',
    what: 'attestation',
    index: 1,
    damage: (folder) =>
      execute(folder, `update leaf set attestation_id = null where leaf_id = ${leafId(1)}`)
  }
]

for (const { name, what, index, damage } of SUBMISSION_DAMAGES) {
  t.test(`finds damage to a log of submissions: ${name}`, async (t) => {
    const folder = await createSubmissionLog(t)
    const checks = submissionChecks()
    const check = async (): Promise<unknown> => {
      const database = await openDatabase({ path: join(folder, 'log.sqlite'), mode: 'read' })
      try {
        return await checkLog({ database, checks: { rekor: checks, ct: checks } })
      } finally {
        await database.close()
      }
    }
    t.match(await check(), { submissions: 3, attestations: 1 })
    damage(folder)
    try {
      await check()
      t.fail('passed a damaged log')
    } catch (err) {
      if (!isLogError(err, 'integrity')) throw err
      t.ok([what].flat().includes(err.details['what'] as CheckedThing), err.message)
      if (index !== undefined) t.equal(err.details['index'], index, err.message)
    }
  })
}

t.test('a log without submissions has no rows of them', async (t) => {
  const damages: readonly (readonly [CheckedThing, sql: string])[] = [
    ['submission', `insert into submission values (zeroblob(32), ${leafId(3)}, 1)`],
    ['submission', `insert into submission values (randomblob(32), ${leafId(3)}, 1)`],
    ['extraData', `insert into extra_data values (${leafId(3)}, zeroblob(0))`]
  ]
  for (const [what, sql] of damages) {
    const folder = await createCheckedLog(t)
    execute(folder, sql)
    const database = await openDatabase({ path: join(folder, 'log.sqlite'), mode: 'read' })
    t.teardown(() => database.close())
    const details = { what, index: 3 }
    await t.rejects(checkTestLog(database), { code: 'integrity', details }, sql)
  }
})

t.test('a leaf that cannot be read as an entry is named', async (t) => {
  const { database, store, key } = await createTestLog(t)
  const log = await openTestLog(store, key)
  for (const leaf of testLeaves(3)) await log.add(leaf)
  await log.close()
  const checks: LeafChecks = {
    ...testChecks(),
    deriveFromLeaf: (_tree, { leafIndex }) => {
      if (leafIndex > 0) throw new LogError('invalid_request', `cannot read ${leafIndex}`)
      return { searchKeys: [], attestationKey: undefined }
    }
  }
  await t.rejects(checkLog({ database, checks: { rekor: checks, ct: checks } }), {
    code: 'integrity',
    message: /^leaf 1 of tree 1234 is no entry of this log: cannot read 1$/,
    details: { what: 'leaf', index: 1 }
  })
})

t.test('two trees: offsets and states', async (t) => {
  const { database, store, key, folder } = await createTestLog(t)
  const first = await openTestLog(store, key)
  await Promise.all(testLeaves(3).map((leaf) => first.add(leaf)))
  await first.close()
  await database.createTree(testTree(key, '99'))
  const second = await openTestLog(database.logStore('99'), key)
  t.equal((await second.add(testLeaf('leaf 1'))).leafIndex, 0, 'the same leaf again in a new tree')
  await second.close()
  const report = await checkTestLog(database)
  t.strictSame(
    report.trees.map(({ treeId, treeSize }) => [treeId, treeSize]),
    [
      ['1234', 3],
      ['99', 1]
    ]
  )
  await database.close()
  execute(folder, 'update tree set leaf_offset = 4 where tree_key = 2')
  const damaged = await openTestDatabase(t, folder)
  await t.rejects(checkTestLog(damaged), {
    code: 'integrity',
    details: { what: 'tree', treeId: '99' }
  })
})

t.test('an empty database is whole', async (t) => {
  const database = await openTestDatabase(t, tempFolder(t))
  t.strictSame(await checkTestLog(database), {
    trees: [],
    submissions: 0,
    searchRows: 0,
    attestations: 0
  })
})
