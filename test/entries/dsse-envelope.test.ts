import t from 'tap'
import { decodeUtf8 } from '../../src/encoding/text.js'
import {
  MAX_ENVELOPE_SIGNATURES,
  parseDsseEnvelope,
  verifyEnvelope,
  verifyEnvelopeWithKey
} from '../../src/entries/dsse-envelope.js'
import { parseX509Key, type X509Key } from '../../src/x509/x509-format.js'
import { envelope, envelopeSigner } from '../helpers/envelopes.js'
import { refusalText } from '../helpers/refusals.js'
import { rekorVector, rekorVectorText } from '../helpers/vectors.js'

const a = envelopeSigner()
const b = envelopeSigner('ed25519')
const c = envelopeSigner('rsa')
const notCovered = 'verification_failed: all signatures must have a key that verifies it'
const noneAccepted = 'accepted signatures do not match threshold, Found: 0, Expected 1'

t.test('reads JSON text as Go does', async (t) => {
  const empty = { payloadType: '', payload: '', signatures: [] }
  t.same(parseDsseEnvelope('{}'), empty)
  t.same(parseDsseEnvelope('null'), empty)
  t.same(parseDsseEnvelope('{"payload":null,"signatures":null,"other":1}'), empty)
  t.same(
    parseDsseEnvelope(
      '{"PAYLOADTYPE":"t","Payload":"p","signatures":[{"KeyID":"k","sig":"s"},null]}'
    ),
    {
      payloadType: 't',
      payload: 'p',
      signatures: [
        { keyid: 'k', sig: 's' },
        { keyid: '', sig: '' }
      ]
    }
  )
  const wrongType =
    'invalid_request: DSSE envelope: payloadType, payload, keyid and sig must be strings, signatures an array of objects'
  for (const text of [
    '[]',
    '"x"',
    '1',
    '{"payload":1}',
    '{"payloadType":{}}',
    '{"signatures":{}}',
    '{"signatures":[1]}',
    '{"signatures":[{"sig":1}]}'
  ]) {
    t.equal(await refusalText(() => parseDsseEnvelope(text)), wrongType, text)
  }
  for (const text of ['', ' \n']) {
    t.equal(
      await refusalText(() => parseDsseEnvelope(text)),
      'invalid_request: unexpected end of JSON input'
    )
  }
  t.match(await refusalText(() => parseDsseEnvelope('{')), /^invalid_request: not valid JSON/)
  const deep = `{"payload":${'['.repeat(200)}${']'.repeat(200)}}`
  t.match(await refusalText(() => parseDsseEnvelope(deep)), /nested deeper/)
})

t.test('every signature with its key, in any order', async (t) => {
  for (const [signers, keys] of [
    [[a], [a]],
    [
      [a, b, c],
      [a, b, c]
    ],
    [
      [a, b, c],
      [c, a, b]
    ]
  ] as const) {
    const signed = envelope(signers)
    const result = await verifyEnvelope(
      signed,
      keys.map(({ pem }) => pem),
      'check'
    )
    t.equal(decodeUtf8(result.payload), 'hello')
    t.equal(result.keys.size, signers.length)
    signers.forEach(({ pem }, i) => {
      const key = result.keys.get(signed.signatures[i]?.sig ?? '')
      t.equal(decodeUtf8(key?.canonical ?? new Uint8Array(0)), decodeUtf8(pem))
    })
  }
})

t.test('fixtures', async (t) => {
  for (const [file, keys] of [
    ['intoto_dsse.json', ['intoto_dsse.pem']],
    ['intoto_multi_dsse.json', ['intoto_dsse.pem', 'intoto_multi_pub2.pem']],
    ['envelope_sha512_subject.json', ['envelope_sha512_subject.pub']]
  ] as const) {
    const parsed = parseDsseEnvelope(rekorVectorText(`dsse/${file}`))
    const result = await verifyEnvelope(
      parsed,
      keys.map((key) => rekorVector(`dsse/${key}`)),
      'ignore'
    )
    t.equal(result.keys.size, keys.length, file)
  }
})

t.test('base64 of either alphabet', async (t) => {
  const signed = envelope([c], { payload: '???>>>' })
  const url = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_')
  const inUrlAlphabet = {
    ...signed,
    payload: url(signed.payload),
    signatures: signed.signatures.map(({ sig, keyid }) => ({ keyid, sig: url(sig) }))
  }
  t.match(inUrlAlphabet.payload, /[-_]/)
  t.ok(await verifyEnvelope(inUrlAlphabet, [c.pem], 'check'))
})

t.test('a spare key', async (t) => {
  const signed = envelope([a])
  t.ok(await verifyEnvelope(signed, [a.pem, b.pem], 'ignore'), 'never looked at')
  t.ok(await verifyEnvelope(signed, [a.pem, a.pem], 'check'), 'verifies the same signature again')
  t.equal(
    await refusalText(() => verifyEnvelope(signed, [a.pem, b.pem], 'check')),
    `verification_failed: could not verify envelope: ${noneAccepted}`
  )
  t.equal(
    await refusalText(() => verifyEnvelope(signed, [b.pem, a.pem], 'ignore')),
    `verification_failed: could not verify envelope: ${noneAccepted}`,
    'before all signatures are covered it is an error'
  )
})

