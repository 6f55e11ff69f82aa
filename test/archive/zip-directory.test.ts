import t from 'tap'
import { readZipDirectory, zipNameText } from '../../src/archive/zip-directory.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'
import { writeZip, type ZipEntry, type ZipParts } from '../helpers/zip.js'

const TWO: readonly ZipEntry[] = [
  { name: 'one', content: 'first', method: 0 },
  { name: 'folder/two', content: 'second' }
]
const archive = writeZip(TWO)
const stored = (bytes: Uint8Array) => Buffer.from(bytes).toString()

t.test('a real JAR file', async (t) => {
  const members = readZipDirectory(rekorVector('jar/test.jar'))
  t.equal(members.length, 16)
  t.match(members[0], { name: 'META-INF/MANIFEST.MF', method: 8, declaredBytes: 891 })
  t.equal(members[0]?.compressed.length, 468)
  t.match(members[15], { name: 'sigstore/plugin/Sign.class', declaredBytes: 16432 })
})

t.test('what is read', async (t) => {
  const [one, two] = readZipDirectory(archive)
  t.match(one, { name: 'one', method: 0, declaredBytes: 5, crc32: 0x9271ee57 })
  t.equal(stored(one?.compressed ?? archive), 'first')
  t.match(two, { name: 'folder/two', method: 8, declaredBytes: 6 })
  t.same(readZipDirectory(writeZip([])), [], 'nothing')
  const names = (entries: readonly ZipEntry[], parts: ZipParts = {}) =>
    readZipDirectory(writeZip(entries, parts)).map(({ name }) => name)
  t.same(names(TWO, { comment: 'PK\x05\x06 is in here'.padEnd(300) }), ['one', 'folder/two'])
  t.same(names(TWO, { prefix: Buffer.from('#!/bin/sh\n') }), ['one', 'folder/two'])
  t.same(
    names([
      { name: 'a', extra: Buffer.alloc(9), comment: 'about a', localExtra: Buffer.alloc(30) },
      { name: 'b\xff' }
    ]),
    ['a', 'b\xff'],
    'names are bytes'
  )
  const inside = Buffer.concat([Buffer.alloc(7), archive, Buffer.alloc(7)]).subarray(7, -7)
  t.equal(stored(readZipDirectory(inside)[0]?.compressed ?? archive), 'first', 'in a larger piece')
})

t.test('what is refused', async (t) => {
  const invalid = 'invalid_request: zip: not a valid zip file'
  const zip64 = 'unsupported: zip: ZIP64 archives are not supported'
  const disks = 'unsupported: zip: archives of several disks are not supported'
  const overlaps = (name: string) => `invalid_request: zip: ${name} overlaps with something else`
  const differs = (name: string) =>
    `invalid_request: zip: the header of ${name} differs from the directory`
  const one = { name: 'one', content: 'first', method: 0 }
  const firstLength = 30 + 3 + 5
  const cases: readonly (readonly [name: string, archive: Uint8Array, message: string | RegExp])[] =
    [
      ['nothing', new Uint8Array(0), invalid],
      ['no archive', new Uint8Array(100), invalid],
      ['bytes behind the end', Uint8Array.from([...archive, 0]), invalid],
      ['a comment cut short', writeZip(TWO, { comment: 'abc', commentLength: 4 }), invalid],
      ['entries beyond 65534', writeZip(TWO, { entries: 0xffff }), zip64],
      ['a directory of unknown size', writeZip(TWO, { directoryBytes: 0xffffffff }), zip64],
      ['a directory elsewhere', writeZip(TWO, { directoryOffset: 0xffffffff }), zip64],
      ['a second disk', writeZip(TWO, { disk: 1 }), disks],
      ['entries on another disk', writeZip(TWO, { entriesHere: 1 }), disks],
      ['a directory before the start', writeZip(TWO, { directoryOffset: 0xfffffffe }), invalid],
      ['fewer entries than there are', writeZip(TWO, { entries: 1 }), invalid],
      ['more entries than there are', writeZip(TWO, { entries: 3 }), invalid],
      ['something behind the directory', writeZip(TWO, { gap: Buffer.alloc(8) }), invalid],
      [
        'a name longer than the directory',
        patched(archive, archive.length - 22 - 56 + 28, 0xff),
        invalid
      ],
      [
        'members of a declared size of 4 GiB',
        writeZip([{ ...one, declaredBytes: 0xffffffff }]),
        zip64
      ],
      ['compressed to 4 GiB', writeZip([{ ...one, compressedBytes: 0xffffffff }]), zip64],
      ['at 4 GiB', writeZip([{ ...one, offset: 0xffffffff }]), zip64],
      ['beyond the end', writeZip([{ ...one, compressedBytes: 1000 }]), invalid],
      ['a header beyond the end', writeZip([{ ...one, offset: 1000 }]), invalid],
      ['no header there', writeZip([{ ...one, localSignature: 0 }]), invalid],
      ['a header that is longer than the archive', patched(writeZip([one]), 27, 0xff), invalid],
      [
        'encrypted',
        writeZip([{ ...one, flags: 1 }]),
        'unsupported: zip: encrypted members are not supported'
      ],
      ['another name in the header', writeZip([{ ...one, localName: 'two' }]), differs('one')],
      ['another method in the header', writeZip([{ ...one, localMethod: 8 }]), differs('one')],
      ['one name twice', writeZip([one, one]), 'invalid_request: zip: two members are named one'],
      [
        'two members of the same bytes',
        writeZip([one, { ...one, localName: 'one', name: 'one', offset: 0, isOnlyListed: true }]),
        'invalid_request: zip: two members are named one'
      ],
      [
        'a member inside another',
        writeZip([
          { name: 'out', content: writeZip([one]), method: 0 },
          { ...one, offset: 33, isOnlyListed: true }
        ]),
        overlaps('one')
      ],
      [
        'a member that reaches into the next',
        writeZip([
          { ...one, compressedBytes: 6 },
          { name: 'two', content: 'second' }
        ]),
        overlaps('two')
      ],
      [
        'a member that reaches into the directory',
        writeZip([{ ...one, compressedBytes: 6 }]),
        overlaps('one')
      ],
      ['a member in the directory', writeZip([{ ...one, offset: firstLength }]), invalid]
    ]
  for (const [name, bytes, message] of cases) {
    t.match(await refusalText(() => readZipDirectory(bytes)), message, name)
  }
})

function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = value
  return copy
}

t.test('names for people', async (t) => {
  t.equal(zipNameText(Buffer.from('größe').toString('latin1')), 'größe')
  t.equal(zipNameText('\xff'), '\ufffd')
  t.equal(zipNameText('x'.repeat(201)), `${'x'.repeat(200)}…`)
  t.equal(zipNameText('x'.repeat(200)), 'x'.repeat(200))
})

t.test('mutated archives are refused, or their members lie apart', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const small = writeZip(TWO, { comment: 'comment' })
  const failures: string[] = []
  let read = 0
  for (let i = 0; i < 4000; i++) {
    const bytes = i % 4 === 0 ? random.bytes(random.below(120)) : mutate(small, random)
    const members = await unlessRefused(() => readZipDirectory(bytes))
    if (members === undefined) continue
    read++
    const size = members.reduce((sum, { compressed }) => sum + compressed.length, 0)
    const names = new Set(members.map(({ name }) => name))
    if (size > bytes.length || names.size !== members.length) {
      failures.push(Buffer.from(bytes).toString('hex'))
    }
  }
  t.same(failures, [])
  t.comment(`${read} of 4000 read`)
})
