import t from 'tap'
import { parseAlpine } from '../../../src/entries/alpine/parse.js'
import { refusalText } from '../../helpers/refusals.js'
import { changed, computedVector, goldenAnswers } from '../../helpers/vectors.js'

const HASH = 'a'.repeat(64)
const base = (text: string) => Buffer.from(text).toString('base64')
const SPEC = { publicKey: { content: base('key') }, package: { content: base('apk') } }
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()

t.test('a proposal', async (t) => {
  const entry = parseAlpine(SPEC)
  t.equal(text(entry.publicKey), 'key')
  t.equal(text(entry.content), 'apk')
  t.equal(entry.hash, undefined)
})

t.test('hash, content, or both', async (t) => {
  const hash = { algorithm: 'sha256', value: HASH }
  const both = parseAlpine({ ...SPEC, package: { content: base('apk'), hash } })
  t.same([text(both.content), both.hash], ['apk', hash])
  const committed = parseAlpine({ ...SPEC, package: { hash, pkginfo: { pkgname: 'a' } } })
  t.same([committed.content, committed.hash], [undefined, hash])
  t.equal(parseAlpine({ ...SPEC, package: { content: '\n', hash } }).content, undefined)
  const upper = { algorithm: 'sha256', value: HASH.toUpperCase() }
  t.same(parseAlpine({ ...SPEC, package: { hash: upper } }).hash, upper, 'digits of either case')
})

t.test('members nobody knows, or of another type, are ignored', async (t) => {
  for (const hash of ['no object', null, {}, { algorithm: 1, value: [] }]) {
    const entry = parseAlpine({
      extra: 1,
      publicKey: { ...SPEC.publicKey, url: 'https://example.com/' },
      package: { ...SPEC.package, url: 'https://example.com/', hash, pkginfo: [] }
    })
    t.equal(text(entry.content), 'apk')
    t.equal(entry.hash, undefined)
  }
})

t.test('what is refused', async (t) => {
  const list = 'validation failure list:\n'
  const pkg = (members: object) => ({ ...SPEC, package: members })
  const hashOf = (members: object) => pkg({ content: base('apk'), hash: members })
  const name = 'package.package.hash.package.hash'
  const base64 = 'illegal base64 data at input byte 0'
  const cases: readonly (readonly [name: string, spec: unknown, message: string])[] = [
    ['text', 'text', 'unsupported input type string for DecodeEntry'],
    ['nothing', {}, `${list}package in body is required\npublicKey in body is required`],
    [
      'key base64',
      { ...SPEC, publicKey: { content: '!' } },
      `failed parsing base64 data for public key content: ${base64}`
    ],
    [
      'package base64',
      pkg({ content: '!' }),
      `failed parsing base64 data for package content: ${base64}`
    ],
    [
      'key of line ends',
      { ...SPEC, publicKey: { content: '\n' } },
      "'content' must be specified for publicKey"
    ],
    ['package of line ends', pkg({ content: '\n' }), "'content' must be specified for package"],
    [
      'hash without algorithm',
      hashOf({ value: HASH }),
      `${list}${name}.algorithm in body is required`
    ],
    [
      'hash of another algorithm',
      hashOf({ algorithm: 'sha512', value: HASH }),
      `${list}${name}.algorithm in body should be one of [sha256]`
    ],
    [
      'hash without value',
      hashOf({ algorithm: 'sha256' }),
      `${list}${name}.value in body is required`
    ],
    ['short hash', hashOf({ algorithm: 'sha256', value: 'ab' }), 'invalid value for hash'],
    [
      'hash with another digit',
      hashOf({ algorithm: 'sha256', value: `g${HASH.slice(1)}` }),
      'invalid value for hash'
    ]
  ]
  for (const [name, spec, message] of cases) {
    t.equal(await refusalText(() => parseAlpine(spec)), `invalid_request: ${message}`, name)
  }
})

t.test('answers of a real Rekor', async (t) => {
  const { proposedEntry } = computedVector('alpine')
  const goldens = goldenAnswers().filter(
    ({ base, path, status }) => base === 'alpine' && path[0] === 'spec' && status === 400
  )
  t.equal(goldens.length, 33)
  for (const { path, change, body } of goldens) {
    const { spec } = changed(proposedEntry, path, change)
    t.equal(
      await refusalText(() => parseAlpine(spec)),
      `invalid_request: ${body?.message.replace('error processing entry: ', '')}`,
      `${path.join('.')}: ${change}`
    )
  }
})
