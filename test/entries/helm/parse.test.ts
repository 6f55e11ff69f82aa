import t from 'tap'
import { parseHelm } from '../../../src/entries/helm/parse.js'
import { refusalText } from '../../helpers/refusals.js'

const base = (text: string) => Buffer.from(text).toString('base64')
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
const HASH = { algorithm: 'sha256', value: 'ab' }
const publicKey = { content: base('key') }
const provenance = { content: base('text') }
const signature = { content: base('signature') }
const SPEC = { publicKey, chart: { provenance } }

t.test('a proposal', async (t) => {
  const entry = parseHelm(SPEC)
  t.same([text(entry.publicKey), text(entry.provenance), entry.hash], ['key', 'text', undefined])
})

t.test('a committed form', async (t) => {
  const entry = parseHelm({ publicKey, chart: { hash: HASH, provenance: { signature } } })
  t.same([text(entry.publicKey), entry.provenance, entry.hash], ['key', undefined, HASH])
})

t.test('what else is taken', async (t) => {
  const both = parseHelm({
    publicKey,
    chart: { hash: HASH, provenance: { ...provenance, signature } }
  })
  t.same([text(both.provenance), both.hash], ['text', HASH])
  const odd = parseHelm({
    ...SPEC,
    extra: 1,
    chart: { provenance: { ...provenance, signature: 1 }, hash: [] }
  })
  t.same([text(odd.provenance), odd.hash], ['text', undefined], 'members of another type')
  const ends = parseHelm({ publicKey, chart: { provenance: { content: '\n', signature } } })
  t.equal(ends.provenance?.length, 0, 'refused when it is submitted')
})

t.test('what is refused, with the words of Rekor', async (t) => {
  const list = 'validation failure list:\n'
  const base64 = 'illegal base64 data at input byte 0'
  const chart = (chart: object) => ({ publicKey, chart })
  const cases: Readonly<Record<string, readonly [spec: unknown, message: string]>> = {
    null: [null, 'unsupported input type <nil> for DecodeEntry'],
    'a list': [[], 'unsupported input type []interface {} for DecodeEntry'],
    'a text': ['', 'unsupported input type string for DecodeEntry'],
    'a number': [0, 'unsupported input type json.Number for DecodeEntry'],
    nothing: [{}, `${list}chart in body is required\npublicKey in body is required`],
    nulls: [
      { chart: null, publicKey: null },
      `${list}chart in body is required\npublicKey in body is required`
    ],
    'empty members': [
      { chart: {}, publicKey: {} },
      `${list}chart.chart.provenance in body is required\npublicKey.publicKey.content in body is required`
    ],
    'an empty key': [
      { ...SPEC, publicKey: { content: '' } },
      `${list}publicKey.publicKey.content in body is required`
    ],
    'a key of line ends': [
      { ...SPEC, publicKey: { content: '\n' } },
      "'content' must be specified for publicKey"
    ],
    'a key that is not base64': [
      { ...SPEC, publicKey: { content: '!' } },
      `failed parsing base64 data for publicKey content: ${base64}`
    ],
    'an empty provenance': [
      chart({ provenance: {} }),
      "'content' must be specified for provenance"
    ],
    'a provenance of line ends': [
      chart({ provenance: { content: '\r\n' } }),
      "'content' must be specified for provenance"
    ],
    'a provenance that is not base64': [
      chart({ provenance: { content: '!' } }),
      `failed parsing base64 data for provenance content: ${base64}`
    ],
    'a signature that is not base64': [
      chart({ provenance: { signature: { content: '!' } } }),
      `failed parsing base64 data for provenance signature content: ${base64}`
    ],
    'a signature without content': [
      chart({ provenance: { ...provenance, signature: {} } }),
      `${list}chart.chart.provenance.chart.provenance.signature.chart.provenance.signature.content in body is required`
    ],
    'a hash without algorithm': [
      chart({ provenance, hash: { value: 'ab' } }),
      `${list}chart.chart.hash.chart.hash.algorithm in body is required`
    ],
    'another hash': [
      chart({ provenance, hash: { ...HASH, algorithm: 'md5' } }),
      `${list}chart.chart.hash.chart.hash.algorithm in body should be one of [sha256]`
    ],
    'a hash without value': [
      chart({ provenance, hash: { algorithm: 'sha256' } }),
      `${list}chart.chart.hash.chart.hash.value in body is required`
    ]
  }
  for (const [name, [spec, message]] of Object.entries(cases)) {
    t.equal(await refusalText(() => parseHelm(spec)), `invalid_request: ${message}`, name)
  }
})
