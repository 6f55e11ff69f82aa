import t from 'tap'
import { parseClientKey } from '../../../src/ca/client-key/parse-key.js'
import { verifyProofOfPossession } from '../../../src/ca/client-key/proof-of-possession.js'
import { decodeBase64 } from '../../../src/encoding/base64.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
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
