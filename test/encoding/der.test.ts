import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import {
  bigIntToBytes,
  bytesToBigInt,
  contextTag,
  DER_TAG,
  encodeBitString,
  encodeDer,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  encodeTime,
  encodeUnsignedBytes,
  encodeUnsignedInteger,
  MAX_DER_BYTES,
  MAX_DER_DEPTH,
  MAX_DER_ELEMENTS,
  parseDer,
  parseDerPrefix,
  readBits,
  readBitString,
  readBoolean,
  readConstructed,
  readContent,
  readInteger,
  readIntegerContent,
  readOid,
  readTimeSeconds
} from '../../src/encoding/der.js'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { literalDerPrefix, literalOid, literalTimeSeconds } from '../helpers/literal-der.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const read = (hex: string) => parseDer(decodeHex(hex))

t.test('reads nested elements with their bytes', (t) => {
  const element = read('30080201050403010203')
  t.equal(element.tag, DER_TAG.sequence)
  t.equal(encodeHex(element.encoded), '30080201050403010203')
  t.equal(encodeHex(element.content), '0201050403010203')
  t.same(
    element.children.map(({ tag, content }) => [tag, encodeHex(content)]),
    [
      [DER_TAG.integer, '05'],
      [DER_TAG.octetString, '010203']
    ]
  )
  t.same(read('0500').children, [])
  t.equal(read(`a003020100`).tag, contextTag(0, 'constructed'))
  t.equal(read(`8200`).tag, contextTag(2, 'primitive'))
  t.end()
})

t.test('lengths in every size that fits the limit', (t) => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, MAX_DER_BYTES - 5]) {
    const encoded = encodeDer(DER_TAG.octetString, new Uint8Array(length).fill(7))
    t.equal(parseDer(encoded).content.length, length, `${length}`)
  }
  t.equal(encodeHex(encodeDer(4, new Uint8Array(128)).subarray(0, 3)), '048180')
  t.equal(encodeHex(encodeDer(4, new Uint8Array(256)).subarray(0, 4)), '04820100')
  t.end()
})

const deep = (levels: number) => {
  let encoded = encodeNull()
  for (let i = 1; i < levels; i++) encoded = encodeSequence(encoded)
  return encoded
}

const REFUSED: readonly (readonly [string, string | Uint8Array, string])[] = [
  ['nothing', '', 'element missing'],
  ['only a tag', '30', 'length missing'],
  ['trailing byte', '050000', 'trailing data'],
  ['indefinite length', '30800000', 'length not in DER form'],
  ['length of four octets', '048400000001aa', 'length not in DER form'],
  ['length cut short', '0482', 'length cut short'],
  ['long form where the short one does', '04817f', 'length not in its shortest form'],
  ['leading zero in the length', '04820080', 'length not in its shortest form'],
  ['length beyond the end', '040201', 'length beyond the end'],
  ['parent shorter than its child', '3002040101', 'length beyond the end'],
  ['child longer than its parent', '300304050102', 'length beyond the end'],
  ['tag number above 30', '1f0100', 'tag number above 30'],
  ['end of contents', '0000', 'tag 0x00 not allowed in DER'],
  ['constructed OCTET STRING', '240304014a', 'tag 0x24 not allowed in DER'],
  ['primitive SEQUENCE', '1000', 'tag 0x10 not allowed in DER'],
  ['primitive SET', '1100', 'tag 0x11 not allowed in DER'],
  ['too deep', deep(MAX_DER_DEPTH + 1), `nested deeper than ${MAX_DER_DEPTH} levels`],
  [
    'too many elements',
    encodeSequence(...Array.from({ length: MAX_DER_ELEMENTS }, encodeNull)),
    `more than ${MAX_DER_ELEMENTS} elements`
  ],
  ['too long', new Uint8Array(MAX_DER_BYTES + 1), `longer than ${MAX_DER_BYTES} bytes`]
]

