import t from 'tap'
import { readGzipBody, readGzipHeader } from '../../src/archive/gzip.js'
import { MAX_TAR_EXTENSION_BYTES, MAX_TAR_HEADERS, readTar } from '../../src/archive/tar.js'
import { GNU, join, paxRecord, tarFile, tarHeader, V7 } from '../helpers/apk.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const END = new Uint8Array(1024)
const read = (...parts: readonly Uint8Array[]) => [...readTar(join(...parts), 'tar')]
const list = (...parts: readonly Uint8Array[]) =>
  read(...parts).map(({ name, content }) => [name, Buffer.from(content).toString('latin1')])
const utf8 = (value: string) => Uint8Array.from(Buffer.from(value))
const HEADER = 'invalid_request: tar: archive/tar: invalid tar header'
const EOF = 'invalid_request: tar: unexpected EOF'

function fixtureMember(index: number): Uint8Array {
  const apk = rekorVector('alpine/test_alpine.apk')
  let at = 0
  for (let i = 0; ; i++) {
    const tooLarge = () => new Error('too large') as never
    const start = readGzipHeader(apk, at, 'fixture')
    const { content, end } = readGzipBody(apk, start, { maxBytes: 1 << 20, tooLarge }, 'fixture')
    if (i === index) return content
    at = end
  }
}

t.test('the archives of a package', async (t) => {
  const names = (index: number) =>
    [...readTar(fixtureMember(index), 'tar')].map(({ name, size, content }) => [
      name,
      size,
      content.length
    ])
  t.same(names(0), [['.SIGN.RSA.alpine-devel@lists.alpinelinux.org-4a6a0840.rsa.pub', 256, 256]])
  t.same(names(1), [['.PKGINFO', 595, 595]])
  // pax records before each, as GNU tar lists them.
  t.same(names(2), [
    ['usr/', 0, 0],
    ['usr/sbin/', 0, 0],
    ['usr/sbin/apachectl', 3398, 3398]
  ])
})

t.test('ends of archives', async (t) => {
  const a = tarFile('a', 'one')
  const b = tarFile('b', '')
  const files = [
    ['a', 'one'],
    ['b', '']
  ]
  t.same(list(a, b, END), files)
  t.same(list(a, b), files, 'no end')
  t.same(list(a, b, END.slice(512)), files, 'half an end')
  t.same(list(a, b, END, a), files, 'what follows is not read')
  t.same(list(a.slice(0, 515)), files.slice(0, 1), 'no padding')
  t.same(list(a.slice(0, 600)), files.slice(0, 1), 'half the padding')
  t.same(list(), [])
  t.same(list(END), [])
})

t.test('names', async (t) => {
  const long = 'n'.repeat(300)
  const gnuLong = (type: string, name: string) =>
    tarFile('././@LongLink', `${name}\0`, { type, magic: GNU })
  const pax = (...records: readonly string[]) => tarFile('pax', records.join(''), { type: 'x' })
  const name = (...parts: readonly Uint8Array[]) => read(...parts).map((file) => file.name)

  t.same(name(tarFile('n'.repeat(100), '')), ['n'.repeat(100)], 'no zero at the end')
  t.same(name(tarFile('name\0rest', '')), ['name'])
  t.same(name(tarFile('b', '', { prefix: 'a' })), ['a/b'], 'prefix')
  t.same(name(tarFile('b', '', { prefix: 'a', magic: GNU })), ['b'], 'GNU has none')
  t.same(name(tarFile('b', '', { prefix: 'a', magic: V7 })), ['b'], 'v7 has none')
  const star = [
    [345, 'p'.repeat(155)],
    [508, 'tar\0']
  ] as const
  t.same(name(tarFile('b', '', { over: star })), [`${'p'.repeat(131)}/b`], 'star has a shorter one')
  t.same(name(gnuLong('L', long), tarFile('x', ''), tarFile('y', '')), [long, 'y'])
  t.same(name(gnuLong('K', 'target'), tarFile('x', '', { type: '2' })), ['x'], 'name of a target')
  t.same(name(pax(paxRecord('path', long)), tarFile('x', ''), tarFile('y', '')), [long, 'y'])
  t.same(name(pax(paxRecord('path', '')), tarFile('x', '')), ['x'], 'an empty one says nothing')
  t.same(name(pax(paxRecord('path', 'p')), gnuLong('L', 'l'), tarFile('x', '')), ['l'])
  t.same(name(gnuLong('L', 'l'), pax(paxRecord('path', 'p')), tarFile('x', '')), ['l'])
  t.same(
    name(pax(paxRecord('path', 'p')), pax(paxRecord('mtime', '1.5')), tarFile('x', '')),
    ['x'],
    'the last records stand alone'
  )
  t.same(
    name(tarFile('g', paxRecord('path', 'p'), { type: 'g' }), tarFile('x', '')),
    ['x'],
    'records for all files are not taken over'
  )
  t.same(name(gnuLong('L', long)), [], 'a name of nothing')
  t.same(name(tarFile('\xff\xe9', '')), ['\xff\xe9'], 'one character a byte')
})

