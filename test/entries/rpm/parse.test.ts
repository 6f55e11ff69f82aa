import t from 'tap'
import { parseRpmSpec } from '../../../src/entries/rpm/parse.js'
import { CHANGES, changed, pathsOf } from '../../helpers/vectors.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'

const HASH = 'a'.repeat(64)
const base = (text: string) => Buffer.from(text).toString('base64')
const SPEC = { publicKey: { content: base('key') }, package: { content: base('rpm') } }
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()

t.test('a proposal', async (t) => {
  const entry = parseRpmSpec(SPEC)
  t.equal(text(entry.publicKey), 'key')
  t.equal(text(entry.content), 'rpm')
  t.equal(entry.hash, undefined)
})

t.test('hash, content, or both', async (t) => {
  const hash = { algorithm: 'sha256', value: HASH }
  const both = parseRpmSpec({ ...SPEC, package: { content: base('rpm'), hash } })
  t.same([text(both.content), both.hash], ['rpm', hash])
  const committed = parseRpmSpec({ ...SPEC, package: { hash, headers: { Name: 'x' } } })
  t.same([committed.content, committed.hash], [undefined, hash])
  t.equal(parseRpmSpec({ ...SPEC, package: { content: '\n', hash } }).content, undefined)
  const upper = { algorithm: 'sha256', value: HASH.toUpperCase() }
  t.same(parseRpmSpec({ ...SPEC, package: { hash: upper } }).hash, upper, 'digits of either case')
})

t.test('headers, URLs and members nobody knows are ignored', async (t) => {
  const url = 'https://example.com/'
  const entry = parseRpmSpec({
    extra: 1,
    publicKey: { ...SPEC.publicKey, url },
    package: { ...SPEC.package, url, headers: [null], hash: 'no object' }
  })
  t.equal(text(entry.content), 'rpm')
  t.equal(entry.hash, undefined)
})

t.test('what is refused', async (t) => {
  const list = 'validation failure list:\n'
  const key = (members: object) => ({ ...SPEC, publicKey: members })
  const hashOf = (members: object) => ({ ...SPEC, package: { ...SPEC.package, hash: members } })
  const base64 = 'illegal base64 data at input byte 0'
  const noKey = `${list}publicKey.publicKey.content in body is required`
  const cases: readonly (readonly [name: string, spec: unknown, message: string])[] = [
    ['null', null, 'unsupported input type <nil> for DecodeEntry'],
    ['nothing', {}, `${list}package in body is required\npublicKey in body is required`],
    ['no package', { publicKey: SPEC.publicKey }, `${list}package in body is required`],
    ['null for a package', { ...SPEC, package: null }, `${list}package in body is required`],
    ['no key', { package: SPEC.package }, `${list}publicKey in body is required`],
    ['key without content', key({}), noKey],
    ['key of no text', key({ content: '' }), noKey],
    ['key of null', key({ content: null }), noKey],
    ['only a URL', key({ url: 'https://example.com/' }), noKey],
    [
      'key base64',
      key({ content: '!' }),
      `failed parsing base64 data for publicKey content: ${base64}`
    ],
    [
      'package base64',
      { ...SPEC, package: { content: '!' } },
      `failed parsing base64 data for package content: ${base64}`
    ],
    ['key of line ends', key({ content: '\r\n' }), "'content' must be specified for publicKey"],
    [
      'package of line ends',
      { ...SPEC, package: { content: '\n' } },
      "'content' must be specified for package"
    ],
    ['empty package', { ...SPEC, package: {} }, "'content' must be specified for package"],
    [
      'hash without algorithm',
      hashOf({ value: HASH }),
      `${list}package.package.hash.package.hash.algorithm in body is required`
    ],
    [
      'hash algorithm',
      hashOf({ algorithm: 'sha512', value: HASH }),
      `${list}package.package.hash.package.hash.algorithm in body should be one of [sha256]`
    ],
    [
      'hash without value',
      hashOf({ algorithm: 'sha256' }),
      `${list}package.package.hash.package.hash.value in body is required`
    ],
    ['short hash', hashOf({ algorithm: 'sha256', value: HASH.slice(1) }), 'invalid value for hash'],
    [
      'hash that is not hex',
      hashOf({ algorithm: 'sha256', value: `${HASH.slice(1)}g` }),
      'invalid value for hash'
    ]
  ]
  for (const [name, spec, message] of cases) {
    t.equal(await refusalText(() => parseRpmSpec(spec)), `invalid_request: ${message}`, name)
  }
})

t.test('every member, changed in every way, is taken or refused', async (t) => {
  const full = {
    ...SPEC,
    package: { ...SPEC.package, hash: { algorithm: 'sha256', value: HASH }, headers: { Name: 'x' } }
  }
  const accepted: string[] = []
  for (const path of pathsOf(full)) {
    for (const change of CHANGES) {
      const entry = await unlessRefused(() => parseRpmSpec(changed(full, path, change)))
      if (entry !== undefined) accepted.push(`${path.join('.')}: ${change}`)
    }
  }
  // What may be missing: the headers always, and of content and hash either.
  const free = ['package.content', 'package.headers', 'package.headers.Name']
  t.same(
    accepted.toSorted(),
    [
      ...free.flatMap((path) => CHANGES.map((change) => `${path}: ${change}`)),
      ...CHANGES.filter((change) => change !== 'object').map((change) => `package.hash: ${change}`)
    ].toSorted()
  )
})
