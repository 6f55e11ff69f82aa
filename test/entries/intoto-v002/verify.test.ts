import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { parseIntotoV002 } from '../../../src/entries/intoto-v002/parse.js'
import { verifyIntotoV002 } from '../../../src/entries/intoto-v002/verify.js'
import {
  envelope,
  type EnvelopeParts,
  type EnvelopeSigner,
  envelopeSigner
} from '../../helpers/envelopes.js'
import { refusalText } from '../../helpers/refusals.js'

const LIMIT = { maxAttestationBytes: 100 }
const [a, b] = [envelopeSigner(), envelopeSigner('ed25519')]
const b64 = (text: string) => encodeBase64(encodeUtf8(text))

/** The spec of an envelope by `signers`, with `keys` beside their signatures. */
function propose(
  signers: readonly EnvelopeSigner[],
  parts: EnvelopeParts = {},
  keys = signers,
  payload?: string
) {
  const signed = envelope(signers, parts)
  return parseIntotoV002({
    content: {
      envelope: {
        payloadType: signed.payloadType,
        payload: b64(payload ?? signed.payload),
        signatures: signed.signatures.map(({ keyid, sig }, i) => ({
          keyid,
          sig: b64(sig),
          publicKey: encodeBase64(keys[i]?.pem ?? new Uint8Array(0))
        }))
      },
      hash: { algorithm: 'sha256', value: 'ab' }
    }
  })
}

t.test('leaf, keys, attestation', async (t) => {
  const verified = await verifyIntotoV002(propose([a, b], { keyids: ['x'] }), LIMIT)
  t.equal(Buffer.from(verified.attestation?.value ?? []).toString(), 'hello')
  t.equal(verified.searchKeys.length, 3)
  t.equal(verified.attestation?.key, verified.searchKeys[2])
  const { spec } = JSON.parse(Buffer.from(verified.leafValue).toString()) as { spec: unknown }
  const again = await verifyIntotoV002(parseIntotoV002(spec), LIMIT)
  t.same(again, { leafValue: verified.leafValue, searchKeys: verified.searchKeys })
  t.equal((await verifyIntotoV002(propose([a]), { maxAttestationBytes: 5 })).attestation, undefined)
})

t.test('in-toto statements; one that is none is indexed under nothing', async (t) => {
  const payloadType = 'application/vnd.in-toto+json'
  const payload = '{"subject":[{"digest":{"sha1":"aa"}}]}'
  const keysOf = async (parts: EnvelopeParts) =>
    (await verifyIntotoV002(propose([a], parts), LIMIT)).searchKeys
  t.same((await keysOf({ payloadType, payload })).slice(2), ['sha1:aa'])
  t.same(await keysOf({ payloadType, payload: 'no JSON' }), [])
  t.equal((await keysOf({ payload })).length, 2)
})

t.test('refused', async (t) => {
  const none = 'accepted signatures do not match threshold, Found: 0, Expected 1'
  for (const [title, entry, message] of [
    [
      'a key that signed nothing',
      propose([a, b], {}, [a, envelopeSigner()]),
      `verification_failed: could not verify envelope: ${none}`
    ],
    [
      'the same key for both',
      propose([a, b], {}, [a, a]),
      'verification_failed: all signatures must have a key that verifies it'
    ],
    [
      'keys exchanged are found',
      { ...propose([a, b], {}, [b, a]), hash: undefined },
      'invalid_request: missing envelope digest'
    ],
    ['no hash', { ...propose([a]), hash: undefined }, 'invalid_request: missing envelope digest'],
    [
      'key no PEM',
      { ...propose([a], {}, []) },
      'invalid_request: could not parse public key as x509: invalid public key: failure decoding PEM'
    ],
    [
      'payload no base64',
      propose([a], {}, [a], '!'),
      'invalid_request: could not verify envelope: unable to base64 decode payload (is payload in the right format?)'
    ],
    [
      'payload not ASCII',
      propose([a], {}, [a], 'é'),
      'invalid_request: could not verify envelope: unable to base64 decode payload (is payload in the right format?)'
    ],
    [
      'payload in the URL alphabet',
      propose([a], { payload: '???' }, [a], 'Pz8_'),
      'invalid_request: could not decode envelope payload: illegal base64 data at input byte 3'
    ]
  ] as const) {
    t.equal(await refusalText(() => verifyIntotoV002(entry, LIMIT)), message, title)
  }
})
