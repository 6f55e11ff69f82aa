import t from 'tap'
import { parseEntryAnswer, type EntryAnswer } from '../../src/client/answers.js'
import { parseLogKeys, selectLogKey } from '../../src/client/log-key.js'
import { treeIdOf, verifyEntry, verifyTreeHead } from '../../src/client/verify-entry.js'
import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { fakeTree } from '../helpers/fake-rekor.js'
import { at } from '../helpers/rfc6962.js'

const tree = fakeTree('9223372036854775807', ['{"a":0}', '{"a":1}', '{"a":2}'], 10)
const other = fakeTree('5', ['{"a":0}', '{"a":1}', '{"a":2}'], 10)
const key = at(parseLogKeys(encodeUtf8(tree.publicKeyPem)), 0)
const otherKey = at(parseLogKeys(encodeUtf8(other.publicKeyPem)), 0)

const good = parseEntryAnswer(tree.entry(1) as JsonValue)
const foreign = parseEntryAnswer(other.entry(1) as JsonValue)

t.test('what an honest log says is accepted', async (t) => {
  for (const leafIndex of [0, 1, 2]) {
    const entry = parseEntryAnswer(tree.entry(leafIndex) as JsonValue)
    const checkpoint = await verifyEntry(entry, key)
    t.equal(checkpoint.treeSize, 3)
    t.equal(checkpoint.origin, 'fake.test - 9223372036854775807')
  }
  t.equal(treeIdOf(good.entryId), '9223372036854775807', 'no digit lost')
})

t.test('each lie is found', async (t) => {
  const proof = good.inclusionProof
  const flipped = (bytes: Uint8Array): Uint8Array => {
    const copy = Uint8Array.from(bytes)
    copy[5] = (copy[5] ?? 0) ^ 1
    return copy
  }
  const cases: [name: string, change: Partial<EntryAnswer>, code: string, message: RegExp][] = [
    ['body', { leafValue: encodeUtf8('{"a":9}') }, 'verification_failed', /^entry ID is not that/],
    ['entry ID', { entryId: tree.entryId(2) }, 'verification_failed', /^entry ID is not that/],
    ['log ID', { logId: otherKey.logId }, 'verification_failed', /^entry of log .*, want /],
    ['log index', { logIndex: 12 }, 'verification_failed', /^signed entry timestamp: /],
    ['time', { integratedTimeSeconds: 1 }, 'verification_failed', /^signed entry timestamp: /],
    [
      'SET',
      { signedEntryTimestamp: foreign.signedEntryTimestamp },
      'verification_failed',
      /^signed entry timestamp: /
    ],
    [
      'proof hash',
      { inclusionProof: { ...proof, hashes: proof.hashes.map(flipped) } },
      'proof_invalid',
      /^inclusion proof leads to root /
    ],
    [
      'leaf index',
      { inclusionProof: { ...proof, leafIndex: 0 } },
      'proof_invalid',
      /^inclusion proof leads to root /
    ],
    [
      'short proof',
      { inclusionProof: { ...proof, hashes: [] } },
      'proof_invalid',
      /^inclusion proof has 0 hashes, want 2$/
    ],
    [
      'root hash',
      { inclusionProof: { ...proof, rootHash: flipped(proof.rootHash) } },
      'proof_invalid',
      /^inclusion proof leads to root /
    ],
    [
      'unsigned checkpoint',
      { inclusionProof: { ...proof, checkpoint: proof.checkpoint.replace('\n3\n', '\n4\n') } },
      'verification_failed',
      /^checkpoint/
    ],
    [
      'checkpoint of another log',
      { inclusionProof: { ...proof, checkpoint: foreign.inclusionProof.checkpoint } },
      'verification_failed',
      /^checkpoint has no signature of the key of "fake.test"$/
    ],
    [
      'no checkpoint',
      { inclusionProof: { ...proof, checkpoint: '' } },
      'verification_failed',
      /^checkpoint: signed note: /
    ],
    [
      'tree ID',
      { entryId: `0000000000000005${good.entryId.slice(16)}` },
      'verification_failed',
      /^checkpoint of "fake.test - 9223372036854775807", want one of tree 5$/
    ]
  ]
  for (const [name, change, code, message] of cases) {
    await t.rejects(verifyEntry({ ...good, ...change }, key), { code, message }, name)
  }
})

t.test('a good checkpoint of another size is not the one of the answer', async (t) => {
  const { treeId } = tree
  const checkpoint = good.inclusionProof.checkpoint
  const { rootHash } = good.inclusionProof
  await verifyTreeHead({ treeId, treeSize: 3, rootHash, checkpoint }, key)
  await t.rejects(verifyTreeHead({ treeId, treeSize: 2, rootHash, checkpoint }, key), {
    message: /^checkpoint of size 3 and root .*, want 2 and /
  })
  const zeros = new Uint8Array(32)
  await t.rejects(verifyTreeHead({ treeId, treeSize: 3, rootHash: zeros, checkpoint }, key), {
    message: /^checkpoint of size 3 and root .*, want 3 and 0{64}$/
  })
})

t.test('keys', async (t) => {
  const both = parseLogKeys(encodeUtf8(`a comment\n${other.publicKeyPem}${tree.publicKeyPem}`))
  t.equal(both.length, 2)
  t.strictSame(selectLogKey(both, key.logId).logId, key.logId)
  t.throws(() => selectLogKey([otherKey], key.logId), {
    code: 'verification_failed',
    message: /^signed by log [0-9a-f]{64}, but the given key is of [0-9a-f]{64}$/
  })
  t.throws(() => parseLogKeys(encodeUtf8('hello')), { message: /^no PEM block/ })
  t.throws(() => parseLogKeys(encodeUtf8(tree.publicKeyPem.replaceAll('PUBLIC', 'PRIVATE'))), {
    message: /^PEM block is PRIVATE KEY, expected PUBLIC KEY$/
  })
})
