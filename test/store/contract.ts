import type { Test } from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'
import { integrate } from '../../src/merkle/integrate.js'
import type { Integrate, TreeHead } from '../../src/merkle/tree.js'
import type {
  Attestation,
  Checkpoint,
  Database,
  LogStore,
  NewTree,
  PendingLeaf
} from '../../src/store/log-store.js'
import type { AuditedHashes } from '../../src/store/store-audit.js'
import { MAX_SEARCH_KEY_LENGTH } from '../../src/store/search-key.js'
import { at, referenceLeafHash, referenceTree, sha256 } from '../helpers/rfc6962.js'

/** One place where an engine keeps a database, for the length of a test. */
export interface Engine {
  /** Opens it for writing, making it if need be. The contract closes it. */
  open(): Promise<Database>
}

/** A new and empty place. */
export type NewEngine = (t: Test) => Engine

/** What every engine behind `Database` must do. Run it from the engine's own test file. */
export function storeContract(t: Test, newEngine: NewEngine): void {
  const withStore = (
    name: string,
    test: (t: Test, database: Database, store: LogStore, engine: Engine) => Promise<void>
  ): void => {
    void t.test(name, async (t) => {
      const engine = newEngine(t)
      const database = await engine.open()
      t.teardown(() => database.close())
      await database.createTree(newTree('1'))
      await test(t, database, database.logStore('1'), engine)
    })
  }

  withStore('a new tree is empty', async (t, _database, store) => {
    t.strictSame(await store.treeHead(), { treeSize: 0, rootHash: sha256() })
    t.equal(await store.checkpoint(), undefined)
    t.strictSame(await store.checkpoints(-1, 10), [])
    t.equal(await store.tile(0, 0), undefined)
    t.equal(await store.leaf(0), undefined)
    t.strictSame(await store.leaves(0, 10), [])
    t.equal(await store.findLeaf(referenceLeafHash(encodeUtf8('a'))), undefined)
  })

  withStore('a tree keeps what it was made with', async (t, database, store) => {
    t.strictSame(await store.record(), { ...newTree('1'), position: 0, offset: 0, state: 'active' })
    t.strictSame(await database.trees('rekor'), [await store.record()])
    t.strictSame(await database.trees('ct'), [])
    t.equal(store.treeId, '1')
  })

  withStore('batches become the tree of RFC 6962', async (t, _database, store) => {
    const hashes: Uint8Array[] = []
    for (const count of [1, 2, 61, 191, 1, 1, 255, 256, 30]) {
      const batch = pendingLeaves(count, hashes.length)
      const appended = await store.append(batch, integrate)
      t.strictSame(
        appended,
        batch.map(({ integratedTimeSeconds }, i) => ({
          leafIndex: hashes.length + i,
          integratedTimeSeconds,
          duplicate: false
        }))
      )
      hashes.push(...batch.map(({ leafHash }) => leafHash))
      const want = { treeSize: hashes.length, rootHash: referenceRoot(hashes) }
      t.strictSame(await store.treeHead(), want, `root at ${hashes.length}`)
    }
    t.equal(hashes.length, 798)
    const lastTile = await store.tile(0, 3)
    t.strictSame(lastTile, new Uint8Array(Buffer.concat(hashes.slice(768))))
    t.equal((await store.tile(1, 0))?.length, 3 * 32)
    t.equal(await store.tile(0, 4), undefined)
    t.equal(await store.tile(2, 0), undefined)
  })

  withStore('leaves come back as they were', async (t, _database, store) => {
    const batch = pendingLeaves(20)
    await store.append(batch, integrate)
    const stored = batch.map(({ leafHash, leafValue, integratedTimeSeconds }, leafIndex) => ({
      leafIndex,
      leafHash,
      leafValue,
      integratedTimeSeconds
    }))
    t.strictSame(await store.leaves(0, 20), stored)
    t.strictSame(await store.leaves(3, 7), stored.slice(3, 7))
    t.strictSame(await store.leaves(18, 100), stored.slice(18))
    t.strictSame(await store.leaves(7, 7), [])
    t.strictSame(await store.leaf(13), stored[13])
    t.equal(await store.leaf(20), undefined)
    t.equal(await store.findLeaf(at(batch, 13).leafHash), 13)
    t.equal(await store.findLeaf(sha256()), undefined)
  })

  withStore('an odd leaf: empty, large, binary', async (t, _database, store) => {
    const values = [new Uint8Array(0), new Uint8Array(1_000_000).fill(7), Uint8Array.of(0, 255)]
    await store.append(
      values.map((leafValue) => pending(leafValue)),
      integrate
    )
    for (const [i, value] of values.entries()) {
      t.strictSame((await store.leaf(i))?.leafValue, value)
    }
  })

  withStore('a submission is in the tree once, whatever its value', async (t, _database, store) => {
    const counted = countingIntegrate()
    const submitted = (text: string, submission: string, seconds: number): PendingLeaf => ({
      ...pendingLeaf(text),
      integratedTimeSeconds: seconds,
      submissionHash: sha256(encodeUtf8(submission))
    })
    t.equal(await store.findSubmission(sha256(encodeUtf8('x'))), undefined)
    await store.append([submitted('x at 1', 'x', 1)], counted.integrate)
    const appended = await store.append(
      [
        submitted('x at 2', 'x', 2),
        submitted('y at 2', 'y', 2),
        submitted('y at 3', 'y', 3),
        { ...pendingLeaf('plain'), integratedTimeSeconds: 3 }
      ],
      counted.integrate
    )
    t.strictSame(appended, [
      { leafIndex: 0, integratedTimeSeconds: 1, duplicate: true },
      { leafIndex: 1, integratedTimeSeconds: 2, duplicate: false },
      { leafIndex: 1, integratedTimeSeconds: 2, duplicate: true },
      { leafIndex: 2, integratedTimeSeconds: 3, duplicate: false }
    ])
    t.equal((await store.treeHead()).treeSize, 3)
    t.strictSame((await store.leaf(0))?.leafValue, encodeUtf8('x at 1'))
    t.equal(await store.findSubmission(sha256(encodeUtf8('x'))), 0)
    t.equal(await store.findSubmission(sha256(encodeUtf8('y'))), 1)
    t.equal(await store.findSubmission(at([pendingLeaf('plain')], 0).leafHash), undefined)
  })

  withStore('two submissions of one value are one leaf', async (t, _database, store) => {
    const counted = countingIntegrate()
    const submitted = (text: string, submission: string): PendingLeaf => ({
      ...pendingLeaf(text),
      submissionHash: sha256(encodeUtf8(submission)),
      extraData: encodeUtf8(submission)
    })
    const places = async (...batch: readonly PendingLeaf[]) =>
      (await store.append(batch, counted.integrate)).map(({ leafIndex, duplicate }) => [
        leafIndex,
        duplicate
      ])
    t.strictSame(
      await places(submitted('v', 'x'), submitted('v', 'twin of x'), pendingLeaf('v')),
      [
        [0, false],
        [0, true],
        [0, true]
      ],
      'in one batch'
    )
    t.strictSame(
      await places(submitted('v', 'another twin'), pendingLeaf('v'), submitted('w', 'x')),
      [
        [0, true],
        [0, true],
        [0, true]
      ],
      'in the tree'
    )
    t.strictSame(counted.added, [1])
    t.strictSame(await store.sideData(0, 9), [{ leafIndex: 0, extraData: encodeUtf8('x') }])
    t.equal(await store.findSubmission(sha256(encodeUtf8('x'))), 0)
    t.equal(await store.findSubmission(sha256(encodeUtf8('twin of x'))), undefined)
    // A later value of the twin is a leaf of its own, and so is a leaf whose hash happens to be a submission's.
    const odd = { ...pendingLeaf('odd'), submissionHash: referenceLeafHash(encodeUtf8('plain')) }
    t.strictSame(await places(submitted('v later', 'twin of x'), odd, pendingLeaf('plain')), [
      [1, false],
      [2, false],
      [3, false]
    ])
    t.equal(await store.findSubmission(sha256(encodeUtf8('twin of x'))), 1)
  })

  withStore('a submission is known in its own tree only', async (t, database, store) => {
    const leaf = { ...pendingLeaf('x'), submissionHash: sha256(encodeUtf8('x')) }
    await store.append([leaf], integrate)
    await database.createTree({ ...newTree('2'), log: 'ct' })
    const other = database.logStore('2')
    t.equal(await other.findSubmission(leaf.submissionHash), undefined)
    const [appended] = await other.append([leaf], integrate)
    t.equal(appended?.duplicate, false)
    t.equal(await other.findSubmission(leaf.submissionHash), 0)
  })

  withStore('side data comes back with its leaves', async (t, _database, store) => {
    const chain = encodeUtf8('chain')
    const attestation = { key: `sha256:${encodeHex(sha256(chain))}`, value: chain }
    await store.append(
      [
        { ...pendingLeaf('a'), extraData: encodeUtf8('extra a'), attestation },
        pendingLeaf('b'),
        { ...pendingLeaf('c'), extraData: new Uint8Array(0) },
        { ...pendingLeaf('d'), attestation }
      ],
      integrate
    )
    const all = [
      { leafIndex: 0, extraData: encodeUtf8('extra a'), attestation: chain },
      { leafIndex: 1 },
      { leafIndex: 2, extraData: new Uint8Array(0) },
      { leafIndex: 3, attestation: chain }
    ]
    t.strictSame(await store.sideData(0, 100), all)
    t.strictSame(await store.sideData(1, 3), all.slice(1, 3))
    t.strictSame(await store.sideData(4, 5), [])
    // What repeats a leaf leaves nothing behind.
    await store.append([{ ...pendingLeaf('b'), extraData: encodeUtf8('late') }], integrate)
    t.strictSame(await store.sideData(1, 2), [{ leafIndex: 1 }])
  })

  withStore('a leaf is in the tree once', async (t, _database, store) => {
    const counted = countingIntegrate()
    const early = { ...pendingLeaf('a'), integratedTimeSeconds: 100 }
    await store.append([early], counted.integrate)
    const batch = ['b', 'a', 'b', 'c', 'c', 'a'].map((text) => pendingLeaf(text))
    const appended = await store.append(batch, counted.integrate)
    t.strictSame(
      appended.map(({ leafIndex, duplicate }) => [leafIndex, duplicate]),
      [
        [1, false],
        [0, true],
        [1, true],
        [2, false],
        [2, true],
        [0, true]
      ]
    )
    t.equal(appended[1]?.integratedTimeSeconds, 100, 'the time of the first one counts')
    t.strictSame(counted.added, [1, 2], 'integrate is called once a batch, for what is new')

    const head = await store.treeHead()
    const again = await store.append(batch, counted.integrate)
    t.ok(again.every(({ duplicate }) => duplicate))
    t.strictSame(counted.added, [1, 2], 'and not at all without anything new')
    t.strictSame(await store.treeHead(), head)
  })

  withStore('an empty batch changes nothing', async (t, _database, store) => {
    await store.append(pendingLeaves(3), integrate)
    const head = await store.treeHead()
    t.strictSame(await store.append([], integrate), [])
    t.strictSame(await store.treeHead(), head)
  })

  withStore('a batch that fails leaves nothing behind', async (t, database, store) => {
    await store.append(pendingLeaves(300), integrate)
    const before = await snapshot(store)
    const attestation = testAttestation('kept beside')
    const submissionHash = sha256(encodeUtf8('submitted'))
    const extraData = encodeUtf8('extra')
    const beside = { attestation, submissionHash, extraData }
    const batch = [{ ...pendingLeaf('new'), searchKeys: ['needle'], ...beside }]
    const broken: readonly (readonly [string, Integrate, string])[] = [
      [
        'integrate throws',
        () => {
          throw new LogError('integrity', 'no')
        },
        'integrity'
      ],
      [
        'integrate does not count',
        (size, read, hashes) => ({
          ...integrate(size, read, hashes),
          treeHead: { treeSize: size, rootHash: sha256() }
        }),
        'internal'
      ],
      [
        'a tile cannot be stored',
        (size, read, hashes) => ({
          ...integrate(size, read, hashes),
          tiles: [{ level: 0, tileIndex: 0, hashes: new Uint8Array(31) }]
        }),
        'integrity'
      ]
    ]
    for (const [name, integrateBadly, code] of broken) {
      await t.rejects(store.append(batch, integrateBadly), { code }, name)
      t.strictSame(await snapshot(store), before, `${name}: nothing changed`)
    }
    const unaddressed = [{ ...at(batch, 0), attestation: { ...attestation, key: 'sha256:00' } }]
    await t.rejects(store.append(unaddressed, integrate), { code: 'internal' })
    t.strictSame(await snapshot(store), before)
    t.strictSame(await database.search('rekor', 'needle'), [])
    t.equal(await database.attestation(attestation.key), undefined)
    t.equal(await store.findSubmission(submissionHash), undefined)
    t.strictSame(await all(database.audit.submissions()), [])
    t.equal(await database.audit.extraDataCount('1'), 0)
    t.match(await store.append(batch, integrate), [{ leafIndex: 300, duplicate: false }], 'later')
    t.equal(await store.findSubmission(submissionHash), 300)
  })

  withStore('a tree whose tiles contradict its size is not extended', async (t, _db, store) => {
    await store.append(pendingLeaves(10), integrate)
    const lies: Integrate = (size, read, hashes) => ({
      ...integrate(size, read, hashes),
      tiles: []
    })
    await store.append([pendingLeaf('without its tile')], lies)
    await t.rejects(store.append([pendingLeaf('next')], integrate), { code: 'integrity' })
  })

  withStore('search finds leaves by any of their keys', async (t, database, store) => {
    const long = 'x'.repeat(MAX_SEARCH_KEY_LENGTH)
    await store.append(
      [
        { ...pendingLeaf('a'), searchKeys: ['one', 'two', 'ärger', 'one'] },
        { ...pendingLeaf('b'), searchKeys: ['two'] },
        { ...pendingLeaf('c'), searchKeys: [] },
        { ...pendingLeaf('d'), searchKeys: ['two', `${long}d`] }
      ],
      integrate
    )
    const hits = async (key: string, limit?: number): Promise<number[]> =>
      (await database.search('rekor', key, limit)).map(({ leafIndex }) => leafIndex)
    t.strictSame(await hits('one'), [0])
    t.strictSame(await hits('two'), [0, 1, 3])
    t.strictSame(await hits('two', 2), [0, 1])
    t.strictSame(await hits('ärger'), [0])
    t.strictSame(await hits('tw'), [])
    t.strictSame(await hits('Two'), [], 'lower case is the business of the caller')
    t.strictSame(await hits(`${long}e`), [3], 'of long keys the beginning counts')
    t.strictSame(await database.search('ct', 'two'), [])
    t.strictSame(await database.search('rekor', 'one'), [
      { treeId: '1', leafIndex: 0, leafHash: referenceLeafHash(encodeUtf8('a')) }
    ])
  })

  withStore('attestations are shared by what is in them', async (t, database, store) => {
    const attestation = testAttestation('statement')
    await store.append([{ ...pendingLeaf('a'), attestation }], integrate)
    await store.append(
      [
        { ...pendingLeaf('b'), attestation },
        { ...pendingLeaf('c'), attestation: testAttestation('other') }
      ],
      integrate
    )
    t.strictSame(await database.attestation(attestation.key), encodeUtf8('statement'))
    t.equal(await database.attestation('sha256:'), undefined)
  })

  withStore('publishing', async (t, _database, store) => {
    const empty = await publishHead(store, undefined)
    t.strictSame(await store.checkpoint(), empty, 'an empty tree can be published')
    await store.append(pendingLeaves(5), integrate)
    const five = await publishHead(store, empty, [
      { leafIndex: 0, promise: Uint8Array.of(1) },
      { leafIndex: 4, promise: Uint8Array.of(5) }
    ])
    t.strictSame(await store.checkpoint(), five)
    t.strictSame((await store.leaf(4))?.inclusionPromise, Uint8Array.of(5))
    t.strictSame((await store.leaves(0, 2))[0]?.inclusionPromise, Uint8Array.of(1))
    t.equal((await store.leaf(1))?.inclusionPromise, undefined)
    t.strictSame(await store.checkpoints(-1, 10), [empty, five])
    t.strictSame(await store.checkpoints(0, 10), [five])
    t.strictSame(await store.checkpoints(-1, 1), [empty])
    t.strictSame(await store.checkpoints(5, 10), [])
  })

  withStore('a promise is made once', async (t, _database, store) => {
    await store.append(pendingLeaves(1), integrate)
    const one = await publishHead(store, undefined, [{ leafIndex: 0, promise: Uint8Array.of(1) }])
    await publishHead(store, one, [{ leafIndex: 0, promise: Uint8Array.of(2) }])
    t.strictSame((await store.leaf(0))?.inclusionPromise, Uint8Array.of(1))
  })

  withStore('the larger checkpoint wins', async (t, _database, store) => {
    await store.append(pendingLeaves(3), integrate)
    const three = checkpointOf(await store.treeHead(), 'three')
    await store.append(pendingLeaves(4, 3), integrate)
    const seven = checkpointOf(await store.treeHead(), 'seven')
    t.strictSame(await store.publish(undefined, seven, []), seven)

    const promises = [{ leafIndex: 2, promise: Uint8Array.of(3) }]
    t.strictSame(await store.publish(undefined, three, promises), seven, 'too late')
    t.strictSame((await store.leaf(2))?.inclusionPromise, Uint8Array.of(3), 'promises are kept')
    t.strictSame(await store.checkpoints(-1, 10), [seven])

    const alike = { ...seven, note: 'signed by another' }
    t.strictSame(await store.publish(seven, alike, []), seven, 'the first of a size stays')
    await store.append(pendingLeaves(1, 7), integrate)
    const eight = checkpointOf(await store.treeHead(), 'eight')
    t.strictSame(await store.publish(undefined, eight, []), eight, 'not having seen one is fine')
  })

  withStore('a size between may be published as long as it is larger', async (t, _db, store) => {
    await store.append(pendingLeaves(300), integrate)
    const small = checkpointOf(await store.treeHead(), 'small')
    await store.append(pendingLeaves(300, 300), integrate)
    t.strictSame(await store.publish(undefined, small, []), small)
  })

  withStore('one size has one root', async (t, _database, store) => {
    await store.append(pendingLeaves(3), integrate)
    const head = await store.treeHead()
    const fork = checkpointOf({ treeSize: 3, rootHash: sha256() }, 'fork')
    await t.rejects(store.publish(undefined, fork, []), { code: 'integrity' }, 'not the tree')

    await store.append(pendingLeaves(3, 3), integrate)
    await t.rejects(store.publish(undefined, fork, []), { code: 'integrity' }, 'nor was it ever')
    const beyond = checkpointOf({ treeSize: 7, rootHash: sha256() }, 'beyond')
    await t.rejects(store.publish(undefined, beyond, []), { code: 'integrity' }, 'not there yet')
    t.equal(await store.checkpoint(), undefined)

    const published = await publishHead(store, undefined)
    const unknown = checkpointOf({ ...head, treeSize: 2 }, 'never published')
    await store.append(pendingLeaves(1, 6), integrate)
    const next = checkpointOf(await store.treeHead(), 'next')
    await t.rejects(store.publish(unknown, next, []), { code: 'integrity' }, 'of another history')
    const ahead = checkpointOf({ treeSize: 9, rootHash: sha256() }, 'from a newer database')
    await t.rejects(store.publish(ahead, next, []), { code: 'integrity' }, 'we went back')
    const promise = [{ leafIndex: 7, promise: Uint8Array.of(1) }]
    await t.rejects(store.publish(published, next, promise), { code: 'integrity' }, 'for no leaf')
    t.strictSame(await store.checkpoint(), published, 'nothing of that was published')
  })

  withStore('a new tree goes on where the frozen one ended', async (t, database, store) => {
    await store.append([{ ...pendingLeaf('a'), searchKeys: ['k'] }, pendingLeaf('b')], integrate)
    await t.rejects(database.createTree(newTree('2')), { code: 'conflict' }, 'never published')
    const published = await publishHead(store, undefined)
    await store.append([pendingLeaf('c')], integrate)
    await t.rejects(database.createTree(newTree('2')), { code: 'conflict' }, 'not to its end')
    t.equal((await store.record()).state, 'active')
    await publishHead(store, published)
    await t.rejects(database.createTree(newTree('1')), { code: 'conflict' }, 'id is taken')

    const second = await database.createTree(newTree('2'))
    t.strictSame(second, { ...newTree('2'), position: 1, offset: 3, state: 'active' })
    t.equal((await store.record()).state, 'frozen')
    await t.rejects(store.append([pendingLeaf('d')], integrate), { code: 'log_frozen' })
    await t.rejects(store.append([], integrate), { code: 'log_frozen' })
    t.equal((await store.treeHead()).treeSize, 3)

    const next = database.logStore('2')
    const [again] = await next.append([{ ...pendingLeaf('a'), searchKeys: ['k'] }], integrate)
    t.strictSame(again?.leafIndex, 0, 'another tree, another leaf')
    t.equal(again?.duplicate, false)
    t.strictSame(
      (await database.search('rekor', 'k')).map(({ treeId, leafIndex }) => [treeId, leafIndex]),
      [
        ['1', 0],
        ['2', 0]
      ]
    )
    await publishHead(next, undefined)
    const third = await database.createTree(newTree('3'))
    t.strictSame([third.position, third.offset], [2, 4])
    t.strictSame(
      (await database.trees('rekor')).map(({ treeId, state }) => [treeId, state]),
      [
        ['1', 'frozen'],
        ['2', 'frozen'],
        ['3', 'active']
      ]
    )
  })

  withStore('logs do not touch each other', async (t, database, store) => {
    const ct = await database.createTree({ ...newTree('7'), log: 'ct' })
    t.strictSame([ct.position, ct.offset], [0, 0])
    t.equal((await store.record()).state, 'active')
    const leaf = { ...pendingLeaf('a'), searchKeys: ['k'] }
    await store.append([leaf, pendingLeaf('b')], integrate)
    await database.logStore('7').append([leaf], integrate)
    t.equal((await store.treeHead()).treeSize, 2)
    t.equal((await database.logStore('7').treeHead()).treeSize, 1)
    t.strictSame(
      (await database.search('ct', 'k')).map(({ treeId }) => treeId),
      ['7']
    )
  })

  withStore('tree ids', async (t, database) => {
    for (const bad of ['', '0', '01', '-1', '1.0', 'a', '9223372036854775808', ' 1']) {
      await t.rejects(database.createTree({ ...newTree(bad), log: 'ct' }), {
        code: 'invalid_request'
      })
    }
    t.throws(() => database.logStore('404'), { code: 'not_found' })
    const largest = '9223372036854775807'
    await database.createTree({ ...newTree(largest), log: 'ct' })
    t.equal((await database.trees('ct'))[0]?.treeId, largest, 'not rounded')
    t.equal((await database.logStore(largest).record()).treeId, largest)
  })

  withStore('cells change only from what they were thought to hold', async (t, database) => {
    const { register } = database
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)]
    t.equal(await register.read('cell'), undefined)
    t.equal(await register.swap('cell', one, two), false)
    t.equal(await register.swap('cell', undefined, one), true)
    t.equal(await register.swap('cell', undefined, two), false)
    t.equal(await register.swap('cell', two, two), false)
    t.strictSame(await register.read('cell'), one)
    t.equal(await register.swap('cell', one, new Uint8Array(0)), true)
    t.strictSame(await register.read('cell'), new Uint8Array(0))
    t.equal(await register.read('Cell'), undefined)
  })

  withStore('several cells change together or not at all', async (t, { register }) => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)]
    const both = [
      { key: 'a', expected: undefined, next: one },
      { key: 'b', expected: undefined, next: one }
    ]
    t.equal(await register.swapAll([]), true)
    t.equal(await register.swapAll(both), true)
    const halfRight = [
      { key: 'a', expected: one, next: two },
      { key: 'b', expected: two, next: two }
    ]
    t.equal(await register.swapAll(halfRight), false)
    t.strictSame([await register.read('a'), await register.read('b')], [one, one])
    t.equal(await register.swapAll(both), false, 'cells that are there already')
    const right = halfRight.map((change) => ({ ...change, expected: one }))
    t.equal(await register.swapAll(right), true)
    t.strictSame([await register.read('a'), await register.read('b')], [two, two])
  })

  withStore('cells change with a new tree or not at all', async (t, database, store) => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)]
    const cell = { key: 'cell', expected: undefined, next: one }
    await store.append(pendingLeaves(3), integrate)
    await t.rejects(database.createTree(newTree('2'), [cell]), { code: 'conflict' }, 'unpublished')
    t.equal(await database.register.read('cell'), undefined)
    await publishHead(store, undefined)
    t.equal((await database.createTree(newTree('2'), [cell])).offset, 3)
    t.strictSame(await database.register.read('cell'), one)

    const second = database.logStore('2')
    await publishHead(second, undefined)
    const stale = { ...cell, expected: two }
    await t.rejects(database.createTree(newTree('3'), [stale]), { code: 'conflict' }, 'other cell')
    t.equal((await database.trees('rekor')).length, 2)
    t.equal((await second.record()).state, 'active')
  })

  withStore('everything is there after opening again', async (t, database, store, engine) => {
    const attestation = testAttestation('statement')
    await store.append(pendingLeaves(300), integrate)
    const submissionHash = sha256(encodeUtf8('submitted'))
    const beside = { attestation, submissionHash, extraData: encodeUtf8('extra') }
    await store.append([{ ...pendingLeaf('x'), searchKeys: ['k'], ...beside }], integrate)
    const checkpoint = await publishHead(store, undefined, [
      { leafIndex: 300, promise: Uint8Array.of(9) }
    ])
    await database.register.swap('cell', undefined, Uint8Array.of(1))
    const before = await snapshot(store)
    await database.close()
    await database.close() // twice is no harm

    const reopened = await engine.open()
    t.teardown(() => reopened.close())
    const again = reopened.logStore('1')
    t.strictSame(await snapshot(again), before)
    t.strictSame(await again.checkpoint(), checkpoint)
    t.strictSame((await again.leaf(300))?.inclusionPromise, Uint8Array.of(9))
    t.equal((await reopened.search('rekor', 'k')).length, 1)
    t.strictSame(await reopened.attestation(attestation.key), attestation.value)
    t.equal(await again.findSubmission(submissionHash), 300)
    t.strictSame(await again.sideData(300, 301), [
      { leafIndex: 300, extraData: beside.extraData, attestation: attestation.value }
    ])
    t.strictSame(await reopened.register.read('cell'), Uint8Array.of(1))
    await t.rejects(store.treeHead(), { code: 'internal' }, 'a closed database says so')
  })

  withStore('the audit reads give every row', async (t, database, store) => {
    const attestation = testAttestation('statement')
    await store.append(
      pendingLeaves(1300).map((leaf, i) => ({
        ...leaf,
        searchKeys: [`key ${i}`, 'common'],
        ...(i === 700 ? { attestation } : {})
      })),
      integrate
    )
    await publishHead(store, undefined, [{ leafIndex: 3, promise: Uint8Array.of(3) }])
    await database.createTree(newTree('2'))
    await database
      .logStore('2')
      .append([{ ...pendingLeaf('in the second'), searchKeys: ['other'] }], integrate)

    const { audit } = database
    t.strictSame(await audit.engineProblems(), [])
    t.strictSame(await audit.strayTrees(), [])
    t.equal(await audit.promiseCount('1'), 1)
    t.equal(await audit.promiseCount('2'), 0)
    const leaves = await all(audit.leaves('1'))
    t.strictSame(
      leaves.map(({ leafIndex }) => leafIndex),
      Array.from({ length: 1300 }, (_, i) => i)
    )
    t.strictSame(leaves[700]?.attestation, { key: attestation.key })
    t.equal(leaves[701]?.attestation, undefined)
    t.strictSame(leaves[3]?.inclusionPromise, Uint8Array.of(3))
    t.equal((await all(audit.leaves('2'))).length, 1)
    for (const [start, end] of [
      [0, 1],
      [512, 1024],
      [1024, undefined],
      [1300, undefined]
    ] as const) {
      t.strictSame(await all(audit.leaves('1', { start, end })), leaves.slice(start, end))
    }
    t.strictSame(
      (await all(audit.tiles('1'))).map(({ level, tileIndex }) => `${level}/${tileIndex}`),
      ['0/0', '0/1', '0/2', '0/3', '0/4', '0/5', '1/0']
    )
    const hashes = await allRows(audit.leafHashes())
    t.equal(hashes.length, 1301)
    t.equal(new Set(hashes.map(({ hash }) => encodeHex(hash))).size, 1301)
    const parts = [await allRows(audit.leafHashes({ first: 0, last: 99 }))]
    parts.push(await allRows(audit.leafHashes({ first: 100, last: 100 })))
    parts.push(await allRows(audit.leafHashes({ first: 101, last: 255 })))
    t.strictSame(parts.flat(), hashes, 'in parts')
    const rows = await allRows(audit.searchRows())
    t.strictSame(
      [
        ...(await allRows(audit.searchRows({ first: 0, last: 0xc0 }))),
        ...(await allRows(audit.searchRows({ first: 0xc1, last: 0xff })))
      ],
      rows
    )
    t.equal(rows.length, 2601)
    t.equal(
      new Set(rows.map((row) => `${row.treeId} ${row.leafIndex} ${encodeHex(row.hash)}`)).size,
      2601
    )
    const row = at(rows, 77)
    t.equal(await audit.hasSearchRow(row.treeId ?? '', row.leafIndex, row.hash), true)
    t.equal(await audit.hasSearchRow('2', 0, at(rows, 77).hash), false)
    t.strictSame(await all(audit.attestations()), [attestation])
    t.strictSame(await all(audit.submissions()), [], 'none of leaves that have none')
    t.equal(await audit.extraDataCount('1'), 0)
  })

  withStore('the audit reads give every submission, page by page', async (t, database, store) => {
    const { audit } = database
    const want: string[] = []
    // The same hashes in three trees: a page of any size that three does not divide ends between two of them.
    const addTo = async (tree: LogStore): Promise<void> => {
      const batch = pendingLeaves(2250).map((leaf, i) => {
        const submissionHash = sha256(leaf.leafHash)
        if (i % 3 > 0) want.push(`${tree.treeId} ${i} ${encodeHex(submissionHash)}`)
        return {
          ...leaf,
          ...(i % 3 > 0 ? { submissionHash } : {}),
          ...(i % 3 > 1 ? { extraData: encodeUtf8(`extra ${i}`) } : {})
        }
      })
      await tree.append(batch, integrate)
      await publishHead(tree, undefined)
    }
    await addTo(store)
    for (const treeId of ['2', '3']) {
      await database.createTree({ ...newTree(treeId), log: 'ct' })
      await addTo(database.logStore(treeId))
    }
    const pages: number[] = []
    const got: string[] = []
    for await (const page of audit.submissions()) {
      pages.push(page.length)
      for (const { treeId, leafIndex, submissionHash } of page) {
        got.push(`${treeId} ${leafIndex} ${encodeHex(submissionHash)}`)
      }
    }
    t.ok(pages.length > 1, `pages of ${pages.join(', ')}`)
    t.strictSame(got.toSorted(), want.toSorted())
    for (const treeId of ['1', '2', '3']) t.equal(await audit.extraDataCount(treeId), 750)
    for await (const page of audit.leaves('2')) {
      for (const { leafIndex, extraData } of page) {
        const expected = leafIndex % 3 > 1 ? encodeUtf8(`extra ${leafIndex}`) : undefined
        if (!equalBytes(extraData ?? NOTHING, expected ?? NOTHING)) t.fail(`extra ${leafIndex}`)
      }
    }
  })
}