t.test('signatures and keys that do not match up', async (t) => {
  const signed = envelope([a, b])
  const [first, second] = signed.signatures as [
    { sig: string; keyid: string },
    { sig: string; keyid: string }
  ]
  const twice = envelope([a, a])
  for (const [title, input, keys, message] of [
    ['a signature without key', signed, [a], notCovered],
    ['one key for two signatures', twice, [a], notCovered],
    ['the same key twice counts for the same signature', twice, [a, a], notCovered],
    [
      'a damaged signature',
      { ...signed, signatures: [first, { keyid: '', sig: 'AAAA' }] },
      [a, b],
      `verification_failed: could not verify envelope: ${noneAccepted}`
    ],
    [
      'another payload',
      { ...signed, payload: 'aGVsbG8h' },
      [a, b],
      `verification_failed: could not verify envelope: ${noneAccepted}`
    ],
    [
      'another payload type',
      { ...signed, payloadType: 'text/html' },
      [a, b],
      `verification_failed: could not verify envelope: ${noneAccepted}`
    ],
    [
      'payload no base64',
      { ...signed, payload: '!' },
      [a, b],
      'invalid_request: could not verify envelope: unable to base64 decode payload (is payload in the right format?)'
    ],
    [
      'mixed alphabets',
      { ...signed, payload: '+_8=' },
      [a, b],
      'invalid_request: could not verify envelope: unable to base64 decode payload (is payload in the right format?)'
    ],
    [
      'signature no base64',
      { ...signed, signatures: [first, { ...second, sig: '!' }] },
      [a, b],
      'invalid_request: could not verify envelope: unable to base64 decode payload (is payload in the right format?)'
    ],
    ['no keys', signed, [], notCovered],
    ['no signatures, no keys', { ...signed, signatures: [] }, [], notCovered]
  ] as const) {
    t.equal(
      await refusalText(() =>
        verifyEnvelope(
          input,
          keys.map(({ pem }) => pem),
          'check'
        )
      ),
      message,
      title
    )
  }
  t.ok(
    await verifyEnvelope(
      { ...signed, signatures: [first, second, first] },
      [a.pem, b.pem],
      'check'
    ),
    'equal texts are one'
  )
  t.equal(
    await refusalText(() => verifyEnvelope(signed, [new Uint8Array(0)], 'check')),
    'invalid_request: could not parse public key as x509: invalid public key: failure decoding PEM'
  )
})

t.test('key ids mean nothing, unless the key has one', async (t) => {
  const signed = envelope([a], { keyids: ['SHA256:somebody'] })
  const key = parseX509Key(a.pem).publicKey
  t.ok(await verifyEnvelope(signed, [a.pem], 'check'))
  await verifyEnvelopeWithKey(signed, key, undefined)
  await verifyEnvelopeWithKey(signed, key, 'SHA256:somebody')
  await verifyEnvelopeWithKey(envelope([a]), key, 'SHA256:me')
  t.equal(
    await refusalText(() => verifyEnvelopeWithKey(signed, key, 'SHA256:me')),
    `verification_failed: ${noneAccepted}`
  )
})

t.test('one key, one good signature suffices', async (t) => {
  const key = parseX509Key(b.pem).publicKey
  await verifyEnvelopeWithKey(envelope([a, b, c]), key, undefined)
  t.equal(
    await refusalText(() => verifyEnvelopeWithKey(envelope([]), key, undefined)),
    'verification_failed: no signature found'
  )
  t.equal(
    await refusalText(() =>
      verifyEnvelopeWithKey({ ...envelope([b]), payload: '!' }, key, undefined)
    ),
    'invalid_request: unable to base64 decode payload (is payload in the right format?)'
  )
})

t.test('no more signatures than we try', async (t) => {
  const signed = envelope([a])
  const signatures = Array.from(
    { length: MAX_ENVELOPE_SIGNATURES + 1 },
    () => signed.signatures[0] ?? { keyid: '', sig: '' }
  )
  const key = parseX509Key(a.pem).publicKey
  const message = 'invalid_request: DSSE envelope has 17 signatures, more than 16'
  const text = JSON.stringify({ ...signed, signatures })
  t.equal(await refusalText(() => parseDsseEnvelope(text)), message)
  t.equal(
    await refusalText(() => verifyEnvelope({ ...signed, signatures }, [a.pem], 'check')),
    message
  )
  t.equal(
    await refusalText(() => verifyEnvelopeWithKey({ ...signed, signatures }, key, undefined)),
    message
  )
})

t.test('an error that is no LogError is not swallowed', async (t) => {
  const broken = undefined as unknown as Uint8Array
  await t.rejects(verifyEnvelope(envelope([a]), [broken], 'check'), TypeError)
  const brokenKey = undefined as unknown as X509Key['publicKey']
  await t.rejects(verifyEnvelopeWithKey(envelope([a]), brokenKey, undefined), TypeError)
})
