import t from 'tap'
import { parseDerPrefix, readInteger } from '../../src/encoding/der.js'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import {
  encodeEcdsaSignature,
  invalidEcdsaSignature,
  readEcdsaSignature
} from '../../src/keys/ecdsa-signature.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'

const random = seededRandom()
t.comment(`TEST_SEED=${random.seed}`)

const asn1 = 'verification_failed: invalid signature when validating ASN.1 encoded signature'
const p1363 = 'verification_failed: ecdsa: Invalid IEEE_P1363 encoded bytes'

t.test('which encoding a signature has', (t) => {
  for (const [name, hex, encoding, der] of [
    ['DER', '3006020101020102', 'ASN.1', '3006020101020102'],
    [
      'DER with negative numbers, left to the verifier',
      '30060201ff0201fe',
      'ASN.1',
      '30060201ff0201fe'
    ],
    ['P1363', '00010002', 'IEEE_P1363', '3006020101020102'],
    ['P1363 with the high bit', 'ff80', 'IEEE_P1363', '3008020200ff02020080'],
    ['P1363 of zeros', '0000', 'IEEE_P1363', '3006020100020100'],
    ['a sequence of one number', '300402020101', 'IEEE_P1363', undefined],
    ['a number not in its shortest form', '300802020001020200ff', 'IEEE_P1363', undefined],
    ['a set of numbers', '3106020101020102', 'IEEE_P1363', undefined],
    ['132 bytes', '01'.repeat(132), 'IEEE_P1363', undefined]
  ] as const) {
    const signature = readEcdsaSignature(decodeHex(hex))
    t.equal(signature.encoding, encoding, name)
    if (der !== undefined) t.equal(encodeHex(signature.der), der, name)
  }
  t.end()
})

t.test('refused with the words of its encoding', async (t) => {
  for (const [name, hex, message] of [
    ['trailing byte after DER', '300602010102010200', asn1],
    ['three numbers', '3009020101020102020103', asn1],
    ['empty', '', p1363],
    ['odd length', '010203', p1363],
    ['134 bytes', '01'.repeat(134), p1363]
  ] as const) {
    t.equal(await refusalText(() => readEcdsaSignature(decodeHex(hex))), message, name)
  }
  t.equal(
    invalidEcdsaSignature('IEEE_P1363').message,
    'invalid signature when validating IEEE_P1363 encoded signature'
  )
})

t.test('encodes', (t) => {
  t.equal(encodeHex(encodeEcdsaSignature(255n, 0n)), '3007020200ff020100')
  t.end()
})

/** What is ASN.1, by reading all of it: two INTEGERs of a SEQUENCE at least, however much there is behind them. */
function describe(bytes: Uint8Array): string {
  try {
    const { element, rest } = parseDerPrefix(bytes)
    if (element.tag !== 0x30) return 'no ASN.1'
    readInteger(element.children[0], 'r')
    readInteger(element.children[1], 's')
    return element.children.length === 2 && rest.length === 0 ? `ASN.1 ${encodeHex(bytes)}` : asn1
  } catch {
    return 'no ASN.1'
  }
}

t.test('a look tells what reading tells', async (t) => {
  const lengths = [0, 1, 2, 31, 32, 33, 48, 60, 61, 62, 63, 64, 66, 67, 126, 127, 128, 140]
  const integer = (content: Uint8Array) =>
    content.length < 128 ? [2, content.length, ...content] : [2, 0x81, content.length, ...content]
  const numbers = lengths.map((length) => random.bytes(length))
  const firsts = [0x00, 0x01, 0x7f, 0x80, 0xff]
  const seen = new Map<string, number>()
  for (let i = 0; i < 20_000; i++) {
    const [r, s] = [Uint8Array.from(random.pick(numbers)), Uint8Array.from(random.pick(numbers))]
    for (const number of [r, s]) {
      if (number.length > 0 && random.below(2) === 0) number[0] = random.pick(firsts)
    }
    const body = [...integer(r), ...integer(s)]
    const header =
      body.length < 128
        ? [body.length]
        : body.length < 256
          ? [0x81, body.length]
          : [0x82, 1, body.length - 256]
    const whole = Uint8Array.from([0x30, ...header, ...body])
    const bytes = i % 3 === 0 ? whole : mutate(whole, random)
    const want = describe(bytes)
    let got: string
    try {
      const { encoding, der } = readEcdsaSignature(bytes)
      got = encoding === 'ASN.1' ? `ASN.1 ${encodeHex(der)}` : 'no ASN.1'
    } catch (err) {
      got = `verification_failed: ${(err as Error).message}` === asn1 ? asn1 : 'no ASN.1'
    }
    if (got !== want) t.equal(got, want, encodeHex(bytes))
    const kind = want.slice(0, 6)
    seen.set(kind, (seen.get(kind) ?? 0) + 1)
  }
  t.equal(seen.size, 3, 'of all three kinds')
})

t.test('P1363 is written as the numbers it is', async (t) => {
  for (let i = 0; i < 300; i++) {
    const half = 1 + random.below(66)
    const bytes = random.bytes(2 * half)
    for (const start of [0, half]) {
      bytes.fill(0, start, start + random.below(half + 1))
      if (random.below(2) === 0) bytes[start] = random.pick([0, 1, 0x7f, 0x80, 0xff])
    }
    if (describe(bytes) !== 'no ASN.1') continue
    const number = (from: number) => BigInt(`0x${encodeHex(bytes.subarray(from, from + half))}`)
    const { encoding, der } = readEcdsaSignature(bytes)
    t.equal(encoding, 'IEEE_P1363')
    t.same(der, encodeEcdsaSignature(number(0), number(half)))
  }
})
