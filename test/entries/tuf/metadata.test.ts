import t from 'tap'
import { canonicalJson, type JsonValue } from '../../../src/encoding/canonical-json.js'
import { olpcJson } from '../../../src/encoding/olpc-json.js'
import {
  MAX_CANONICAL_BYTES,
  MAX_SIGNATURES,
  MAX_TEXT_BYTES,
  parseMetadata,
  readContent,
  readMetadata
} from '../../../src/entries/tuf/metadata.js'
import { mutate } from '../../helpers/mutations.js'
import { utf8 } from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { sha256Hex } from '../../helpers/tuf-entries.js'
import { rekorVector, rekorVectorText } from '../../helpers/vectors.js'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const SIGNED = {
  _type: 'timestamp',
  version: 3,
  spec_version: '1.0',
  expires: '1970-01-01T00:00:01Z'
}

t.test('a timestamp of Rekor', async (t) => {
  const metadata = parseMetadata(rekorVector('tuf/test_timestamp.json'))
  t.equal(
    sha256Hex(metadata.canonical),
    'c170ae288c93f56031639bac1ad085fc47918346f733b3d76b07a8124ebd24f9'
  )
  t.same([metadata.type, metadata.version, metadata.specVersion], ['timestamp', 1, '1.0'])
  t.equal(metadata.expiresMs, Date.parse('2021-12-18T19:28:12.990Z'))
  t.equal(metadata.signatures.length, 5)
})

t.test('one canonical form', async (t) => {
  const [root, reformatted] = ['1.root.json', 'reformat.1.root.json'].map((file) =>
    parseMetadata(rekorVector(`pki/tuf/${file}`))
  )
  t.same(root?.canonical, reformatted?.canonical)
  t.same(root?.signedBytes, reformatted?.signedBytes)
  const metadata = readMetadata({
    more: 1,
    SIGNED: { ...SIGNED, x: { b: '"\u2028\n', a: [1] } },
    Signatures: [
      { sig: 'ABcd', keyid: 'k', more: 1 },
      { sig: '', keyid: 'k' }
    ]
  })
  const signed = { ...SIGNED, x: { a: [1], b: '"\u2028\n' } }
  t.equal(
    text(metadata.canonical),
    canonicalJson({
      signatures: [
        { keyid: 'k', sig: 'abcd' },
        { keyid: 'k', sig: '' }
      ],
      signed
    })
  )
  t.equal(text(metadata.signedBytes), olpcJson(signed))
  t.match(text(metadata.signedBytes), '"\\"\u2028\n"')
  t.same(parseMetadata(metadata.canonical).canonical, metadata.canonical)
})

t.test('contents', async (t) => {
  const file = rekorVector('tuf/test_timestamp.json')
  const { canonical } = parseMetadata(file)
  t.same(readContent(JSON.parse(text(file)), 'metadata').canonical, canonical)
  t.same(readContent(Buffer.from(file).toString('base64'), 'metadata').canonical, canonical)
  t.equal(
    await refusalText(() => readContent('!', 'root')),
    'invalid_request: base64 decoding TUF root content: illegal base64 data at input byte 0'
  )
})

t.test('what may be missing', async (t) => {
  const metadata = readMetadata({ signed: {} })
  t.same(metadata.signatures, [])
  t.same([metadata.type, metadata.version, metadata.specVersion], ['', 0, ''])
  t.equal(metadata.expiresMs, Date.parse('0001-01-01T00:00:00Z'))
  t.equal(
    text(readMetadata({ signed: {}, signatures: null }).canonical),
    '{"signatures":[],"signed":{}}'
  )
})

