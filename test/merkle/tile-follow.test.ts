import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import { verifyConsistency } from '../../src/merkle/consistency-proof.js'
import { followTree, proveOlderTree } from '../../src/merkle/tile-follow.js'
import { openTileReader } from '../../src/merkle/tile-reader.js'
import { formatTilePath, tilesForConsistency } from '../../src/merkle/tiles.js'
import { refusal, refusalText } from '../helpers/refusals.js'
import { referenceTree, sha256 } from '../helpers/rfc6962.js'
import { staticLogs } from '../helpers/static-log.js'
import { decimalLeafHashes, tileTree } from '../helpers/tile-tree.js'

const logs = staticLogs()
const ODD_SIZES = [1, 2, 255, 256, 257, 511, 767, 1000, 65535, 65536, 65537, 70000]

t.test('every earlier tree is a prefix, with a proof that others can check', async (t) => {
  const { reference } = logs
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    const reader = await openTileReader({ ...log, sha256 })
    for (const treeSize of ODD_SIZES.filter((older) => older <= size)) {
      const older = { treeSize, rootHash: reference.mth(0, treeSize) }
      const proof = await proveOlderTree(reader, older, sha256)
      t.same(proof, reference.proof(treeSize, size), `${treeSize} to ${size}`)
      verifyConsistency(older, log.treeHead, proof, sha256)
    }
    t.same(await proveOlderTree(reader, { treeSize: 0, rootHash: sha256() }), [])
  }
})

t.test('a tree that is none of the earlier ones', async (t) => {
  const log = logs.at(1000)
  const reader = await openTileReader({ ...log, sha256 })
  for (const treeSize of [0, 1, 256, 511, 767, 999, 1000]) {
    const rootHash = sha256(Uint8Array.of(treeSize % 256))
    const want = treeSize === 0 ? sha256() : logs.reference.mth(0, treeSize)
    t.equal(
      await refusalText(() => proveOlderTree(reader, { treeSize, rootHash })),
      `proof_invalid: the tree of 1000 leaves had root ${encodeHex(want)} at size ${treeSize}, want ${encodeHex(rootHash)}`
    )
  }
  t.equal(
    await refusalText(() => proveOlderTree(reader, logs.at(65535).treeHead)),
    'conflict: a tree of 65535 leaves is not older than one of 1000'
  )
  await t.rejects(proveOlderTree(reader, { treeSize: 0.5, rootHash: sha256() }), {
    code: 'invalid_request'
  })
})

t.test('follows a growing log from size to size', async (t) => {
  let older = { treeSize: 0, rootHash: sha256() }
  for (const size of ODD_SIZES) {
    const log = logs.at(size)
    const { reader, consistencyProof } = await followTree(older, { ...log, sha256 })
    t.same(reader.treeHead, log.treeHead)
    if (older.treeSize > 0) verifyConsistency(older, log.treeHead, consistencyProof, sha256)
    const planned = tilesForConsistency(older.treeSize, size).map(formatTilePath)
    t.strictSame([...log.reads].sort(), [...planned].sort(), `${older.treeSize} to ${size}`)
    older = reader.treeHead
  }
  const { consistencyProof } = await followTree(older, logs.at(70000))
  t.same(consistencyProof, [], 'and stays where it is, with the built-in SHA-256')
})

t.test('a log that changed one entry of its past is caught at every size', async (t) => {
  for (const [size, next, changed] of [
    [1, 2, 0],
    [255, 256, 254],
    [256, 511, 0],
    [511, 767, 255],
    [767, 1000, 766],
    [1000, 1001, 512]
  ] as const) {
    const leafHashes = decimalLeafHashes(next)
    leafHashes[changed] = sha256()
    const fork = tileTree()
    fork.add(leafHashes)
    const fetchResource = async (path: string): Promise<Uint8Array | undefined> => {
      const [, level = '', index = '', width = '256'] =
        /^tile\/(\d+)\/(\d+)(?:\.p\/(\d+))?$/.exec(path) ?? []
      const tile = fork.tiles.get(`${level}/${Number(index)}`)
      return tile?.subarray(0, Number(width) * 32)
    }
    const older = logs.at(size).treeHead
    const { code, message } = await refusal(() =>
      followTree(older, { treeHead: fork.head, fetchResource, sha256 })
    )
    const forkRoot = referenceTree(leafHashes).mth(0, size)
    t.strictSame(
      [code, message],
      [
        'proof_invalid',
        `the tree of ${next} leaves had root ${encodeHex(forkRoot)} at size ${size}, want ${encodeHex(older.rootHash)}`
      ]
    )
    // The tiles of the tree that was seen before do not help the fork.
    const mixed = async (path: string): Promise<Uint8Array | undefined> =>
      (await logs.at(next).fetchResource(path, 8192)) ?? fetchResource(path)
    t.equal(
      (await refusal(() => followTree(older, { treeHead: fork.head, fetchResource: mixed }))).code,
      'integrity'
    )
  }
})

t.test('a smaller tree, and another one of the same size', async (t) => {
  const fetchResource = async (path: string): Promise<never> => {
    throw new Error(`asked for ${path}`)
  }
  const older = logs.at(1000).treeHead
  t.equal(
    await refusalText(() => followTree(older, { treeHead: logs.at(767).treeHead, fetchResource })),
    'conflict: a tree of 767 leaves is not newer than one of 1000'
  )
  const rootHash = sha256()
  t.equal(
    await refusalText(() =>
      followTree(older, { treeHead: { treeSize: 1000, rootHash }, fetchResource })
    ),
    `proof_invalid: two roots at size 1000: ${encodeHex(rootHash)} and ${encodeHex(older.rootHash)}`
  )
})
