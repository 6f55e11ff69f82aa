import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { parseIntoto } from '../../../src/entries/intoto-v001/parse.js'
import { envelopeSigner } from '../../helpers/envelopes.js'
import { refusalText } from '../../helpers/refusals.js'

const publicKey = encodeBase64(envelopeSigner().pem)
const hash = { algorithm: 'sha256', value: 'ab' }

t.test('proposal', (t) => {
  for (const content of [
    { envelope: '{"payload":"p"}' },
    { envelope: '{"payload":"p"}', hash, payloadHash: hash },
    { envelope: '{"payload":"p"}', hash: null, payloadHash: [] }
  ]) {
    t.match(parseIntoto({ content, publicKey }), {
      form: 'proposed',
      envelopeText: '{"payload":"p"}',
      envelope: { payload: 'p' },
      key: { publicKey: { type: 'ecdsa' } }
    })
  }
  t.end()
})

t.test('committed form', (t) => {
  for (const envelope of [undefined, '', null, 1]) {
    const parsed = parseIntoto({ content: { envelope, hash, payloadHash: hash }, publicKey })
    t.match(parsed, { form: 'committed', hash, payloadHash: hash })
  }
  t.match(parseIntoto({ content: { hash }, publicKey }), {
    form: 'committed',
    payloadHash: undefined
  })
  t.end()
})

t.test('refused', async (t) => {
  const list = (...lines: string[]) => `validation failure list:\n${lines.join('\n')}`
  for (const [title, spec, message] of [
    ['nothing', {}, list('content in body is required', 'publicKey in body is required')],
    ['no key', { content: { hash } }, list('publicKey in body is required')],
    ['empty key', { content: { hash }, publicKey: '' }, list('publicKey in body is required')],
    [
      'hash and key incomplete',
      { content: { hash: {} } },
      list(
        'content.content.hash.content.hash.algorithm in body is required',
        'publicKey in body is required'
      )
    ],
    [
      'payload hash of another algorithm',
      { content: { hash, payloadHash: { algorithm: 'md5' } }, publicKey },
      list(
        'content.content.payloadHash.content.payloadHash.algorithm in body should be one of [sha256]'
      )
    ],
    ['empty content', { content: {}, publicKey }, 'missing hash value for envelope'],
    [
      'key no base64',
      { content: {}, publicKey: '!' },
      'failed parsing base64 data for public key: illegal base64 data at input byte 0'
    ],
    ['key no PEM', { content: {}, publicKey: 'AAAA' }, 'invalid public key: failure decoding PEM'],
    ['envelope blank', { content: { envelope: ' ' }, publicKey }, 'unexpected end of JSON input']
  ] as const) {
    t.equal(await refusalText(() => parseIntoto(spec)), `invalid_request: ${message}`, title)
  }
})