/** Rows of packed pages, one by one. */
async function allRows(pages: AsyncIterable<AuditedHashes>) {
  const rows: { treeId: string | undefined; leafIndex: number; hash: Uint8Array }[] = []
  for await (const { count, treeIds, trees, leafIndexes, hashes, hashBytes } of pages) {
    for (let i = 0; i < count; i++) {
      rows.push({
        treeId: treeIds[trees[i] ?? -1],
        leafIndex: leafIndexes[i] ?? -1,
        hash: hashes.slice(i * hashBytes, (i + 1) * hashBytes)
      })
    }
  }
  return rows
}

/** What no extra data is compared as; none of those above is empty. */
const NOTHING = new Uint8Array(0)

export function newTree(treeId: string): NewTree {
  return {
    treeId,
    log: 'rekor',
    origin: `log.example - ${treeId}`,
    publicKey: Uint8Array.of(1, 2, 3),
    keyName: 'log.pem',
    createdTimeSeconds: 1_700_000_000
  }
}

export function pendingLeaf(text: string): PendingLeaf {
  return pending(encodeUtf8(text))
}

function pending(leafValue: Uint8Array): PendingLeaf {
  return {
    leafHash: referenceLeafHash(leafValue),
    leafValue,
    integratedTimeSeconds: 1_700_000_000,
    searchKeys: []
  }
}