t.test('refuses BER and whatever it would not write', async (t) => {
  for (const [name, input, problem] of REFUSED) {
    const bytes = typeof input === 'string' ? decodeHex(input) : input
    t.equal(
      await refusalText(() => parseDer(bytes, 'thing')),
      `invalid_request: thing: ${problem}`,
      name
    )
  }
  t.equal(parseDer(deep(MAX_DER_DEPTH)).tag, DER_TAG.sequence)
  t.equal(
    parseDer(encodeSequence(...Array.from({ length: MAX_DER_ELEMENTS - 1 }, encodeNull))).children
      .length,
    MAX_DER_ELEMENTS - 1
  )
})

t.test('parseDerPrefix leaves the rest', (t) => {
  const { element, rest } = parseDerPrefix(decodeHex('0201050500'))
  t.equal(encodeHex(element.encoded), '020105')
  t.equal(encodeHex(rest), '0500')
  t.end()
})

t.test('INTEGER', async (t) => {
  const values: readonly (readonly [string, bigint])[] = [
    ['020100', 0n],
    ['02017f', 127n],
    ['02020080', 128n],
    ['020180', -128n],
    ['0201ff', -1n],
    ['0202ff7f', -129n],
    ['020900ffffffffffffffff', 2n ** 64n - 1n]
  ]
  for (const [hex, value] of values) {
    t.equal(readInteger(read(hex), 'n'), value, hex)
    if (value >= 0n) t.equal(encodeHex(encodeUnsignedInteger(value)), hex)
  }
  for (const hex of ['0200', '02020001', '0202ff80']) {
    t.match(await refusalText(() => readInteger(read(hex), 'n')), /^invalid_request: n: /, hex)
  }
  t.equal(
    await refusalText(() => readInteger(read('0500'), 'n')),
    'invalid_request: n: expected tag 0x2, found tag 0x5'
  )
  t.equal(
    await refusalText(() => readInteger(undefined, 'n')),
    'invalid_request: n: expected tag 0x2, found nothing'
  )
})

t.test('OBJECT IDENTIFIER', async (t) => {
  for (const [hex, dotted] of [
    ['06082a8648ce3d030107', '1.2.840.10045.3.1.7'],
    ['06032b6570', '1.3.101.112'],
    ['0603551d11', '2.5.29.17'],
    ['0603883703', '2.999.3'],
    ['06010a', '0.10'],
    ['060a2b0601040183bf300107', '1.3.6.1.4.1.57264.1.7']
  ] as const) {
    t.equal(readOid(read(hex), 'oid'), dotted)
    t.equal(encodeHex(encodeOid(dotted)), hex)
  }
  for (const hex of ['0600', '060180', '06022a86', '06042a80ce3d']) {
    t.match(
      await refusalText(() => readOid(read(hex), 'oid')),
      /^invalid_request: oid: OBJECT/,
      hex
    )
  }
})

t.test('a long OBJECT IDENTIFIER is refused before it costs anything', async (t) => {
  const oid = (length: number) => parseDer(encodeDer(DER_TAG.oid, new Uint8Array(length).fill(1)))
  t.equal(readOid(oid(128), 'oid').split('.').length, 129)
  t.equal(
    await refusalText(() => readOid(oid(129), 'oid')),
    'invalid_request: oid: OBJECT IDENTIFIER longer than 128 bytes'
  )
})

t.test('BOOLEAN', async (t) => {
  t.equal(readBoolean(read('0101ff'), 'b'), true)
  t.equal(readBoolean(read('010100'), 'b'), false)
  for (const hex of ['010101', '0100', '0102ffff']) {
    t.equal(
      await refusalText(() => readBoolean(read(hex), 'b')),
      'invalid_request: b: BOOLEAN neither 00 nor ff'
    )
  }
})

