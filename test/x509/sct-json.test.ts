import t from 'tap'
import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { parseJson } from '../../src/encoding/json.js'
import { parseSctJson, renderSctJson } from '../../src/x509/sct-json.js'
import { parseSct } from '../../src/x509/sct.js'
import {
  certificateVectors,
  fromBase64,
  precertificateVectors,
  realCertificateVectors,
  type SctAnswer
} from '../helpers/ct-vectors.js'
import { fulcioVector } from '../helpers/fulcio-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const detached = fulcioVector<{ addChainResponse: SctAnswer; v1HeaderSCT: string }>(
  'detached-sct.json'
)

t.test('answers of logs, both ways', (t) => {
  for (const vector of precertificateVectors) {
    const sct = parseSct(fromBase64(vector.sct_b64))
    t.strictSame(renderSctJson(sct), vector.add_pre_chain_response, vector.id)
    t.strictSame(parseSctJson({ ...vector.add_pre_chain_response }), sct)
  }
  const answers = [
    ...certificateVectors.map(({ add_chain_response }) => add_chain_response),
    detached.addChainResponse
  ]
  for (const answer of answers) {
    t.strictSame(renderSctJson(parseSctJson({ ...answer })), answer, answer.signature)
  }
  const header = parseJson(fromBase64(detached.v1HeaderSCT))
  t.strictSame(renderSctJson(parseSctJson(header)), header, 'as it goes beside a certificate')
  t.end()
})

t.test('with extensions', (t) => {
  const [, withExtensions] = realCertificateVectors
  const sct = parseSct(fromBase64(withExtensions?.scts[0].serialized ?? ''))
  const json = renderSctJson(sct)
  t.equal(json.extensions, 'AAAFAAAAAHA=')
  t.strictSame(parseSctJson({ ...json }), sct)
  t.end()
})

t.test('members it does not know are passed over', (t) => {
  const json = { ...detached.addChainResponse, leaf_index: 7 }
  t.strictSame(parseSctJson(json), parseSctJson({ ...detached.addChainResponse }))
  t.end()
})

const { extensions: _, ...WITHOUT_EXTENSIONS } = detached.addChainResponse
const changed = (change: { readonly [member: string]: JsonValue }) => ({
  ...detached.addChainResponse,
  ...change
})

const REFUSED: readonly (readonly [string, JsonValue, string])[] = [
  ['null', null, 'invalid_request: sct: not an object'],
  ['an array', [], 'invalid_request: sct: not an object'],
  ['a text', 'sct', 'invalid_request: sct: not an object'],
  ['an empty object', {}, 'invalid_request: sct: sct_version is not a number'],
  [
    'version as text',
    changed({ sct_version: '0' }),
    'invalid_request: sct: sct_version is not a number'
  ],
  ['version 2', changed({ sct_version: 1 }), 'unsupported: sct: version 1'],
  [
    'time as text',
    changed({ timestamp: '1337' }),
    'invalid_request: sct: timestamp is not a number of milliseconds'
  ],
  [
    'fraction of a millisecond',
    changed({ timestamp: 1337.5 }),
    'invalid_request: sct: timestamp is not a number of milliseconds'
  ],
  [
    'time before the epoch',
    changed({ timestamp: -1 }),
    'invalid_request: sct: timestamp is not a number of milliseconds'
  ],
  [
    'time beyond safe integers',
    changed({ timestamp: 2 ** 53 }),
    'invalid_request: sct: timestamp is not a number of milliseconds'
  ],
  ['id of null', changed({ id: null }), 'invalid_request: sct: id is not a string'],
  ['short id', changed({ id: 'AAAA' }), 'invalid_request: sct: id is not 32 bytes'],
  [
    'id not base64',
    changed({ id: '!' }),
    'invalid_request: sct: id: illegal base64 data at input byte 0'
  ],
  ['id in hex', changed({ id: '28'.repeat(32) }), 'invalid_request: sct: id is not 32 bytes'],
  ['no extensions', WITHOUT_EXTENSIONS, 'invalid_request: sct: extensions is not a string'],
  [
    'extensions in another spelling',
    changed({ extensions: 'AB==' }),
    'invalid_request: sct: extensions: not canonical base64'
  ],
  [
    'signature an object',
    changed({ signature: {} }),
    'invalid_request: sct: signature is not a string'
  ],
  ['no signature', changed({ signature: '' }), 'invalid_request: digitally signed: cut short'],
  [
    'signature over SHA-512',
    changed({ signature: 'BgMAAA==' }),
    'unsupported: digitally signed: hash algorithm 6, not SHA-256'
  ]
]

t.test('refused', async (t) => {
  for (const [title, json, message] of REFUSED) {
    t.equal(await refusalText(() => parseSctJson(json)), message, title)
  }
})
