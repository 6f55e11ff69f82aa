import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { DEFAULT_CA_CLIENT_ALGORITHMS } from '../../../src/ca/client-key/algorithm-policy.js'
import { verifyClientKey } from '../../../src/ca/client-key/verify-client-key.js'
import { decodeBase64 } from '../../../src/encoding/base64.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { csrVectors } from '../../helpers/fulcio-vectors.js'
import { refusal, refusalText } from '../../helpers/refusals.js'

const challenge = 'alice@example.com'

t.test('every certificate request of the vectors', async (t) => {
  const cases = csrVectors()
  t.equal(cases.length, 20)
  for (const { name, csrPem, csrDerB64, accept, message } of cases) {
    const content = csrPem === undefined ? decodeBase64(csrDerB64 ?? '') : encodeUtf8(csrPem)
    const check = () =>
      verifyClientKey(
        { kind: 'certificateRequest', content },
        challenge,
        DEFAULT_CA_CLIENT_ALGORITHMS
      )
    if (accept) t.ok((await check()).spki.length > 0, name)
    else t.equal((await refusal(check)).message, message, name)
  }
})

function keyAndProof(type: 'ed25519' | 'P-384') {
  const { publicKey, privateKey } =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: type })
  return {
    kind: 'publicKey' as const,
    content: encodeUtf8(publicKey.export({ format: 'pem', type: 'spki' }).toString()),
    proofOfPossession: Uint8Array.from(
      sign(type === 'ed25519' ? null : 'sha384', encodeUtf8(challenge), privateKey)
    )
  }
}

t.test('a key with its proof', async (t) => {
  for (const type of ['ed25519', 'P-384'] as const) {
    const request = keyAndProof(type)
    const key = await verifyClientKey(request, challenge, DEFAULT_CA_CLIENT_ALGORITHMS)
    t.equal(key.type, type === 'ed25519' ? 'ed25519' : 'ecdsa')
  }
})

t.test('the proof is judged before the policy', async (t) => {
  const request = keyAndProof('ed25519')
  const allowed = ['ecdsa-sha2-256-nistp256']
  t.equal(
    await refusalText(() => verifyClientKey(request, challenge, allowed)),
    'unsupported: signing algorithm not permitted: ed25519.PublicKey, unknown hash value 0'
  )
  t.equal(
    await refusalText(() => verifyClientKey(request, 'bob@example.com', allowed)),
    'verification_failed: The signature supplied in the request could not be verified'
  )
  t.equal(
    await refusalText(() => verifyClientKey(keyAndProof('P-384'), challenge, allowed)),
    'unsupported: signing algorithm not permitted: *ecdsa.PublicKey, SHA-384'
  )
})