export function pendingLeaves(count: number, first = 0): PendingLeaf[] {
  return Array.from({ length: count }, (_, i) => ({
    ...pendingLeaf(`leaf ${first + i}`),
    integratedTimeSeconds: 1_700_000_000 + first + i
  }))
}

function testAttestation(text: string): Attestation {
  const value = encodeUtf8(text)
  return { key: `sha256:${encodeHex(sha256(value))}`, value }
}

function referenceRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  return referenceTree(leafHashes).mth(0, leafHashes.length)
}

function countingIntegrate(): { readonly integrate: Integrate; readonly added: number[] } {
  const added: number[] = []
  return {
    added,
    integrate: (treeSize, readTile, leafHashes) => {
      added.push(leafHashes.length)
      return integrate(treeSize, readTile, leafHashes)
    }
  }
}

function checkpointOf(treeHead: TreeHead, note: string): Checkpoint {
  return { treeHead, note }
}

async function publishHead(
  store: LogStore,
  expected: Checkpoint | undefined,
  promises: Parameters<LogStore['publish']>[2] = []
): Promise<Checkpoint> {
  const treeHead = await store.treeHead()
  return store.publish(expected, checkpointOf(treeHead, `note ${treeHead.treeSize}`), promises)
}

/** Everything a tree holds. */
async function snapshot(store: LogStore): Promise<unknown> {
  const head = await store.treeHead()
  return {
    head,
    record: await store.record(),
    leaves: await store.leaves(0, head.treeSize + 10),
    tiles: await Promise.all([0, 1, 2].map((tileIndex) => store.tile(0, tileIndex))),
    upper: await store.tile(1, 0),
    checkpoints: await store.checkpoints(-1, 100)
  }
}

async function all<Item>(pages: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> {
  const items: Item[] = []
  for await (const page of pages) items.push(...page)
  return items
}