t.test('sizes', async (t) => {
  const base256 = (value: number): Uint8Array => {
    const field = new Uint8Array(12)
    field[0] = 0x80
    new DataView(field.buffer).setUint32(8, value)
    return field
  }
  const pax = (size: string) => tarFile('pax', paxRecord('size', size), { type: 'x' })
  t.same(list(tarFile('a', 'one', { size: base256(3) })), [['a', 'one']], 'base 256')
  t.same(list(tarFile('a', 'one', { size: utf8('  3 \0\0') })), [['a', 'one']], 'blanks')
  t.same(list(tarFile('a', '', { size: utf8(' \0') })), [['a', '']], 'none')
  t.same(list(pax('3'), tarFile('a', 'one', { size: 0 }), tarFile('b', '')), [
    ['a', 'one'],
    ['b', '']
  ])
  // Links, devices and directories have no content, whatever their size field says.
  for (const type of '123456') {
    t.same(list(tarHeader({ name: 'a', size: 512, type }), tarFile('b', '')), [
      ['a', ''],
      ['b', '']
    ])
  }
  t.same(list(tarHeader({ name: 'a/', size: 512, type: '\0' }), tarFile('b', '')), [
    ['a/', ''],
    ['b', '']
  ])
  t.same(list(tarFile('a', 'one', { type: '\0' })), [['a', 'one']], 'v7 file')
  t.same(list(tarFile('a', 'one', { type: '7' })), [['a', 'one']], 'reserved')
})

t.test('negative, overflowing and unreadable numbers', async (t) => {
  const field = (...bytes: readonly number[]) => {
    const all = new Uint8Array(12).fill(bytes.at(-1) ?? 0)
    all.set(bytes)
    return all
  }
  const pax = (size: string) => tarFile('pax', paxRecord('size', size), { type: 'x' })
  const cases: readonly (readonly [name: string, parts: readonly Uint8Array[]])[] = [
    ['-1 in base 256', [tarHeader({ name: 'a', size: field(0xff) })]],
    ['-1 of a directory', [tarHeader({ name: 'a', size: field(0xff), type: '5' })]],
    ['-1 of records', [tarHeader({ name: 'a', size: field(0xff), type: 'x' })]],
    ['-2^62', [tarHeader({ name: 'a', size: field(0xff, 0xff, 0xff, 0xff, 0xc0, 0) })]],
    ['below -2^63', [tarHeader({ name: 'a', size: field(0xc0, 0) })]],
    ['2^63', [tarHeader({ name: 'a', size: field(0x80, 0, 0, 0, 0x80, 0) })]],
    ['2^53', [tarHeader({ name: 'a', size: field(0x80, 0, 0, 0, 0, 0x20, 0) })]],
    ['2^94', [tarHeader({ name: 'a', size: field(0xbf, 0xff) })]],
    ['-1 in octal', [tarHeader({ name: 'a', size: utf8('-0000000001\0') })]],
    ['digits of another base', [tarHeader({ name: 'a', size: utf8('00000000009\0') })]],
    ['blank inside', [tarHeader({ name: 'a', size: utf8('0000 000003\0') })]],
    ['-1 in pax', [pax('-1'), tarFile('a', '')]],
    ['2^63 in pax', [pax('9223372036854775808'), tarFile('a', '')]],
    ['many digits in pax', [pax('9'.repeat(400)), tarFile('a', '')]],
    ['text in pax', [pax('0x3'), tarFile('a', '')]],
    ...([100, 108, 116, 136, 329, 337] as const).map(
      (at) => [`number at ${at}`, [tarHeader({ name: 'a', over: [[at, 'x']] })]] as const
    )
  ]
  for (const [name, parts] of cases) t.equal(await refusalText(() => read(...parts)), HEADER, name)
  t.same(
    list(tarHeader({ name: 'a', magic: V7, over: [[329, 'x']] })),
    [['a', '']],
    'v7: no devices'
  )
  const before1970 = { name: 'a', over: [[136, field(0xff)]] } as const
  t.same(list(tarHeader(before1970)), [['a', '']], 'a time may be negative')
})

t.test('checksums', async (t) => {
  const umlauts = { name: '\xe4\xf6\xfc' }
  t.same(list(tarHeader({ ...umlauts, signedChecksum: true })), [['\xe4\xf6\xfc', '']])
  t.equal(await refusalText(() => read(tarHeader({ ...umlauts, checksumError: 1 }))), HEADER)
  const text = tarHeader({ name: 'a' })
  text.set(utf8('xxxxxx'), 148)
  t.equal(await refusalText(() => read(text)), HEADER)
  t.equal(await refusalText(() => read(utf8('no tar '.repeat(100)))), HEADER)
})

