import t from 'tap'
import { decodeHex, encodeHex, encodeHexEach, hexEncoder } from '../../src/encoding/hex.js'
import { isLogError } from '../../src/errors.js'
import { seededRandom } from '../helpers/random.js'

t.test('every byte, both ways and in either case', (t) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  const text = Buffer.from(bytes).toString('hex')
  t.equal(encodeHex(bytes), text)
  t.same(decodeHex(text), bytes)
  t.same(decodeHex(text.toUpperCase()), bytes)
  t.same(decodeHex('aAFf09'), Uint8Array.of(0xaa, 0xff, 0x09))
  t.equal(encodeHex(new Uint8Array(0)), '')
  t.same(decodeHex(''), new Uint8Array(0))
  t.end()
})

t.test('a view into a larger buffer encodes only itself', (t) => {
  t.equal(encodeHex(Uint8Array.of(1, 2, 3, 4).subarray(1, 3)), '0203')
  t.equal(encodeHex(Buffer.from('abc').subarray(1)), '6263')
  t.end()
})

const MALFORMED = {
  'one digit': 'a',
  'odd length': 'abc',
  'letter g': '0g',
  'g first': 'g0',
  prefix: '0x00',
  'space between': 'ab cd',
  'space around': ' ab ',
  'newline at the end': 'ab\n',
  'two newlines': 'ab\n\n',
  sign: '-1',
  'digit beyond ASCII': '٠٠',
  'full-width digits': '１１',
  'digit of another plane': '𝟘𝟘',
  'character below the digits': '/0',
  'character above the digits': '0:',
  'character before a': '`0',
  'character before A': '@0',
  'bad at the very end': `${'ab'.repeat(1000)}zz`
}

t.test('malformed hex is refused', (t) => {
  for (const [name, text] of Object.entries(MALFORMED)) {
    t.throws(
      () => decodeHex(text),
      { name: 'LogError', code: 'invalid_request', message: /^not valid hex/ },
      name
    )
  }
  t.end()
})

t.test('fuzz: refused, or encodes to the same text in lower case', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let decoded = 0
  for (let i = 0; i < 10000; i++) {
    const text = Array.from({ length: random.below(6) }, () =>
      random.pick([...'0123456789abcdefABCDEF', 'g', ' ', '\n', 'é'])
    ).join('')
    try {
      const bytes = decodeHex(text)
      decoded++
      if (encodeHex(bytes) !== text.toLowerCase()) t.fail(`${JSON.stringify(text)} changed`)
    } catch (err) {
      if (!isLogError(err, 'invalid_request')) t.fail(`${JSON.stringify(text)}: ${String(err)}`)
    }
  }
  t.ok(decoded > 500 && decoded < 9500, `${decoded} of 10000 were hex`)
  t.end()
})

t.test('with Buffer and without it: the same', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const encodeByTable = hexEncoder(undefined)
  for (let length = 0; length < 500; length++) {
    const bytes = random.bytes(length)
    if (encodeHex(bytes) !== encodeByTable(bytes)) t.fail(`${length} bytes`)
  }
  t.equal(encodeByTable(Uint8Array.of(1, 0xab, 3).subarray(1)), 'ab03')
  t.end()
})

t.test('many at once', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let i = 0; i < 200; i++) {
    const list = Array.from({ length: random.below(40) }, () => random.bytes(random.below(200)))
    t.same(encodeHexEach(list), list.map(encodeHex))
  }
  t.same(encodeHexEach([new Uint8Array(4096)]), ['00'.repeat(4096)])
  t.same(encodeHexEach([new Uint8Array(4096), Uint8Array.of(1)]), ['00'.repeat(4096), '01'])
  t.end()
})
