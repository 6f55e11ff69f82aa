import t from 'tap'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { bytesToText, parseIntotoV002 } from '../../../src/entries/intoto-v002/parse.js'
import { refusalText } from '../../helpers/refusals.js'

const hash = { algorithm: 'sha256', value: 'ab' }
const signature = { sig: 'c2ln', publicKey: 'a2V5' }
const envelope = { payloadType: 't', payload: 'cGF5', signatures: [signature] }

t.test('proposal and committed form', (t) => {
  const expected = {
    payloadType: 't',
    payloadText: 'pay',
    signatures: [{ keyid: '', sig: encodeUtf8('sig'), publicKey: encodeUtf8('key') }],
    hash,
    payloadHash: undefined
  }
  t.same(parseIntotoV002({ content: { envelope, hash } }), expected)
  t.same(
    parseIntotoV002({
      content: { envelope: { ...envelope, signatures: [null, signature, 1] }, hash }
    }),
    expected
  )
  t.equal(
    parseIntotoV002({ content: { envelope: { ...envelope, payload: '\n' } } }).payloadText,
    undefined,
    'base64 of nothing'
  )
  t.same(
    parseIntotoV002({
      content: {
        envelope: {
          ...envelope,
          payload: '',
          signatures: [{ keyid: 'k', sig: '', publicKey: '' }]
        },
        payloadHash: hash
      }
    }),
    {
      payloadType: 't',
      payloadText: undefined,
      signatures: [{ keyid: 'k', sig: new Uint8Array(0), publicKey: new Uint8Array(0) }],
      hash: undefined,
      payloadHash: hash
    },
    'an empty text is no absent one here'
  )
  t.end()
})

t.test('refused', async (t) => {
  const name = 'content.content.envelope.content.envelope'
  const list = (line: string) => `validation failure list:\n${line}`
  const withSignatures = (...signatures: unknown[]) => ({
    content: { envelope: { ...envelope, signatures }, hash }
  })
  for (const [title, spec, message] of [
    ['nothing', {}, list(`${name}.payloadType in body is required`)],
    ['no envelope', { content: {} }, list(`${name}.payloadType in body is required`)],
    [
      'no signatures',
      { content: { envelope: { payloadType: 't' } } },
      list(`${name}.signatures in body is required`)
    ],
    [
      'empty signatures',
      withSignatures(),
      list(`${name}.signatures in body should have at least 1 items`)
    ],
    [
      'only null',
      withSignatures(null),
      list(`${name}.signatures in body should have at least 1 items`)
    ],
    [
      'many signatures',
      withSignatures(...Array.from({ length: 17 }, () => signature)),
      list(`${name}.signatures in body should have at most 16 items`)
    ],
    [
      'no key',
      withSignatures(signature, { sig: 'c2ln' }),
      list(`${name}.signatures.1.publicKey in body is required`)
    ],
    [
      'no sig',
      withSignatures({ publicKey: 'a2V5' }),
      list(`${name}.signatures.0.sig in body is required`)
    ],
    [
      'hash incomplete',
      { content: { envelope, hash: {} } },
      list('content.content.hash.content.hash.algorithm in body is required')
    ],
    [
      'payload hash incomplete',
      { content: { envelope, payloadHash: { algorithm: 'sha256' } } },
      list('content.content.payloadHash.content.payloadHash.value in body is required')
    ],
    [
      'payload no base64',
      { content: { envelope: { ...envelope, payload: '!' } } },
      'failed parsing base64 data for payload: illegal base64 data at input byte 0'
    ],
    [
      'sig no base64',
      withSignatures({ ...signature, sig: '!' }),
      'failed parsing base64 data for signature: illegal base64 data at input byte 0'
    ],
    [
      'key no base64',
      withSignatures({ ...signature, publicKey: '!' }),
      'failed parsing base64 data for public key: illegal base64 data at input byte 0'
    ]
  ] as const) {
    t.equal(await refusalText(() => parseIntotoV002(spec)), `invalid_request: ${message}`, title)
  }
})

t.test('text of bytes', (t) => {
  t.equal(bytesToText(encodeUtf8('xyz').subarray(1)), 'yz')
  t.equal(bytesToText(Uint8Array.of(0xff)), 'ÿ')
  t.end()
})