t.test('what is cut off or in the wrong place', async (t) => {
  const a = tarFile('a', 'one')
  t.equal(await refusalText(() => read(a.slice(0, 511))), EOF, 'header')
  t.equal(await refusalText(() => read(a.slice(0, 514))), EOF, 'content')
  t.equal(await refusalText(() => read(a, END.slice(0, 100))), EOF, 'end')
  t.equal(await refusalText(() => read(a, END.slice(0, 600))), EOF, 'second block of the end')
  t.equal(await refusalText(() => read(END.slice(0, 512), a)), HEADER, 'half an end and a file')
  const huge = tarHeader({ name: 'a', size: utf8('77777777777\0') })
  t.equal(await refusalText(() => read(huge)), EOF, '8 GiB are a claim')
  const [first] = readTar(huge, 'tar')
  t.same([first?.size, first?.content.length], [2 ** 33 - 1, 0], 'to be looked at before')
  const longName = tarHeader({ name: 'a', size: 10, type: 'L' })
  t.equal(await refusalText(() => read(longName)), EOF, 'long name')
})

t.test('pax records', async (t) => {
  const pax = (records: string) => read(tarFile('pax', records, { type: 'x' }), tarFile('a', ''))
  t.same(
    pax(paxRecord('comment', 'a=b\0') + paxRecord('path', 'p')).map(({ name }) => name),
    ['p']
  )
  const cases: readonly (readonly [name: string, records: string])[] = [
    ['no length', 'path=p\n'],
    ['no blank', '10'],
    ['length that is none', 'x path=p\n'],
    ['negative length', '-9 path=p\n'],
    ['length of nothing', '0 path=p\n'],
    ['short', '4 =\n'],
    ['longer than all', '99 path=p\n'],
    ['no line end', '9 path=pp'],
    ['no sign', '8 pathp\n'],
    ['no name', '7 =abc\n'],
    ['length inside its own digits', '00000000005 a=b\n'],
    ['zero in a path', paxRecord('path', 'a\0b')],
    ['zero in a name', paxRecord('a\0b', 'c')],
    ['something behind', `${paxRecord('path', 'p')}x`]
  ]
  for (const [name, records] of cases) t.equal(await refusalText(() => pax(records)), HEADER, name)
})

t.test('sparse files', async (t) => {
  const sparse = 'unsupported: tar: archive/tar: sparse files are not supported'
  t.equal(await refusalText(() => read(tarFile('a', '', { type: 'S', magic: GNU }))), sparse)
  const records = tarFile('pax', paxRecord('GNU.sparse.major', '1'), { type: 'x' })
  t.equal(await refusalText(() => read(records, tarFile('a', ''))), sparse)
})

t.test('limits', async (t) => {
  const one = tarHeader({ name: 'a' })
  const most = new Uint8Array(512 * MAX_TAR_HEADERS)
  for (let at = 0; at < most.length; at += 512) most.set(one, at)
  t.equal(read(most).length, MAX_TAR_HEADERS)
  t.equal(
    await refusalText(() => read(most, one)),
    'too_large: tar: archive/tar: more than 10000 headers'
  )
  const size = MAX_TAR_EXTENSION_BYTES
  const extension = (bytes: number) => tarFile('x', 'n'.repeat(bytes), { type: 'L' })
  t.equal(read(extension(size), one)[0]?.name.length, size)
  t.equal(
    await refusalText(() => read(extension(size + 1), one)),
    'invalid_request: tar: archive/tar: header field too long'
  )
})

t.test('strangers bytes are files or refused', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const seeds = [
    fixtureMember(1),
    fixtureMember(2).slice(0, 2560),
    join(tarFile('L', 'long\0', { type: 'L', magic: GNU }), tarFile('a', 'one'))
  ]
  // A changed header has a wrong checksum, so that one is put right again.
  const mended = (bytes: Uint8Array): Uint8Array => {
    const copy = bytes.slice()
    for (let at = 0; at + 512 <= copy.length; at += 512) {
      if (copy[at + 257] !== 0x75) continue
      copy.fill(0x20, at + 148, at + 156)
      const sum = copy.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
      copy.set(utf8(`${sum.toString(8).padStart(6, '0')}\0`), at + 148)
    }
    return copy
  }
  let files = 0
  const wrong: string[] = []
  for (let i = 0; i < 1000; i++) {
    const bytes = mended(i % 8 === 0 ? random.bytes(600) : mutate(random.pick(seeds), random))
    for (const file of (await unlessRefused(() => read(bytes))) ?? []) {
      files++
      if (file.content.length !== file.size) wrong.push(String(bytes))
    }
  }
  t.same(wrong, [])
  t.ok(files > 50)
})