t.test('BIT STRING', async (t) => {
  t.equal(encodeHex(readBitString(read('030300abcd'), 'bits')), 'abcd')
  t.equal(encodeHex(encodeBitString(decodeHex('abcd'))), '030300abcd')
  t.same(readBits(read('03020780'), 'bits'), { bytes: Uint8Array.of(0x80), unusedBits: 7 })
  t.same(readBits(read('030100'), 'bits'), { bytes: new Uint8Array(0), unusedBits: 0 })
  for (const hex of ['0300', '030208ff', '030101', '03020781']) {
    t.equal(
      await refusalText(() => readBits(read(hex), 'bits')),
      'invalid_request: bits: BIT STRING with wrong unused bits',
      hex
    )
  }
  t.equal(
    await refusalText(() => readBitString(read('03020780'), 'bits')),
    'invalid_request: bits: BIT STRING not a whole number of bytes'
  )
})

const time = (tag: number, text: string) => parseDer(encodeDer(tag, encodeUtf8(text)))

t.test('times', async (t) => {
  const { utcTime, generalizedTime } = DER_TAG
  for (const [tag, text, iso] of [
    [utcTime, '700101000000Z', '1970-01-01T00:00:00Z'],
    [utcTime, '491231235959Z', '2049-12-31T23:59:59Z'],
    [utcTime, '500101000000Z', '1950-01-01T00:00:00Z'],
    [utcTime, '240229120000Z', '2024-02-29T12:00:00Z'],
    [generalizedTime, '20500101000000Z', '2050-01-01T00:00:00Z'],
    [generalizedTime, '00010101000000Z', '0001-01-01T00:00:00Z'],
    [generalizedTime, '99991231235959Z', '9999-12-31T23:59:59Z']
  ] as const) {
    t.equal(readTimeSeconds(time(tag, text), 'time'), Date.parse(iso) / 1000, text)
  }
  for (const [tag, text] of [
    [utcTime, '7001010000Z'],
    [utcTime, '700101000000+0000'],
    [utcTime, '20240101000000Z'],
    [generalizedTime, '700101000000Z'],
    [generalizedTime, '20240101000000.5Z'],
    [utcTime, '230229120000Z'],
    [utcTime, '231301120000Z'],
    [utcTime, '230101240000Z'],
    [utcTime, '230101006000Z'],
    [utcTime, ''],
    [generalizedTime, '2024010100000\u00b3Z']
  ] as const) {
    t.match(
      await refusalText(() => readTimeSeconds(time(tag, text), 'time')),
      /time: (malformed|no such) time/,
      text
    )
  }
  t.match(await refusalText(() => readTimeSeconds(undefined, 'time')), /found nothing/)
})

t.test('constructed and primitive content', async (t) => {
  t.equal(readConstructed(read('30020500'), DER_TAG.sequence, 'list').length, 1)
  t.equal(encodeHex(readContent(read('0402abcd'), DER_TAG.octetString, 'bytes')), 'abcd')
  t.match(
    await refusalText(() => readConstructed(read('3100'), DER_TAG.sequence, 'list')),
    /found tag 0x31/
  )
})

t.test('numbers and bytes', (t) => {
  t.equal(bytesToBigInt(new Uint8Array(0)), 0n)
  t.equal(bytesToBigInt(decodeHex('00ff01')), 0xff01n)
  t.equal(encodeHex(bigIntToBytes(0xff01n, 4)), '0000ff01')
  t.equal(encodeHex(bigIntToBytes(0n, 0)), '')
  t.end()
})

t.test('mutated keys: a LogError, or an element that stands in the input as it is', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = mutate(spki, random)
    const element = await unlessRefused(() => parseDer(bytes))
    if (element === undefined) continue
    parsed++
    if (encodeHex(element.encoded) !== encodeHex(bytes)) t.fail(encodeHex(bytes))
    const rebuilt = rebuild(element)
    if (encodeHex(rebuilt) !== encodeHex(bytes)) t.fail(`other spelling: ${encodeHex(bytes)}`)
  }
  t.ok(parsed > 0, `${parsed} of 3000 still parsed`)
})

