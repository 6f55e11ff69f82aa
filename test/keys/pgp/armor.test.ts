import t from 'tap'
import { findArmor, encodeArmor, splitLines } from '../../../src/keys/pgp/armor.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText } from '../../helpers/refusals.js'
import { utf8 } from '../../helpers/pgp.js'

const decode = (text: string) => findArmor(splitLines(utf8(text)))
const HELLO = '-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n'

t.test('what is taken for a block with the contents "hello"', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    plain: HELLO,
    'CR LF': HELLO.replaceAll('\n', '\r\n'),
    'text before and after': `Hello,\n${HELLO}bye\n`,
    'white space around lines': HELLO.replaceAll('\n', ' \n\t '),
    'white space on the empty line': HELLO.replace('\n\n', '\n \t\n'),
    headers: HELLO.replace('\n\n', '\nVersion: 1\nComment: a: b\n\n'),
    'a wrong checksum': HELLO.replace('\n-----END', '\n=AAAA\n-----END'),
    'empty lines inside': HELLO.replace('aGVs', 'aGVs\n\n'),
    'no end': HELLO.slice(0, HELLO.indexOf('\n-----END')),
    'something that only begins like a block before it': `-----BEGIN PGP X-----\nno header\n${HELLO}`,
    'binary bytes before it': `\u0000\u00ff\n${HELLO}`
  }
  for (const [name, text] of Object.entries(cases)) {
    const block = decode(text)
    t.equal(block?.type, 'PGP SIGNATURE', name)
    t.equal(Buffer.from(block?.decode() ?? []).toString(), 'hello', name)
  }
})

t.test('what holds no block', async (t) => {
  const cases = [
    '',
    '\n\n',
    'hello',
    '-----BEGIN -----\n\naGVsbG8=\n',
    '-----begin PGP SIGNATURE-----\n\naGVsbG8=\n',
    '-----BEGIN PGP SIGNATURE-----',
    '-----BEGIN PGP SIGNATURE-----\nVersion: 1\n',
    '-----BEGIN PGP SIGNATURE-----\naGVsbG8=\n-----END PGP SIGNATURE-----\n'
  ]
  for (const text of cases) t.equal(decode(text), undefined, JSON.stringify(text))
})

t.test('blocks with bad contents', async (t) => {
  const cases: readonly (readonly [name: string, text: string, message: string])[] = [
    ['bad character', HELLO.replace('aGVs', 'aGV!'), 'armor: illegal base64 data at input byte 3'],
    ['padding missing', HELLO.replace('=', ''), 'armor: illegal base64 data at input byte 4'],
    [
      'line too long',
      HELLO.replace('aGVs', 'aGVs'.repeat(25)),
      'openpgp: invalid data: armor invalid'
    ]
  ]
  for (const [name, text, message] of cases) {
    t.equal(await refusalText(() => decode(text)?.decode()), `invalid_request: ${message}`, name)
  }
})

t.test('canonical armor', async (t) => {
  // CRC-24 of nothing is its starting value; of "123456789" it is 21cf02.
  t.equal(
    Buffer.from(encodeArmor('PGP X', new Uint8Array(0))).toString(),
    '-----BEGIN PGP X-----\n\n=twTO\n-----END PGP X-----'
  )
  t.equal(
    Buffer.from(encodeArmor('PGP X', utf8('123456789'))).toString(),
    '-----BEGIN PGP X-----\n\nMTIzNDU2Nzg5\n=Ic8C\n-----END PGP X-----'
  )
})

t.test('armor decodes to what was encoded, in lines of 64', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const length of [1, 47, 48, 49, 95, 96, 97, 5000, 20_000]) {
    const body = random.bytes(length)
    const encoded = encodeArmor('PGP SIGNATURE', body)
    const lines = splitLines(encoded)
    t.same(Buffer.from(findArmor(lines)?.decode() ?? []), Buffer.from(body))
    const data = lines.slice(2, -2)
    t.ok(data.slice(0, -1).every((line) => line.length === 64))
    t.ok((data.at(-1)?.length ?? 0) <= 64)
    t.equal(data.length, Math.ceil((Math.ceil(length / 3) * 4) / 64))
  }
})

t.test('lines', async (t) => {
  t.same(splitLines(utf8('')), [])
  t.same(splitLines(utf8('a')), ['a'])
  t.same(splitLines(utf8('a\n')), ['a'])
  t.same(splitLines(utf8('a\n\nb')), ['a', '', 'b'])
  t.same(splitLines(Uint8Array.of(0xff, 0x0a, 0x00)), ['\u00ff', '\u0000'])
})
