import t from 'tap'
import { parseClientKey } from '../../../src/ca/client-key/parse-key.js'
import { verifyProofOfPossession } from '../../../src/ca/client-key/proof-of-possession.js'
import { decodeBase64 } from '../../../src/encoding/base64.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { LogError } from '../../../src/errors.js'
import { createCheckQueue } from '../../../src/keys/check-queue.js'
import { fulcioVector } from '../../helpers/fulcio-vectors.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusal, unlessRefused } from '../../helpers/refusals.js'

interface PopVectors {
  readonly keys: Readonly<Record<string, { publicKeyPem: string }>>
  readonly proofs: readonly {
    readonly name: string
    readonly key: string
    readonly challenge: string
    readonly proofB64: string
    readonly accept: boolean
    readonly message?: string
  }[]
}

const { keys, proofs } = fulcioVector<PopVectors>('pop.json')
const keyOf = (name: string) => parseClientKey(encodeUtf8(keys[name]?.publicKeyPem ?? ''))

t.test('every vector', async (t) => {
  t.equal(proofs.length, 25)
  for (const { name, key, challenge, proofB64, accept, message } of proofs) {
    const check = () => verifyProofOfPossession(keyOf(key), decodeBase64(proofB64), challenge)
    if (accept) await t.resolves(check(), name)
    else t.equal((await refusal(check)).message, message, name)
  }
})

t.test('every vector, in a queue: the same texts and reasons', async (t) => {
  const queue = createCheckQueue()
  await Promise.all(
    proofs.map(async ({ name, key, challenge, proofB64, accept }) => {
      const proof = decodeBase64(proofB64)
      const queued = () => verifyProofOfPossession(keyOf(key), proof, challenge, queue.data)
      if (accept) {
        await t.resolves(queued(), name)
        return
      }
      const [got, wanted] = await Promise.all([
        refusal(queued),
        refusal(() => verifyProofOfPossession(keyOf(key), proof, challenge))
      ])
      t.strictSame(
        [got.code, got.message, got.details],
        [wanted.code, wanted.message, wanted.details]
      )
    })
  )
})

t.test('that OpenSSL fails says nothing of a proof', async (t) => {
  const [first] = proofs
  const fails = () => Promise.reject(new LogError('internal', 'no memory'))
  const { code } = await refusal(() =>
    verifyProofOfPossession(keyOf(first?.key ?? ''), new Uint8Array(1), '', fails)
  )
  t.equal(code, 'internal')
})

t.test('a proof made for one challenge proves no other', async (t) => {
  for (const { name, key, challenge, proofB64, accept } of proofs) {
    if (!accept) continue
    const { code } = await refusal(() =>
      verifyProofOfPossession(keyOf(key), decodeBase64(proofB64), `${challenge} `)
    )
    t.equal(code, 'verification_failed', name)
  }
})

t.test('fuzz: a changed proof is refused, with LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const good = proofs.filter(({ accept }) => accept)
  for (let i = 0; i < 300; i++) {
    const { key, challenge, proofB64 } = random.pick(good)
    const proof = decodeBase64(proofB64)
    const changed = mutate(proof, random)
    if (changed.length === proof.length && changed.every((byte, at) => byte === proof[at])) continue
    const accepted = await unlessRefused(async () => {
      await verifyProofOfPossession(keyOf(key), changed, challenge)
      return true
    })
    t.equal(accepted, undefined)
  }
})
