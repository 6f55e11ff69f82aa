import t from 'tap'
import { createCheckQueue } from '../../src/keys/check-queue.js'
import { createLocalSigner, generateLogKey } from '../../src/keys/local-signer.js'
import { parseCheckpoint } from '../../src/note/checkpoint.js'
import { verifySet } from '../../src/rekor/set.js'
import {
  checkpointNameOf,
  createCheckpointCheck,
  createRekorSigning,
  formatOrigin,
  publicKeyOf
} from '../../src/rekor/signing.js'
import { logIdOf } from '../../src/rekor/statement.js'

t.test('origin and name', async (t) => {
  const origin = formatOrigin('log.example', '12')
  t.equal(origin, 'log.example - 12')
  t.equal(checkpointNameOf({ origin, treeId: '12' }), 'log.example')
  t.throws(() => checkpointNameOf({ origin, treeId: '2' }), { code: 'integrity' })
})

t.test('what a tree signs', async (t) => {
  const signer = createLocalSigner(await generateLogKey())
  const other = createLocalSigner(await generateLogKey())
  const tree = {
    treeId: '12',
    origin: 'log.example - 12',
    offset: 1000,
    publicKey: signer.publicKey
  }
  const signing = createRekorSigning(tree, signer)
  const treeHead = { treeSize: 5, rootHash: new Uint8Array(32).fill(7) }

  t.test('its checkpoint', async (t) => {
    const note = await signing.signTreeHead(treeHead)
    t.match(note, /^log\.example - 12\n5\n[^\n]{44}\n\n— log\.example [^\n]+\n$/)
    for (const queue of [undefined, createCheckQueue()]) {
      const read = await createCheckpointCheck(tree, queue)(note)
      t.match(read, { treeSize: 5, origin: tree.origin })
    }
    const [line] = parseCheckpoint(note).signatures
    t.same(
      line?.keyId,
      logIdOf(signer.publicKey).slice(0, 4),
      "Rekor's hint, not that of Go's notes"
    )

    const refused = { name: 'LogError', code: 'verification_failed' }
    for (const queue of [undefined, createCheckQueue()]) {
      await t.rejects(createCheckpointCheck(tree, queue)(note.replace('\n5\n', '\n6\n')), refused)
      await t.rejects(
        createCheckpointCheck({ ...tree, publicKey: other.publicKey }, queue)(note),
        refused
      )
      const renamed = { ...tree, origin: 'other.example - 12' }
      await t.rejects(createCheckpointCheck(renamed, queue)(note), refused)
      const byOther = await createRekorSigning(tree, other).signTreeHead(treeHead)
      await t.rejects(createCheckpointCheck(tree, queue)(byOther), refused)
    }
  })

  t.test('its promises, at the index over all trees', async (t) => {
    const leaf = {
      leafIndex: 3,
      leafHash: new Uint8Array(32),
      leafValue: Uint8Array.of(1, 2, 3),
      integratedTimeSeconds: 1_700_000_000
    }
    const [set = new Uint8Array(0)] = await signing.signPromises([leaf])
    const key = publicKeyOf(tree)
    const promise = {
      leafValue: leaf.leafValue,
      integratedTimeSeconds: leaf.integratedTimeSeconds,
      logId: logIdOf(signer.publicKey),
      logIndex: 1003
    }
    await verifySet(key, promise, set)
    const refused = { name: 'LogError', code: 'verification_failed' }
    for (const changed of [
      { ...promise, logIndex: 3 },
      { ...promise, integratedTimeSeconds: 1_700_000_001 },
      { ...promise, leafValue: Uint8Array.of(1, 2) },
      { ...promise, logId: new Uint8Array(32) }
    ]) {
      await t.rejects(verifySet(key, changed, set), refused)
    }
    await t.rejects(verifySet(publicKeyOf(other), promise, set), refused)
    await t.rejects(verifySet(key, promise, new Uint8Array(0)), refused)
  })
})
