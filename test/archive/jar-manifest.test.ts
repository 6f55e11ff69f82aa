import t from 'tap'
import { parseManifest } from '../../src/archive/jar-manifest.js'
import { readZipDirectory } from '../../src/archive/zip-directory.js'
import { readWholeZipMember } from '../../src/archive/zip-member.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
const text = (section: Uint8Array) => Buffer.from(section).toString('latin1')
const read = (manifest: string) => {
  const { main, sections } = parseManifest(bytes(manifest))
  return {
    main: Object.fromEntries(main.attributes),
    sections: sections.map(({ name, attributes }) => [name, Object.fromEntries(attributes)])
  }
}

async function fixture(): Promise<Uint8Array> {
  const [manifest] = readZipDirectory(rekorVector('jar/test.jar'))
  if (manifest === undefined) throw new Error('no manifest')
  return readWholeZipMember(manifest, 1000)
}

t.test('a real manifest', async (t) => {
  const manifest = await fixture()
  const { main, sections } = parseManifest(manifest)
  t.equal(main.attributes.get('build-jdk'), '15')
  t.equal(sections.length, 7)
  t.equal(sections[5]?.name, 'sigstore/plugin/Sign$1.class')
  t.equal(
    text(sections[6]?.bytes ?? manifest),
    'Name: sigstore/plugin/HelpMojo.class\r\n' +
      'SHA-256-Digest: PdVr+RXzFx/BoqmZ/bEPalM1AMKW3YbfHDCQz462Fas=\r\n\r\n'
  )
  const whole = [main, ...sections].map((section) => text(section.bytes)).join('')
  t.equal(whole, text(manifest), 'sections are all of it')
})

t.test('attributes', async (t) => {
  t.same(read('A: 1\n\n'), { main: { a: '1' }, sections: [] })
  t.same(
    read('MANIFEST-Version: 1.0\r\n\r\nName:a\nx-Y:  v w \t\r\n\r\n'),
    { main: { 'manifest-version': '1.0' }, sections: [['a', { name: 'a', 'x-y': 'v w' }]] },
    'names in any case, values without blanks around them'
  )
  t.same(
    read('A: one\r\n  two\r\n  three\r\nB: \xc3\n \xa9\r\n\r\n').main,
    { a: 'one two three', b: '\xc3\xa9' },
    'continued lines, also within a character'
  )
  t.same(read('A: 1\nA: 2\n\n').main, { a: '2' }, 'the last one counts')
  t.same(read('A: b: c\n\n').main, { a: 'b: c' })
  t.same(read('A:\n\n').main, { a: '' })
  t.same(read('A: \xa0x\x85\n\n').main, { a: '\xa0x\x85' }, 'halves of characters are not blanks')
})

t.test('where sections end', async (t) => {
  t.same(
    read('A: 1\n\nName: x\nB: 1\r\n\r\nName: y\n\nName: z\n\n').sections.map(([name]) => name),
    ['y', 'z'],
    'LF ends nothing as long as a CRLF follows'
  )
  const wrong = 'invalid_request: manifest has incorrect line ending sequence'
  for (const manifest of [
    'A: 1',
    'A: 1\n',
    'A: 1\r\n',
    'A: 1\r\r',
    'A: 1\n\nName: x\n',
    'A: 1\r\n\r\nName: x\r\n',
    'A: 1\r\n\r\n\r\n',
    'A: 1\n\n\n\n',
    'A: 1\n\n\n',
    'A: 1\r\n\r\n \t\v\f\r\n\r\n',
    '\n\n',
    '\r\n\r\nA: 1\r\n\r\n'
  ]) {
    t.equal(await refusalText(() => read(manifest)), wrong, JSON.stringify(manifest))
  }
})

t.test('what is refused', async (t) => {
  for (const [manifest, message] of [
    ['', 'manifest has no sections'],
    ['no colon\n\n', 'jar manifest is malformed'],
    ['A: 1\n\nB: 1\n\n', 'manifest has section with no "Name" attribute'],
    ['A: 1\n\nName:\n\n', 'manifest has section with no "Name" attribute'],
    ['A: 1\n\nName: x\n\nName: x\n\n', 'manifest has two sections "x"'],
    ['A: 1\n\nName: x\n\nno colon\n\n', 'jar manifest is malformed']
  ] as const) {
    t.equal(await refusalText(() => read(manifest)), `invalid_request: ${message}`)
  }
  const sections = (count: number) =>
    `A: 1\n\n${Array.from({ length: count }, (_, i) => `Name: ${i}\n\n`).join('')}`
  t.equal(read(sections(65_535)).sections.length, 65_535)
  t.equal(
    await refusalText(() => read(sections(65_536))),
    'invalid_request: manifest has over 65535 sections'
  )
})

t.test('what takes long is not there: a megabyte of one thing', async (t) => {
  for (const [name, manifest] of [
    ['blanks', `A: ${' '.repeat(1 << 20)}x\n\n`],
    ['continued lines', `A: ${'\n '.repeat(1 << 19)}x\n\n`],
    ['attributes', `${'A:\n'.repeat(1 << 18)}\n`],
    ['LF sections before one of CRLF', `A: 1\n\n${'Name: x\n\n'.repeat(1 << 16)}\r\n\r\n`]
  ] as const) {
    t.equal(parseManifest(bytes(manifest)).sections.length, 0, name)
  }
})

t.test('mutated manifests are refused, or their sections are all of them', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const manifest = await fixture()
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 3000; i++) {
    const mutated = i % 4 === 0 ? random.bytes(random.below(40)) : mutate(manifest, random)
    const parsed = await unlessRefused(() => parseManifest(mutated))
    if (parsed === undefined) continue
    accepted++
    const parts = [parsed.main, ...parsed.sections].map((section) => section.bytes)
    if (!Buffer.concat(parts).equals(mutated)) failures.push(text(mutated))
  }
  t.same(failures, [])
  t.comment(`${accepted} of 3000 read`)
})
