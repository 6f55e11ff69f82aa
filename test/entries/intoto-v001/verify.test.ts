import { createHash } from 'node:crypto'
import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { parseIntoto } from '../../../src/entries/intoto-v001/parse.js'
import { verifyIntoto } from '../../../src/entries/intoto-v001/verify.js'
import { encodeSshKey } from '../../../src/keys/ssh-key.js'
import { parseX509Key } from '../../../src/x509/x509-format.js'
import { envelope, type EnvelopeParts, envelopeSigner } from '../../helpers/envelopes.js'
import { refusalText } from '../../helpers/refusals.js'

const LIMIT = { maxAttestationBytes: 100 }
const signer = envelopeSigner()

const propose = (text: string, by = signer) =>
  parseIntoto({ content: { envelope: text }, publicKey: encodeBase64(by.pem) })
const signed = (parts: EnvelopeParts = {}, by = signer) => JSON.stringify(envelope([by], parts))

t.test('leaf, keys, attestation', async (t) => {
  const verified = await verifyIntoto(propose(signed()), LIMIT)
  t.equal(Buffer.from(verified.attestation?.value ?? []).toString(), 'hello')
  const hash = createHash('sha256').update('hello').digest('hex')
  t.equal(verified.attestation?.key, `sha256:${hash}`)
  t.equal(verified.searchKeys.length, 3)
  t.equal(verified.searchKeys[2], `sha256:${hash}`)
  const { spec } = JSON.parse(Buffer.from(verified.leafValue).toString()) as { spec: unknown }
  const again = await verifyIntoto(parseIntoto(spec), LIMIT)
  t.same(again, { leafValue: verified.leafValue, searchKeys: verified.searchKeys })
  t.equal(
    (await verifyIntoto(propose(signed()), { maxAttestationBytes: 5 })).attestation,
    undefined
  )
})

t.test('in-toto statements', async (t) => {
  const payloadType = 'application/vnd.in-toto+json'
  const payload = '{"subject":[{"digest":{"sha1":"aa"}}]}'
  const keysOf = async (parts: EnvelopeParts) =>
    (await verifyIntoto(propose(signed(parts)), LIMIT)).searchKeys
  t.same((await keysOf({ payloadType, payload })).slice(3), ['sha1:aa'])
  t.same((await keysOf({ payloadType, payload: 'no JSON' })).length, 3)
  t.same((await keysOf({ payload })).length, 3)
})

t.test(
  'key ids: none, the fingerprint ssh-keygen prints, and any for a key without one',
  async (t) => {
    const encoded = encodeSshKey(parseX509Key(signer.pem).publicKey) ?? new Uint8Array(0)
    const fingerprint = `SHA256:${createHash('sha256').update(encoded).digest('base64').replace('=', '')}`
    t.ok(await verifyIntoto(propose(signed({ keyids: [fingerprint] })), LIMIT))
    t.equal(
      await refusalText(() => verifyIntoto(propose(signed({ keyids: ['other'] })), LIMIT)),
      'verification_failed: accepted signatures do not match threshold, Found: 0, Expected 1'
    )
    const p224 = envelopeSigner('secp224r1')
    t.ok(await verifyIntoto(propose(signed({ keyids: ['other'] }, p224), p224), LIMIT))
  }
)

t.test('refused', async (t) => {
  const text = signed({ payload: '???>>>' })
  const urlAlphabet = text.replace(
    /("payload":")([^"]*)/,
    (_, name: string, payload: string) =>
      `${name}${payload.replaceAll('/', '_').replaceAll('+', '-')}`
  )
  for (const [title, envelopeText, message] of [
    [
      'wrong key',
      signed({}, envelopeSigner()),
      'verification_failed: accepted signatures do not match threshold, Found: 0, Expected 1'
    ],
    ['no signature', '{"payload":""}', 'verification_failed: no signature found'],
    [
      'payload in the URL alphabet',
      urlAlphabet,
      'invalid_request: payload: illegal base64 data at input byte 3'
    ]
  ] as const) {
    t.equal(await refusalText(() => verifyIntoto(propose(envelopeText), LIMIT)), message, title)
  }
})
