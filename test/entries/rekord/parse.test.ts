import t from 'tap'
import { parseRekord } from '../../../src/entries/rekord/parse.js'
import { changed, computedVector, goldenAnswers } from '../../helpers/vectors.js'
import { refusalText } from '../../helpers/refusals.js'

const HASH = 'a'.repeat(64)
const base = (text: string) => Buffer.from(text).toString('base64')
const SPEC = {
  signature: { format: 'x509', content: base('sig'), publicKey: { content: base('key') } },
  data: { content: base('data') }
}
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()

t.test('a proposal', async (t) => {
  const entry = parseRekord(SPEC)
  t.equal(entry.format, 'x509')
  t.equal(text(entry.signature), 'sig')
  t.equal(text(entry.publicKey), 'key')
  t.equal(text(entry.data), 'data')
  t.equal(entry.hash, undefined)
})

t.test('hash, content, or both', async (t) => {
  const hash = { algorithm: 'sha256', value: HASH }
  const both = parseRekord({ ...SPEC, data: { content: base('data'), hash } })
  t.same([text(both.data), both.hash], ['data', hash])
  const committed = parseRekord({ ...SPEC, data: { hash } })
  t.same([committed.data, committed.hash], [undefined, hash])
  t.equal(parseRekord({ ...SPEC, data: { content: '\n', hash } }).data, undefined)
  const upper = { algorithm: 'sha256', value: HASH.toUpperCase() }
  t.same(parseRekord({ ...SPEC, data: { hash: upper } }).hash, upper, 'digits of either case')
})

t.test('members nobody knows, URLs among them, are ignored', async (t) => {
  const url = 'https://example.com/'
  const entry = parseRekord({
    extra: 1,
    signature: { ...SPEC.signature, url, publicKey: { ...SPEC.signature.publicKey, url } },
    data: { ...SPEC.data, url, hash: 'no object' }
  })
  t.equal(text(entry.data), 'data')
  t.equal(entry.hash, undefined)
})

t.test('what is refused', async (t) => {
  const list = 'validation failure list:\n'
  const signature = (members: object) => ({ ...SPEC, signature: { ...SPEC.signature, ...members } })
  const data = (members: object) => ({ ...SPEC, data: members })
  const hashOf = (members: object) => data({ content: base('data'), hash: members })
  const base64 = 'illegal base64 data at input byte 0'
  const cases: readonly (readonly [name: string, spec: unknown, message: string])[] = [
    ['text', 'text', 'unsupported input type string for DecodeEntry'],
    ['nothing', {}, `${list}data in body is required\nsignature in body is required`],
    [
      'format',
      signature({ format: 'tuf' }),
      `${list}signature.signature.format in body should be one of [pgp minisign x509 ssh]`
    ],
    [
      'signature base64',
      signature({ content: '!' }),
      `failed parsing base64 data for signature content: ${base64}`
    ],
    [
      'key base64',
      signature({ publicKey: { content: '!' } }),
      `failed parsing base64 data for signature publicKey content: ${base64}`
    ],
    [
      'data base64',
      data({ content: '!' }),
      `failed parsing base64 data for data content: ${base64}`
    ],
    [
      'signature of line ends',
      signature({ content: '\n' }),
      "'content' must be specified for signature"
    ],
    [
      'key of line ends',
      signature({ publicKey: { content: '\r\n' } }),
      "'content' must be specified for publicKey"
    ],
    ['data of line ends', data({ content: '\n' }), "'content' must be specified for data"],
    ['only a URL', data({ url: 'https://example.com/' }), "'content' must be specified for data"],
    [
      'hash without algorithm',
      hashOf({ value: HASH }),
      `${list}data.data.hash.data.hash.algorithm in body is required`
    ],
    [
      'hash algorithm',
      hashOf({ algorithm: 'sha512', value: HASH }),
      `${list}data.data.hash.data.hash.algorithm in body should be one of [sha256]`
    ],
    [
      'hash without value',
      hashOf({ algorithm: 'sha256' }),
      `${list}data.data.hash.data.hash.value in body is required`
    ],
    ['empty hash', hashOf({ algorithm: 'sha256', value: '' }), 'invalid value for hash'],
    ['short hash', hashOf({ algorithm: 'sha256', value: HASH.slice(1) }), 'invalid value for hash'],
    [
      'hash that is not hex',
      hashOf({ algorithm: 'sha256', value: `${HASH.slice(1)}g` }),
      'invalid value for hash'
    ]
  ]
  for (const [name, spec, message] of cases) {
    t.equal(await refusalText(() => parseRekord(spec)), `invalid_request: ${message}`, name)
  }
})

t.test('answers of a real Rekor', async (t) => {
  let held = 0
  for (const { base: name, path, change, body, leafHash } of goldenAnswers()) {
    if (!name.startsWith('rekord') || path[0] !== 'spec' || leafHash !== undefined) continue
    // Without a spec the envelope is refused before any kind sees it.
    if (path.length === 1 && (change === 'absent' || change === 'null')) continue
    const { spec } = changed(computedVector(name).proposedEntry, path, change)
    const message = `error processing entry: ${(await refusalText(() => parseRekord(spec))).replace('invalid_request: ', '')}`
    t.equal(message, body?.message, `${name} ${path.join('.')} ${change}`)
    held++
  }
  t.equal(held, 2 * 54)
})
