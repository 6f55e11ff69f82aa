import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { IN_TOTO_PAYLOAD_TYPE, statementSearchKeys } from '../../src/entries/in-toto.js'

const keys = (value: unknown, materialsOf: 'predicate' | 'provenance' | 'nothing' = 'predicate') =>
  statementSearchKeys(encodeUtf8(JSON.stringify(value)), materialsOf)

const subject = [
  { name: 'a', digest: { sha256: 'AA', sha512: 'bb' } },
  { name: 'b', digest: { gitCommit: 'cc' } }
]
const materials = [{ uri: 'git+https://example.com', digest: { sha1: 'dd' } }, { uri: 'x' }]

t.test('subjects, then materials', (t) => {
  t.equal(IN_TOTO_PAYLOAD_TYPE, 'application/vnd.in-toto+json')
  const subjectKeys = ['sha256:AA', 'sha512:bb', 'gitCommit:cc']
  t.same(keys({ subject }), subjectKeys)
  for (const materialsOf of ['predicate', 'provenance'] as const) {
    t.same(keys({ subject, predicate: { materials } }, materialsOf), [...subjectKeys, 'sha1:dd'])
  }
  t.same(keys({ subject, predicate: { materials } }, 'nothing'), subjectKeys)
  t.equal(keys({ Subject: subject, PREDICATE: { Materials: materials } })?.length, 4)
  t.same(keys({}), [])
  t.same(keys(null), [])
  t.same(keys({ subject: null, predicate: null }), [])
  t.same(keys({ subject: [null, {}, { digest: null }, { digest: { sha256: null } }] }), ['sha256:'])
  t.same(keys({ predicate: { resolvedDependencies: materials } }), [])
  t.end()
})

t.test('what is no statement', (t) => {
  for (const value of [
    [],
    'x',
    1,
    { subject: {} },
    { subject: ['x'] },
    { subject: [{ digest: [] }] },
    { subject: [{ digest: { sha256: 1 } }] }
  ]) {
    t.equal(keys(value), undefined, JSON.stringify(value))
  }
  t.equal(statementSearchKeys(encodeUtf8('{'), 'predicate'), undefined)
  t.equal(statementSearchKeys(Uint8Array.of(0xff), 'predicate'), undefined)
  t.end()
})

t.test('whose materials count', (t) => {
  const forBoth = (predicate: unknown) => [
    keys({ subject, predicate })?.length,
    keys({ subject, predicate }, 'provenance')?.length
  ]
  t.same(forBoth({ materials }), [4, 4])
  t.same(forBoth({ materials, builder: 'x' }), [4, 3], 'no provenance')
  t.same(forBoth({ materials, metadata: { buildStartedOn: 'yesterday' } }), [4, 3])
  t.same(
    forBoth({
      materials,
      metadata: { buildStartedOn: '2024-01-01T00:00:00Z', reproducible: true }
    }),
    [4, 4]
  )
  t.same(forBoth({ materials: {} }), [3, 3])
  t.same(forBoth({ materials: [{ digest: { sha1: 1 } }] }), [3, 3])
  t.same(forBoth('x'), [3, 3])
  t.same(keys({ subject, predicateType: 1, predicate: { materials } }, 'provenance')?.length, 3)
  t.end()
})
