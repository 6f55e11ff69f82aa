import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { parseDsse } from '../../../src/entries/dsse/parse.js'
import { verifyDsse } from '../../../src/entries/dsse/verify.js'
import { hashData } from '../../../src/keys/verify.js'
import { encodeHex } from '../../../src/encoding/hex.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { envelope, type EnvelopeParts, envelopeSigner } from '../../helpers/envelopes.js'
import { refusalText } from '../../helpers/refusals.js'

const [a, b] = [envelopeSigner(), envelopeSigner('rsa')]
const sha256 = (text: string) => `sha256:${encodeHex(hashData('sha256', encodeUtf8(text)))}`

function propose(text: string, signers: readonly (typeof a)[]) {
  const verifiers = signers.map(({ pem }) => encodeBase64(pem))
  return parseDsse({ proposedContent: { envelope: text, verifiers } })
}

const signed = (parts: EnvelopeParts) => JSON.stringify(envelope([a, b], parts))

t.test('leaf and keys', async (t) => {
  const text = signed({})
  const { leafValue, searchKeys, attestation } = await verifyDsse(propose(text, [b, a]))
  t.equal(attestation, undefined)
  t.same(searchKeys.slice(2), [sha256('hello'), sha256(text)])
  const { spec } = JSON.parse(Buffer.from(leafValue).toString()) as { spec: unknown }
  const again = await verifyDsse(parseDsse(spec))
  t.same(again.leafValue, leafValue)
  t.same(again.searchKeys, searchKeys)
})

t.test('white space in the envelope makes another entry', async (t) => {
  const text = signed({})
  const first = await verifyDsse(propose(text, [a, b]))
  const second = await verifyDsse(propose(`${text}\n`, [a, b]))
  t.not(Buffer.compare(first.leafValue, second.leafValue), 0)
  t.ok(second.searchKeys.includes(sha256(`${text}\n`)))
})

t.test('in-toto statements add their digests', async (t) => {
  const payloadType = 'application/vnd.in-toto+json'
  const statement = JSON.stringify({
    subject: [{ digest: { sha256: 'AA' } }],
    predicate: { materials: [{ digest: { sha1: 'bb' } }] }
  })
  const keysOf = async (parts: EnvelopeParts) =>
    (await verifyDsse(propose(signed(parts), [a, b]))).searchKeys
  t.same((await keysOf({ payloadType, payload: statement })).slice(4), ['sha256:aa', 'sha1:bb'])
  t.equal((await keysOf({ payloadType, payload: 'no JSON' })).length, 4)
  t.equal((await keysOf({ payload: statement })).length, 4, 'another payload type')
})

t.test('refused', async (t) => {
  t.equal(
    await refusalText(() => verifyDsse(propose(signed({}), [a]))),
    'verification_failed: all signatures must have a key that verifies it'
  )
})
