import t from 'tap'
import { loadRekorV1Contract, type SchemaNode } from '../../src/http/contract.js'
import { compileSchema } from '../../src/http/go-schema.js'
import { RefusedRequest } from '../../src/http/refused-request.js'

const { resolve } = loadRekorV1Contract()
const compile = (name: string) => compileSchema({ $ref: `#/components/schemas/${name}` }, resolve)

function read(name: string, value: unknown): unknown {
  const schema = compile(name)
  const decoded = schema.decode(value, '')
  schema.check(decoded, '', 'body')
  return decoded
}

function refusal(name: string, value: unknown): string {
  try {
    return `accepted: ${JSON.stringify(read(name, value))}`
  } catch (err) {
    return err instanceof RefusedRequest ? `${err.status} ${err.code} ${err.message}` : String(err)
  }
}

const UUID = '0'.repeat(64)
const ENTRY = { kind: 'hashedrekord', apiVersion: '0.0.1', spec: {} }

t.test('names are compared without case, unknown members vanish, null is absent', async (t) => {
  t.strictSame(
    read('ProposedEntry', { KIND: 'rekord', ApiVersion: '0.0.1', spec: { A: 1, a: null }, x: 1 }),
    {
      kind: 'rekord',
      apiVersion: '0.0.1',
      spec: { A: 1, a: null }
    }
  )
  t.strictSame(read('SearchLogQuery', { ENTRYuuids: [UUID], logIndexes: null, entries: null }), {
    entryUUIDs: [UUID]
  })
  t.strictSame(
    read('SearchIndex', { HASH: null, publickey: { FORMAT: 'x509', Content: 'AAAA' } }),
    {
      publicKey: { format: 'x509', content: new Uint8Array(3) }
    }
  )
  t.strictSame(read('SearchIndex', { email: '', hash: '', operator: '', subject: '' }), {})
  t.strictSame(read('SearchIndex', { publicKey: { format: 'x509', content: '' } }), {
    publicKey: { format: 'x509', content: new Uint8Array(0) }
  })
})

t.test('a name that is inherited by every object is not a member', async (t) => {
  t.equal(
    refusal('ProposedEntry', JSON.parse('{"__proto__":{"kind":"rekord"}}')),
    '422 602 kind in body is required'
  )
  t.strictSame(read('SearchIndex', JSON.parse('{"__proto__":1,"constructor":2,"toString":3}')), {})
})