t.test('what is refused', async (t) => {
  const object = 'invalid_request: tuf: metadata must be an object'
  for (const value of [null, 0, true, 'x', [], [null]]) {
    t.equal(await refusalText(() => readMetadata(value)), object)
  }
  const signed = (signed: object) => JSON.stringify({ signed, signatures: [] })
  const signatures = (signatures: unknown) => JSON.stringify({ signed: SIGNED, signatures })
  const integer = 'invalid_request: tuf: version must be an integer below 2^53'
  const notSigned = 'invalid_request: tuf: signed must be an object'
  const cases: Readonly<Record<string, readonly [text: string, message: string | RegExp]>> = {
    nothing: ['', /^invalid_request: not valid JSON: /],
    'no JSON': ['{', /^invalid_request: not valid JSON: /],
    'more than one value': ['{}{}', /^invalid_request: not valid JSON: /],
    'a document of another kind': [rekorVectorText('pki/tuf/bogus.json'), notSigned],
    'nothing signed': ['{}', notSigned],
    'null signed': ['{"signed":null}', notSigned],
    'a list signed': ['{"signed":[]}', notSigned],
    'signatures that are no list': [
      signatures({}),
      'invalid_request: tuf: signatures must be a list'
    ],
    'a null for a signature': [
      signatures([null]),
      'invalid_request: tuf: a signature must be an object'
    ],
    'a text for a signature': [
      signatures(['']),
      'invalid_request: tuf: a signature must be an object'
    ],
    'another key id of a signature': [
      signatures([{ keyid: 'a', keyID: 'b' }]),
      'invalid_request: tuf: more than one member is keyid'
    ],
    'something else signed as well': [
      JSON.stringify({ signed: SIGNED, Signed: SIGNED }),
      'invalid_request: tuf: more than one member is signed'
    ],
    'a number for a key id': [
      signatures([{ keyid: 1 }]),
      'invalid_request: tuf: keyid must be a string'
    ],
    'digits of another kind': [
      signatures([{ keyid: 'a', sig: '0g' }]),
      'invalid_request: not valid hex'
    ],
    'an odd number of digits': [
      signatures([{ keyid: 'a', sig: '012' }]),
      'invalid_request: not valid hex: odd length'
    ],
    'too many signatures': [
      signatures(Array(MAX_SIGNATURES + 1).fill({})),
      'invalid_request: tuf: signatures must be a list of at most 128'
    ],
    'a type that is no text': [
      signed({ _type: 1 }),
      'invalid_request: tuf: _type must be a string'
    ],
    'a version of the specification that is no text': [
      signed({ spec_version: 1 }),
      'invalid_request: tuf: spec_version must be a string'
    ],
    'a version that is no number': [signed({ version: '1' }), integer],
    'a version with a fraction': [
      signed({ version: 1.5 }),
      /^invalid_request: canonical JSON holds/
    ],
    'a huge version': [signed({ version: 2 ** 53 }), /^invalid_request: canonical JSON holds/],
    'a version that no number holds': [
      '{"signed":{"version":1e999}}',
      'invalid_request: JSON number out of range'
    ],
    'a fraction anywhere': [signed({ x: [{ y: 0.5 }] }), /^invalid_request: canonical JSON holds/],
    'a time that is none': [
      signed({ expires: 'soon' }),
      'invalid_request: tuf: expires must be a time as RFC 3339 has it'
    ],
    'a member twice': [
      '{"signed":{"_type":"root","\\u005ftype":"timestamp"}}',
      'invalid_request: tuf: an object has the member "_type" twice'
    ],
    'all of it twice': [
      '{"signed":{},"signed":{}}',
      'invalid_request: tuf: an object has the member "signed" twice'
    ],
    'deep lists': [
      `{"signed":{"x":${'['.repeat(200_000)}`,
      'invalid_request: JSON nested deeper than 100 levels'
    ],
    'deep objects': [
      `{"signed":${'{"x":'.repeat(99)}{}${'}'.repeat(100)}`,
      'invalid_request: JSON nested deeper than 100 levels'
    ]
  }
  for (const [name, [json, message]] of Object.entries(cases)) {
    t.match(await refusalText(() => parseMetadata(utf8(json))), message, name)
  }
  t.equal(
    await refusalText(() => parseMetadata(Uint8Array.of(0x22, 0xff, 0x22))),
    'invalid_request: not valid UTF-8'
  )
})

t.test('what is too large', async (t) => {
  const padded = (length: number) => utf8('{"signed":{}}'.padEnd(length))
  t.doesNotThrow(() => parseMetadata(padded(MAX_TEXT_BYTES)))
  t.equal(
    await refusalText(() => parseMetadata(padded(MAX_TEXT_BYTES + 1))),
    'too_large: TUF metadata of 4194305 bytes are larger than 4194304'
  )
  const room = MAX_CANONICAL_BYTES - '{"signatures":[],"signed":{"x":""}}'.length
  t.equal(readMetadata({ signed: { x: 'x'.repeat(room) } }).canonical.length, MAX_CANONICAL_BYTES)
  t.equal(
    await refusalText(() => readMetadata({ signed: { x: 'x'.repeat(room + 1) } })),
    'too_large: TUF metadata of 786433 bytes are larger than 786432'
  )
})

t.test('many members are refused before any of them is looked at', async (t) => {
  // Their names together are as long as the limit.
  const many = (limit: number) => {
    const names = Array.from({ length: limit >> 4 }, (_, i) => [String(i).padStart(12, 'x'), 0])
    return Object.fromEntries(names) as { readonly [name: string]: JsonValue }
  }
  const refused = (limit: number) => `too_large: TUF metadata are larger than ${limit} bytes`
  const signed = many(MAX_CANONICAL_BYTES)
  t.equal(await refusalText(() => readMetadata({ signed })), refused(MAX_CANONICAL_BYTES))
  const unknown = { ...many(MAX_TEXT_BYTES), signed: 'not an object' }
  t.equal(await refusalText(() => readMetadata(unknown)), refused(MAX_TEXT_BYTES))
})

t.test('what is checked is what is logged', (t) => {
  const text =
    '{"signatures":[{"keyid":"\\ud800"}],"signed":{"x":{"\\ud800":1,"\\ud801":2},"_type":"\\udfff"}}'
  const metadata = parseMetadata(utf8(text))
  t.same(metadata.signed, { x: { '\ufffd': 2 }, _type: '\ufffd' })
  t.equal(metadata.type, '\ufffd')
  t.equal(metadata.signatures[0]?.keyId, '\ufffd')
  t.same(parseMetadata(metadata.canonical), metadata)
  t.end()
})

t.test('mutated metadata', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const fixtures = [
    rekorVector('tuf/test_timestamp.json'),
    utf8(JSON.stringify({ signatures: [{ keyid: 'a', sig: '00' }], signed: SIGNED }))
  ]
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 3000; i++) {
    const bytes =
      i % 5 === 0 ? random.bytes(random.below(100)) : mutate(random.pick(fixtures), random)
    const metadata = await unlessRefused(() => parseMetadata(bytes))
    if (metadata === undefined) continue
    accepted++
    const again = await unlessRefused(() => parseMetadata(metadata.canonical))
    if (
      again === undefined ||
      text(again.canonical) !== text(metadata.canonical) ||
      text(again.signedBytes) !== text(metadata.signedBytes)
    ) {
      failures.push(Buffer.from(bytes).toString('base64'))
    }
  }
  t.same(failures, [], 'what is signed can be told from the canonical form')
  t.ok(accepted > 0)
})
