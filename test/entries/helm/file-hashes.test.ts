import t from 'tap'
import { MAX_SUMS_LENGTH, readFileHashes } from '../../../src/entries/helm/file-hashes.js'
import { mutate } from '../../helpers/mutations.js'
import { type Random, seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'

const ONE = 'files:\n  test-0.1.0.tgz: sha256:6dec\n'

t.test('what is read', async (t) => {
  const cases: readonly (readonly [text: string, hashes: readonly string[] | undefined])[] = [
    [ONE, ['sha256:6dec']],
    [`${ONE}images:\n  a: sha256:00\n`, ['sha256:6dec']],
    [`images: null\n${ONE}more: [1, {a: 2}]\n`, ['sha256:6dec']],
    [ONE.replaceAll('\n', '\r\n'), ['sha256:6dec']],
    ['files:\n  10: a\n  2: b\n  __proto__: c\n', ['a', 'b', 'c']],
    ['{"files": {"a": "b", "c": \'d\'}}', ['b', 'd']],
    ['files: {a: "1", b: !!str 2}', ['1', '2']],
    ['files:\n  a: >-\n    b\n    c', ['b c']],
    ['files: {a: b}\n---\nfiles: {a: c}\n', ['b']],
    ['files: {}', []],
    ['files:', undefined],
    ['files: ~', undefined],
    ['Files: {a: b}', undefined],
    ['null', undefined],
    ['# nothing', undefined],
    ['', undefined]
  ]
  for (const [text, hashes] of cases) t.same(readFileHashes(text), hashes, text)
})

t.test('what is refused', async (t) => {
  const notMap = 'not a map'
  const notString = 'a name or a hash is not a string'
  const deep = 'nested too deep'
  const cases: Readonly<Record<string, readonly [text: string, problem: string | RegExp]>> = {
    'a text': ['files', notMap],
    'a list': ['- files: {a: b}', notMap],
    'a number': ['1', notMap],
    'a list of files': ['files: [a]', notMap],
    'a text for files': ['files: a', notMap],
    'a list of images': ['files: {a: b}\nimages: [a]', notMap],
    'null for a hash': ['files: {a: null}', notString],
    'nothing for a hash': ['files: {? a}', notString],
    'a number for a hash': ['files: {a: 12}', notString],
    'a truth value for a hash': ['files: {a: true}', notString],
    'a map for a hash': ['files: {a: {b: c}}', notString],
    'bytes for a hash': ['%YAML 1.1\n---\nfiles: {a: !!binary aGk=}', notString],
    'a hash of an image that is none': ['files: {a: b}\nimages: {a: 1}', notString],
    'a list for a name': ['files: {? [a] : b}', notString],
    'an alias': ['a: &x b\nfiles: {a: *x}', notString],
    'an alias for files': ['images: &x {a: b}\nfiles: *x', notMap],
    'files merged into it': ['files: {<<: {a: b}}', notString],
    'a name twice': ['files: {a: b, a: c}', /^Map keys must be unique/],
    'files twice': [`${ONE}${ONE}`, /^Map keys must be unique/],
    'an unknown tag': ['files: !x {a: b}', /^Unresolved tag: !x/],
    'a set': ['files: !!set {a, b}', notString],
    'no YAML': ['files: {a: b', /./],
    'a tab for indentation': ['files:\n\ta: b', /./],
    'too long': [ONE.padEnd(MAX_SUMS_LENGTH + 1, '#'), 'longer than 32768 characters'],
    'many lists': ['['.repeat(33), deep],
    'many maps': ['{a: '.repeat(33), deep],
    'many lists in a line': ['- '.repeat(9), deep],
    'many keys in a line': ['? '.repeat(8) + '?', deep],
    'many values in a line': ['a: '.repeat(8) + 'a:', deep],
    'far to the right': [`a:\n${' '.repeat(33)}b:`, deep],
    'far to the right, with tabs': [`a:\n${'\t'.repeat(33)}b`, deep]
  }
  for (const [name, [text, problem]] of Object.entries(cases)) {
    const refusal = await refusalText(() => readFileHashes(text))
    const prefix = 'invalid_request: error occurred parsing SumCollection: '
    t.ok(refusal.startsWith(prefix), name)
    t.match(refusal.slice(prefix.length), problem, name)
  }
  t.same(readFileHashes(ONE.padEnd(MAX_SUMS_LENGTH, '#')), ['sha256:6dec'])
})

t.test('what nests as deep as it may is still read or refused', async (t) => {
  const indents = Array.from({ length: 33 }, (_, indent) => ' '.repeat(indent))
  const texts = [
    `${indents.map((indent) => `${indent}a:\n${indent}-`).join('\n')}${' -'.repeat(7)} ${'['.repeat(32)}`,
    indents.map((indent) => `${indent}- - - - - - - -`).join('\n'),
    `${'{a: '.repeat(7)}\n`.repeat(4)
  ]
  for (const text of texts) {
    t.notMatch(await refusalText(() => readFileHashes(text)), /too deep|call stack/)
  }
})

t.test('mutated sums and structure without sense', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const fixture = Buffer.from(`${ONE}images:\n  a: 'sha256:00'\n  "b": {}\n`)
  const failures: unknown[] = []
  let accepted = 0
  for (let i = 0; i < 3000; i++) {
    const text = i % 3 === 0 ? soup(random) : Buffer.from(mutate(fixture, random)).toString('utf8')
    const hashes = await unlessRefused(() => readFileHashes(text))
    if (hashes === undefined) continue
    accepted++
    if (!hashes.every((hash) => typeof hash === 'string')) failures.push(text)
  }
  t.same(failures, [])
  t.ok(accepted > 0)
})

const TOKENS = [
  '- ',
  '? ',
  ': ',
  'a',
  '[',
  ']',
  '{',
  '}',
  ',',
  '\n',
  '\n  ',
  '\n    ',
  '&x ',
  '*x',
  '!!str ',
  '"',
  "'",
  '|\n',
  '#',
  '%',
  '---\n',
  '...\n',
  '\t',
  'files: '
]

function soup(random: Random): string {
  return Array.from({ length: random.below(60) }, () => random.pick(TOKENS)).join('')
}
