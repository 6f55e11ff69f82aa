import { randomBytes } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'
import t from 'tap'
import { readZipDirectory, type ZipMember } from '../../src/archive/zip-directory.js'
import {
  assertUnpackedSize,
  FREE_UNPACKED_BYTES,
  MAX_UNPACKED_BYTES,
  MAX_UNPACKED_RATIO,
  readWholeZipMember,
  readZipMember
} from '../../src/archive/zip-member.js'
import { LogError } from '../../src/errors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const MIB = 1 << 20

function member(content: Uint8Array, parts: Partial<ZipMember> = {}): ZipMember {
  return {
    name: 'file',
    method: 8,
    crc32: crc32(content),
    declaredBytes: content.length,
    compressed: deflateRawSync(content, { level: 1 }),
    ...parts
  }
}

/** How much came, and how. */
async function read(subject: ZipMember) {
  const pieces: number[] = []
  await readZipMember(subject, (piece) => pieces.push(piece.length))
  return { bytes: pieces.reduce((sum, length) => sum + length, 0), largest: Math.max(...pieces) }
}

t.test('every member of a real JAR file', async (t) => {
  for (const one of readZipDirectory(rekorVector('jar/test.jar'))) {
    t.equal((await read(one)).bytes, one.declaredBytes, one.name)
  }
})

t.test('contents of all sizes', async (t) => {
  for (const size of [0, 1, 65_535, MIB, MIB + 1]) {
    const content = randomBytes(size)
    t.equal((await read(member(content))).bytes, size, `${size} deflated`)
    const stored = member(content, { method: 0, compressed: content })
    t.equal((await read(stored)).bytes, size, `${size} stored`)
    const whole = await readWholeZipMember(member(content), size)
    t.ok(content.equals(whole), `${size} in one piece`)
  }
  const { bytes, largest } = await read(member(new Uint8Array(5 * MIB)))
  t.equal(bytes, 5 * MIB)
  t.ok(largest <= MIB, `large ones come in pieces, the largest of ${largest}`)
})

t.test('what does not unpack to what is declared', async (t) => {
  const small = Buffer.from('content')
  const large = new Uint8Array(2 * MIB)
  const unpack = 'invalid_request: zip: file does not unpack to what is declared'
  const checksum = 'invalid_request: zip: file has another checksum'
  const cases: readonly (readonly [name: string, subject: ZipMember, message: string])[] = [
    ['declared small, really huge', member(large, { declaredBytes: 10 }), unpack],
    ['declared empty, really huge', member(large, { declaredBytes: 0 }), unpack],
    [
      'declared one byte less',
      member(small, { declaredBytes: 6 }),
      'invalid_request: zip: file is larger than the 6 declared'
    ],
    [
      'declared one byte more',
      member(small, { declaredBytes: 8 }),
      'invalid_request: zip: file has 7 of the 8 declared'
    ],
    [
      'declared huge, really small',
      member(small, { declaredBytes: 0xfffffffe }),
      'invalid_request: zip: file has 7 of the 4294967294 declared'
    ],
    [
      'declared large, really larger',
      member(large, { declaredBytes: MIB + 1 }),
      `invalid_request: zip: file is larger than the ${MIB + 1} declared`
    ],
    [
      'stored, and declared smaller',
      member(small, { method: 0, compressed: small, declaredBytes: 6 }),
      'invalid_request: zip: file is larger than the 6 declared'
    ],
    ['another checksum', member(small, { crc32: 1 }), checksum],
    ['another checksum of a large one', member(large, { crc32: 1 }), checksum],
    ['nothing', member(small, { compressed: new Uint8Array(0) }), unpack],
    ['nothing of a large one', member(large, { compressed: new Uint8Array(0) }), unpack],
    ['cut short', member(small, { compressed: deflateRawSync(small).subarray(0, -2) }), unpack],
    [
      'cut short, a large one',
      member(large, { compressed: deflateRawSync(large).subarray(0, -2) }),
      unpack
    ],
    ['not deflated', member(small, { compressed: Buffer.alloc(20, 0xff) }), unpack],
    ['not deflated, a large one', member(large, { compressed: Buffer.alloc(20, 0xff) }), unpack],
    [
      'packed by something else',
      member(small, { method: 12 }),
      'unsupported: zip: unsupported compression algorithm 12'
    ]
  ]
  for (const [name, subject, message] of cases) {
    t.equal(await refusalText(() => read(subject)), message, name)
  }
})

t.test('a bomb is given up at what it declares', async (t) => {
  let seen = 0
  const bomb = member(new Uint8Array(20 * MIB), { declaredBytes: 2 * MIB })
  const refused = await refusalText(() =>
    readZipMember(bomb, (piece) => {
      seen += piece.length
    })
  )
  t.equal(refused, `invalid_request: zip: file is larger than the ${2 * MIB} declared`)
  t.ok(seen <= 2 * MIB, `${seen} bytes were handed on`)
})

t.test('what the reader refuses is passed on', async (t) => {
  for (const size of [10, 2 * MIB]) {
    const refuse = () => {
      throw new LogError('verification_failed', 'not this')
    }
    t.equal(
      await refusalText(() => readZipMember(member(new Uint8Array(size)), refuse)),
      'verification_failed: not this'
    )
  }
})

t.test('in one piece, up to a limit', async (t) => {
  const subject = member(Buffer.from('content'))
  t.equal(
    await refusalText(() => readWholeZipMember(subject, 6)),
    'invalid_request: zip: file is larger than 6'
  )
})

t.test('what all may unpack to', async (t) => {
  const empty = member(Buffer.alloc(0))
  const of = (...sizes: readonly number[]) =>
    sizes.map((declaredBytes) => ({ ...empty, declaredBytes }))
  const tiny = FREE_UNPACKED_BYTES + 1000 * MAX_UNPACKED_RATIO
  t.doesNotThrow(() => {
    assertUnpackedSize(of(tiny - 5, 5), 1000)
  })
  t.equal(
    await refusalText(() => {
      assertUnpackedSize(of(tiny - 5, 6), 1000)
    }),
    `invalid_request: zip: members of ${tiny + 1} bytes exceed the ${tiny} allowed for this archive`
  )
  const huge = 256 * MIB
  t.doesNotThrow(() => {
    assertUnpackedSize(of(MAX_UNPACKED_BYTES), huge)
  })
  t.match(
    await refusalText(() => {
      assertUnpackedSize(of(MAX_UNPACKED_BYTES, 1), huge)
    }),
    /^invalid_request: zip: members of \d+ bytes exceed the 536870912 allowed/
  )
  const most = of(...Array<number>(65_534).fill(0xfffffffe))
  t.match(
    await refusalText(() => {
      assertUnpackedSize(most, huge)
    }),
    /^invalid_request: zip: members of 281466386644996 bytes exceed/
  )
})

t.test('mutated data are refused, or unpack to the same', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const content = Buffer.from('some content, some more content, and some more of the content')
  const failures: string[] = []
  for (let i = 0; i < 1000; i++) {
    const compressed =
      i % 4 === 0 ? random.bytes(random.below(40)) : mutate(deflateRawSync(content), random)
    const subject = member(content, { compressed })
    const unpacked = await unlessRefused(() => readWholeZipMember(subject, 1000))
    if (unpacked !== undefined && !content.equals(unpacked)) {
      failures.push(Buffer.from(compressed).toString('hex'))
    }
  }
  t.same(failures, [])
})
