import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { parseDsse } from '../../../src/entries/dsse/parse.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const key = encodeBase64(encodeUtf8('key'))
const hash = { algorithm: 'sha256', value: 'ab' }
const envelope = '{"payloadType":"t","payload":"cA==","signatures":[{"sig":"c2ln"}]}'
const proposedContent = { envelope, verifiers: [key] }
const committed = {
  envelopeHash: hash,
  payloadHash: hash,
  signatures: [{ signature: 'c2ln', verifier: key }]
}

t.test('proposal', (t) => {
  const expected = {
    form: 'proposed',
    envelopeText: envelope,
    envelope: { payloadType: 't', payload: 'cA==', signatures: [{ keyid: '', sig: 'c2ln' }] },
    verifiers: [encodeUtf8('key')]
  }
  t.same(parseDsse({ proposedContent }), expected)
  const nulls = { envelopeHash: null, payloadHash: null, signatures: null }
  t.same(parseDsse({ proposedContent, ...nulls }), expected, 'as sigstore-python sends it')
  const verifiers = [null, key, 1, '', {}]
  t.same(
    parseDsse({ proposedContent: { envelope, verifiers } }),
    expected,
    'what is no text is no verifier'
  )
  t.end()
})

t.test('committed form', (t) => {
  t.same(parseDsse(committed), {
    form: 'committed',
    envelopeHash: hash,
    payloadHash: hash,
    signatures: [{ signature: 'c2ln', verifier: encodeUtf8('key') }]
  })
  const signatures = [null, 'x', ...committed.signatures]
  t.same(parseDsse({ ...committed, signatures }), parseDsse(committed))
  const { spec } = JSON.parse(computedVector('dsse-multi').canonicalBody) as { spec: unknown }
  t.match(parseDsse(spec), { form: 'committed', signatures: { length: 2 } })
  t.end()
})

const whichForm =
  'either proposedContent or envelopeHash, payloadHash, and signatures must be present'
const list = (...lines: string[]) => `validation failure list:\n${lines.join('\n')}`
const signature = (change: object) => ({
  ...committed,
  signatures: [committed.signatures[0], { ...committed.signatures[0], ...change }]
})

t.test('refused', async (t) => {
  for (const [title, spec, message] of [
    ['neither', {}, whichForm],
    ['only a hash', { envelopeHash: hash }, whichForm],
    ['two of three', { envelopeHash: hash, payloadHash: hash }, whichForm],
    ['both', { proposedContent, ...committed }, `${whichForm} but not both`],
    ['proposal with a hash', { proposedContent, payloadHash: hash }, `${whichForm} but not both`],
    [
      'empty proposal',
      { proposedContent: {} },
      list('proposedContent.proposedContent.envelope in body is required')
    ],
    [
      'no verifiers',
      { proposedContent: { envelope } },
      list('proposedContent.proposedContent.verifiers in body is required')
    ],
    [
      'empty verifiers',
      { proposedContent: { envelope, verifiers: [] } },
      list('proposedContent.proposedContent.verifiers in body should have at least 1 items')
    ],
    [
      'many verifiers',
      { proposedContent: { envelope, verifiers: Array.from({ length: 17 }, () => key) } },
      list('proposedContent.proposedContent.verifiers in body should have at most 16 items')
    ],
    [
      'verifier no base64',
      { proposedContent: { envelope, verifiers: ['!'] } },
      'failed parsing base64 data for verifier: illegal base64 data at input byte 0'
    ],
    [
      'empty envelope',
      { proposedContent: { envelope: '', verifiers: [key] } },
      'unexpected end of JSON input'
    ],
    [
      'envelope without signatures',
      { proposedContent: { envelope: '{}', verifiers: [key] } },
      'DSSE envelope must contain 1 or more signatures'
    ],
    [
      'hash of another algorithm',
      { ...committed, envelopeHash: { algorithm: 'sha512', value: '' } },
      list('envelopeHash.envelopeHash.algorithm in body should be one of [sha256]')
    ],
    [
      'hashes incomplete',
      { ...committed, envelopeHash: {}, payloadHash: { algorithm: 'sha256' } },
      list(
        'envelopeHash.envelopeHash.algorithm in body is required',
        'payloadHash.payloadHash.value in body is required'
      )
    ],
    [
      'empty signatures',
      { ...committed, signatures: [] },
      list('signatures in body should have at least 1 items')
    ],
    [
      'many signatures',
      { ...committed, signatures: Array.from({ length: 17 }, () => committed.signatures[0]) },
      list('signatures in body should have at most 16 items')
    ],
    [
      'signature missing',
      signature({ signature: undefined }),
      list('signatures.1.signature in body is required')
    ],
    [
      'signature no base64',
      signature({ signature: 'c2ln!' }),
      list(
        "signatures.1.signature in body should match '^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=|[A-Za-z0-9+\\/]{4})$'"
      )
    ],
    [
      'verifier missing',
      signature({ verifier: '' }),
      list('signatures.1.verifier in body is required')
    ],
    [
      'verifier of a signature no base64',
      signature({ verifier: '!' }),
      'failed parsing base64 data for signature verifier: illegal base64 data at input byte 0'
    ]
  ] as const) {
    t.equal(await refusalText(() => parseDsse(spec)), `invalid_request: ${message}`, title)
  }
})
