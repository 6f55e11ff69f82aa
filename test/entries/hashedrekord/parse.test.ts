import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { encodeHex } from '../../../src/encoding/hex.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { parseHashedrekord } from '../../../src/entries/hashedrekord/parse.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

const pem = rekorVector('hashedrekord/ec_public.pem')

interface Spec {
  readonly signature: { readonly content?: unknown; readonly publicKey?: unknown }
  readonly data: { readonly hash: { readonly algorithm: unknown; readonly value: unknown } }
}

const spec = (algorithm: unknown, value: unknown, key: Uint8Array = pem): Spec => ({
  signature: { content: 'AAAA', publicKey: { content: encodeBase64(key) } },
  data: { hash: { algorithm, value } }
})

t.test('every hash, the case of its digits kept', (t) => {
  for (const [algorithm, bytes] of [
    ['sha256', 32],
    ['sha384', 48],
    ['sha512', 64]
  ] as const) {
    const value = 'aB'.repeat(bytes)
    const parsed = parseHashedrekord(spec(algorithm, value))
    t.equal(parsed.hashName, algorithm)
    t.same(parsed.hash, { algorithm, value })
    t.equal(encodeHex(parsed.digest), value.toLowerCase())
    t.same(parsed.signature, new Uint8Array(3))
    t.equal(parsed.key.publicKey.type, 'ecdsa')
  }
  t.end()
})

t.test('a missing signature is for the verifier to report', (t) => {
  const { data, signature } = spec('sha256', '0'.repeat(64))
  const { publicKey } = signature
  t.same(parseHashedrekord({ data, signature: { publicKey } }).signature, new Uint8Array(0))
  t.end()
})

t.test('refused', async (t) => {
  const zeros = '0'.repeat(64)
  const good = spec('sha256', zeros)
  const list = (...lines: string[]) => `validation failure list:\n${lines.join('\n')}`
  for (const [title, input, message] of [
    ['nothing', {}, list('data in body is required', 'signature in body is required')],
    [
      'other names',
      { Signature: good.signature, Data: good.data },
      list('data in body is required', 'signature in body is required')
    ],
    [
      'data without hash, no signature',
      { data: {} },
      list('data in body is required', 'signature in body is required')
    ],
    [
      'hash empty, no signature',
      { data: { hash: {} } },
      list(
        'data.data.hash.data.hash.algorithm in body is required',
        'signature in body is required'
      )
    ],
    [
      'sha1',
      spec('sha1', zeros),
      list('data.data.hash.data.hash.algorithm in body should be one of [sha256 sha384 sha512]')
    ],
    [
      'algorithm of another case',
      spec('SHA256', zeros),
      list('data.data.hash.data.hash.algorithm in body should be one of [sha256 sha384 sha512]')
    ],
    ['value too short', spec('sha256', zeros.slice(1)), 'invalid value for hash'],
    ['value too long', spec('sha256', `${zeros}0`), 'invalid value for hash'],
    ['sha256 value for sha512', spec('sha512', zeros), 'invalid value for hash'],
    [
      'value of 64 characters and more bytes',
      spec('sha256', `${zeros.slice(1)}é`),
      'invalid value for hash'
    ],
    ['no hex', spec('sha256', `${zeros.slice(1)}g`), "encoding/hex: invalid byte: U+0067 'g'"],
    [
      'control character',
      spec('sha256', `\n${zeros.slice(1)}`),
      'encoding/hex: invalid byte: U+000A'
    ],
    [
      'beyond ASCII',
      spec('sha256', `é${zeros.slice(2)}`),
      "encoding/hex: invalid byte: U+00C3 'Ã'"
    ],
    [
      'a character of the upper control set',
      spec('sha256', `\u{80}${zeros.slice(2)}`),
      "encoding/hex: invalid byte: U+00C2 'Â'"
    ],
    [
      'signature no base64',
      { ...good, signature: { content: '!' } },
      'failed parsing base64 data for signature content: illegal base64 data at input byte 0'
    ],
    [
      'key no base64',
      { ...good, signature: { content: 'AAAA', publicKey: { content: 'A' } } },
      'failed parsing base64 data for public key content: illegal base64 data at input byte 0'
    ],
    ['no key', { ...good, signature: { content: 'AAAA' } }, 'missing public key'],
    [
      'empty key',
      { ...good, signature: { publicKey: {} } },
      'invalid public key: failure decoding PEM'
    ],
    [
      'key no PEM',
      spec('sha256', zeros, encodeUtf8('x')),
      'invalid public key: failure decoding PEM'
    ]
  ] as const) {
    t.equal(await refusalText(() => parseHashedrekord(input)), `invalid_request: ${message}`, title)
  }
})

t.test('unknown members are ignored', (t) => {
  const { spec: known } = computedVector('hashedrekord-model').proposedEntry
  const parsed = parseHashedrekord({ ...(known as object), more: 1 })
  t.same(parsed, parseHashedrekord(known))
  t.end()
})