const REFUSALS: readonly (readonly [string, string, unknown, string])[] = [
  ['no kind', 'ProposedEntry', {}, '422 602 kind in body is required'],
  ['null', 'ProposedEntry', null, '422 602 kind in body is required'],
  ['empty kind', 'ProposedEntry', { kind: '' }, '422 602 kind in body is required'],
  [
    'kind of wrong type',
    'ProposedEntry',
    { kind: 1 },
    '422 601 kind in body must be of type string'
  ],
  ['kind we do not have', 'ProposedEntry', { kind: 'foo' }, '422 422 invalid kind value: "foo"'],
  [
    'the name of the base type',
    'ProposedEntry',
    { kind: 'ProposedEntry' },
    '422 422 invalid kind value: "ProposedEntry"'
  ],
  [
    'kind of an inherited name',
    'ProposedEntry',
    { kind: 'constructor' },
    '422 422 invalid kind value: "constructor"'
  ],
  [
    'huge kind',
    'ProposedEntry',
    { kind: 'x'.repeat(1e6) },
    `422 422 invalid kind value: "${'x'.repeat(100)}…"`
  ],
  ['array', 'ProposedEntry', [], '422 601 request in body must be of type object'],
  [
    'version before spec',
    'ProposedEntry',
    { kind: 'rekord' },
    '422 602 apiVersion in body is required'
  ],
  [
    'version of wrong type',
    'ProposedEntry',
    { kind: 'rekord', apiVersion: {} },
    '422 601 apiVersion in body must be of type string'
  ],
  [
    'no spec',
    'ProposedEntry',
    { kind: 'rekord', apiVersion: '0.0.1' },
    '422 602 spec in body is required'
  ],
  [
    'null spec',
    'ProposedEntry',
    { kind: 'rekord', apiVersion: '0.0.1', spec: null },
    '422 602 spec in body is required'
  ],
  [
    'long version',
    'ProposedEntry',
    { kind: 'rekord', apiVersion: `0.0.${'1'.repeat(1e6)}`, spec: {} },
    '422 603 apiVersion in body should be at most 64 chars long'
  ],
  [
    'empty list',
    'SearchLogQuery',
    { logIndexes: [] },
    '422 612 logIndexes in body should have at least 1 items'
  ],
  [
    'long list',
    'SearchLogQuery',
    { logIndexes: Array(11).fill(0) },
    '422 611 logIndexes in body should have at most 10 items'
  ],
  [
    'long list of entries',
    'SearchLogQuery',
    { entries: Array(11).fill(ENTRY) },
    '422 611 entries in body should have at most 10 items'
  ],
  [
    'entries first, then alphabetical',
    'SearchLogQuery',
    { logIndexes: [], entryUUIDs: [] },
    '422 612 entryUUIDs in body should have at least 1 items'
  ],
  [
    'item below minimum',
    'SearchLogQuery',
    { logIndexes: [0, -1] },
    '422 609 logIndexes.1 in body should be greater than or equal to 0'
  ],
  [
    'item above what we count',
    'SearchLogQuery',
    { logIndexes: [2 ** 53] },
    '422 608 logIndexes.0 in body should be less than or equal to 9007199254740991'
  ],
  [
    'fraction',
    'SearchLogQuery',
    { logIndexes: [1.5] },
    '422 601 logIndexes.0 in body must be of type int64'
  ],
  [
    'null item',
    'SearchLogQuery',
    { logIndexes: [null] },
    '422 602 logIndexes.0 in body is required'
  ],
  [
    'null text item',
    'SearchLogQuery',
    { entryUUIDs: [null] },
    "422 605 entryUUIDs.0 in body should match '^([0-9a-fA-F]{64}|[0-9a-fA-F]{80})$'"
  ],
  ['null entry', 'SearchLogQuery', { entries: [null] }, '422 602 kind in body is required'],
  [
    'text for an entry',
    'SearchLogQuery',
    { entries: ['x'] },
    '422 601 entries.0 in body must be of type object'
  ],
  [
    'entry without version',
    'SearchLogQuery',
    { entries: [ENTRY, { kind: 'dsse' }] },
    '422 602 entries.1.apiVersion in body is required'
  ],
  [
    'object for a list',
    'SearchLogQuery',
    { entryUUIDs: {} },
    '422 601 entryUUIDs in body must be of type array'
  ],
  [
    'no format',
    'SearchIndex',
    { publicKey: {} },
    '422 602 publicKey.publicKey.format in body is required'
  ],
  [
    'unknown format',
    'SearchIndex',
    { publicKey: { format: 'gpg' } },
    '422 606 publicKey.publicKey.format in body should be one of [pgp x509 minisign ssh tuf]'
  ],
  [
    'not base64',
    'SearchIndex',
    { publicKey: { format: 'x509', content: '!' } },
    'LogError: content: illegal base64 data at input byte 0'
  ],
  [
    'operator',
    'SearchIndex',
    { operator: 'AND' },
    '422 606 operator in body should be one of [and or]'
  ],
  [
    'e-mail',
    'SearchIndex',
    { email: 'nobody' },
    '422 601 email in body must be of type email: "nobody"'
  ],
  [
    'long subject',
    'SearchIndex',
    { subject: 'x'.repeat(513) },
    '422 603 subject in body should be at most 512 chars long'
  ],
  [
    'hash',
    'SearchIndex',
    { hash: 'md5:00' },
    "422 605 hash in body should match '^(sha512:)?[0-9a-fA-F]{128}$|^(sha256:)?[0-9a-fA-F]{64}$|^(sha1:)?[0-9a-fA-F]{40}$'"
  ]
]

for (const [name, schema, value, expected] of REFUSALS) {
  t.test(name, async (t) => t.equal(refusal(schema, value), expected))
}

t.test('schemas with rules we would not check are refused', async (t) => {
  const schemas: readonly SchemaNode[] = [
    { type: 'string', uniqueItems: true },
    { type: 'number' },
    { type: ['string', 'integer'] },
    { anyOf: [] },
    { type: 'string', format: 'uuid' },
    { type: 'object', properties: { a: { type: 'string', not: {} } } }
  ]
  for (const schema of schemas) {
    t.throws(() => compileSchema(schema, resolve), /not supported/, JSON.stringify(schema))
  }
})