function rebuild(element: ReturnType<typeof parseDer>): Uint8Array {
  if ((element.tag & 0x20) === 0) return encodeDer(element.tag, element.content)
  return encodeDer(element.tag, ...element.children.map(rebuild))
}

t.test('times are written as they are read', (t) => {
  const cases: [iso: string, tag: number, text: string][] = [
    ['1950-01-01T00:00:00Z', DER_TAG.utcTime, '500101000000Z'],
    ['2026-11-21T04:05:06Z', DER_TAG.utcTime, '261121040506Z'],
    ['2049-12-31T23:59:59Z', DER_TAG.utcTime, '491231235959Z'],
    ['2050-01-01T00:00:00Z', DER_TAG.generalizedTime, '20500101000000Z'],
    ['9999-12-31T23:59:59Z', DER_TAG.generalizedTime, '99991231235959Z']
  ]
  for (const [iso, tag, text] of cases) {
    const encoded = encodeTime(Date.parse(iso) / 1000)
    const element = parseDer(encoded)
    t.equal(element.tag, tag, iso)
    t.equal(Buffer.from(element.content).toString(), text)
    t.equal(readTimeSeconds(element, 'time'), Date.parse(iso) / 1000)
  }
  t.end()
})

t.test('INTEGER of any sign is written as it is read', (t) => {
  const cases: readonly (readonly [bigint, string])[] = [
    [0n, '020100'],
    [127n, '02017f'],
    [128n, '02020080'],
    [-1n, '0201ff'],
    [-128n, '020180'],
    [-129n, '0202ff7f'],
    [-(1n << 64n), `0209ff${'00'.repeat(8)}`],
    [(1n << 160n) - 1n, `021500${'ff'.repeat(20)}`]
  ]
  for (const [value, hex] of cases) {
    t.equal(encodeHex(encodeInteger(value)), hex)
    t.equal(readInteger(read(hex), 'n'), value)
    t.equal(encodeHex(readIntegerContent(read(hex), 'n')), hex.slice(4))
  }
  t.end()
})

t.test('INTEGER of bytes that count upwards', (t) => {
  for (const [bytes, hex] of [
    ['', '020100'],
    ['0000', '020100'],
    ['0080', '02020080'],
    ['ff00', '020300ff00'],
    ['0001', '020101']
  ] as const) {
    t.equal(encodeHex(encodeUnsignedBytes(decodeHex(bytes))), hex)
  }
  t.end()
})

t.test('sets are ordered by what is in them', (t) => {
  const [a, b, c] = [decodeHex('020102'), decodeHex('0201ff'), decodeHex('0401ff')]
  t.equal(encodeHex(encodeSetOf(c, b, a)), '31090201020201ff0401ff')
  t.equal(encodeHex(encodeSetOf()), '3100')
  t.end()
})

t.test('octet strings and times with four digits of the year', (t) => {
  t.equal(encodeHex(encodeOctetString(decodeHex('0102'))), '04020102')
  for (const seconds of [0, 1767322800, 253402300799]) {
    const encoded = encodeGeneralizedTime(seconds)
    t.equal(encoded[0], DER_TAG.generalizedTime)
    t.equal(encoded.length, 17)
    t.equal(readTimeSeconds(parseDer(encoded), 'time'), seconds)
  }
  t.end()
})

