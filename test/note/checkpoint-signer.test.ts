import { sign } from 'node:crypto'
import t from 'tap'
import { decodeBase64 } from '../../src/encoding/base64.js'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import { LogError } from '../../src/errors.js'
import { importEd25519KeyPem } from '../../src/keys/ed25519-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { verifyData } from '../../src/keys/verify.js'
import { verifyCheckpoint } from '../../src/note/checkpoint.js'
import { createCheckpointSigner } from '../../src/note/checkpoint-signer.js'
import { formatFrozenLine } from '../../src/note/frozen-log.js'
import { logIdOfKey } from '../../src/note/log-id.js'
import { refusalText } from '../helpers/refusals.js'
import { seededEd25519Pem } from '../helpers/ed25519-key.js'
import { bundleVector, ownVectors } from '../helpers/rekor-v2-vectors.js'

const own = ownVectors()
const privateKey = importEd25519KeyPem(seededEd25519Pem(decodeHex(own.log.seed)))
const publicKey = parsePublicKey(decodeBase64(own.log.publicKey))
const { name } = own.log

const signer = createCheckpointSigner({
  name,
  publicKey,
  sign: async (message) => sign(null, message, privateKey)
})

t.test('checkpoints of a small log', async (t) => {
  t.equal(encodeHex(signer.logId), own.log.logId)
  for (const [treeSize, want] of own.checkpoints.entries()) {
    const rootHash = decodeHex(own.roots[treeSize] ?? '')
    t.equal(await signer.signTreeHead({ treeSize, rootHash }), want)
  }
  const rootHash = decodeHex(own.roots[2])
  t.equal(
    await signer.signTreeHead({ treeSize: 2, rootHash }, [formatFrozenLine(1767225600)]),
    own.frozenCheckpoint
  )
})

t.test('what it signs verifies', async (t) => {
  const parsed = await verifyCheckpoint(own.frozenCheckpoint, {
    origin: name,
    name,
    publicKeyId: signer.logId.slice(0, 4),
    verify: (message, signature) => verifyData(publicKey, 'sha512', message, signature)
  })
  t.equal(parsed.treeSize, 2)
})

t.test('checkpoints of real logs verify, also with signatures of others', async (t) => {
  for (const vector of [
    'hashedrekord',
    'hashedrekord-over-dsse',
    'dsse',
    'checkpoint-two-sigs-cosigned'
  ] as const) {
    const { log, tlogEntry } = bundleVector(vector)
    const key = parsePublicKey(decodeBase64(log.publicKey))
    const origin = new URL(log.baseUrl).host
    const { treeSize } = await verifyCheckpoint(tlogEntry.inclusionProof.checkpoint.envelope, {
      origin,
      name: origin,
      publicKeyId: logIdOfKey(origin, key).slice(0, 4),
      verify: (message, signature) => verifyData(key, 'sha512', message, signature)
    })
    t.equal(String(treeSize), tlogEntry.inclusionProof.treeSize, vector)
  }
})

t.test('refused', async (t) => {
  const rootHash = decodeHex(own.roots[0])
  t.equal(
    await refusalText(() =>
      createCheckpointSigner({ name: 'host - 1', publicKey, sign: async () => new Uint8Array(64) })
    ),
    'invalid_request: signed note: bad key name'
  )
  t.equal(
    await refusalText(() => signer.signTreeHead({ treeSize: -1, rootHash })),
    'invalid_request: checkpoint: tree size -1 is not a safe integer'
  )
  t.equal(
    await refusalText(() => signer.signTreeHead({ treeSize: 0, rootHash }, [''])),
    'invalid_request: checkpoint: empty line or control character'
  )
  const failing = createCheckpointSigner({
    name,
    publicKey,
    sign: () => Promise.reject(new LogError('internal', 'no key'))
  })
  t.equal(
    await refusalText(() => failing.signTreeHead({ treeSize: 0, rootHash })),
    'internal: no key'
  )
})