t.test('the same elements and refusals as the literal reader', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const inputs = [
    publicKey.export({ type: 'spki', format: 'der' }),
    encodeSequence(encodeTime(1), encodeSequence(encodeOid('1.2.840.113549.1.9.16.2.47'))),
    encodeSequence(encodeDer(4, new Uint8Array(200)), encodeDer(4, new Uint8Array(300))),
    decodeHex('30848000000000000000'),
    deep(MAX_DER_DEPTH + 1)
  ]
  let accepted = 0
  for (let i = 0; i < 5000; i++) {
    const bytes =
      i < inputs.length ? (inputs[i] as Uint8Array) : mutate(random.pick(inputs), random)
    const got = await outcomeOf(() => asText(parseDerPrefix(bytes)))
    const wanted = await outcomeOf(() => asText(literalDerPrefix(bytes)))
    if (wanted.startsWith('{')) accepted++
    if (got !== wanted) t.equal(got, wanted, encodeHex(bytes))
  }
  t.ok(accepted > 100 && accepted < 4900, `${accepted} of 5000 accepted`)
})

interface AnyElement {
  readonly tag: number
  readonly encoded: Uint8Array
  readonly content: Uint8Array
  readonly children: readonly AnyElement[]
}

function asText({ element, rest }: { readonly element: AnyElement; readonly rest: Uint8Array }) {
  const plain = ({ tag, encoded, content, children }: AnyElement): object => ({
    tag,
    encoded: encodeHex(encoded),
    content: encodeHex(content),
    children: children.map(plain)
  })
  return JSON.stringify({ element: plain(element), rest: encodeHex(rest) })
}

/** What `action` gives as text, or its refusal. */
async function outcomeOf(action: () => unknown): Promise<string> {
  try {
    return String(await action())
  } catch (err) {
    return refusalText(() => {
      throw err
    })
  }
}

t.test('the same OBJECT IDENTIFIERs as the literal reader', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const inputs = [
    '0.0',
    '1.39.0',
    '2.40',
    '2.999.3',
    '1.3.6.1.4.1.57264.1.24',
    `2.25.${2n ** 128n - 1n}`,
    `1.3.${2n ** 46n - 1n}.${2n ** 46n}.${2n ** 53n - 1n}.${2n ** 53n}.1`,
    `2.${2n ** 60n}.5`
  ].map((dotted) => {
    const encoded = encodeOid(dotted)
    t.equal(readOid(parseDer(encoded), 'oid'), dotted)
    return parseDer(encoded).content
  })
  for (let i = 0; i < 5000; i++) {
    const content = mutate(random.pick(inputs), random).subarray(0, 130)
    const element = parseDer(encodeDer(DER_TAG.oid, content))
    const got = await outcomeOf(() => readOid(element, 'oid'))
    const wanted = await outcomeOf(() => literalOid(element, 'oid'))
    if (got !== wanted) t.equal(got, wanted, encodeHex(content))
  }
})

t.test('the same times as the literal reader', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const texts = ['00000101000000Z', '00000229000000Z', '00010301000000Z', '19691231235959Z']
  for (const year of ['1900', '2000', '2024', '2026', '2100', '9999']) {
    for (let month = 0; month <= 13; month++) {
      for (const day of ['00', '01', '28', '29', '30', '31', '32']) {
        texts.push(`${year}${String(month).padStart(2, '0')}${day}235959Z`)
      }
    }
    texts.push(`${year}0101240000Z`, `${year}0101006000Z`, `${year}0101000060Z`)
  }
  const all = [...texts, ...texts.map((text) => text.slice(2))].map((text) => encodeUtf8(text))
  const mutated = Array.from({ length: 2000 }, () => mutate(random.pick(all), random))
  const seconds = Array.from({ length: 2000 }, () => random.below(2 ** 32) * 50 - 5e10)
  const written = seconds.map((time) => parseDer(encodeGeneralizedTime(time)).content)
  for (const content of [...all, ...mutated, ...written]) {
    for (const tag of [DER_TAG.utcTime, DER_TAG.generalizedTime]) {
      const element = parseDer(encodeDer(tag, content))
      const got = await outcomeOf(() => readTimeSeconds(element, 'time'))
      const wanted = await outcomeOf(() => literalTimeSeconds(element, 'time'))
      if (got !== wanted) t.equal(got, wanted, encodeHex(content))
    }
  }
  t.ok(all.length > 1000)
})
