import t from 'tap'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import {
  createSshReader,
  encodeSshMpint,
  encodeSshString,
  encodeSshUint32
} from '../../src/keys/ssh-wire.js'
import { refusalText } from '../helpers/refusals.js'

const reader = (hex: string) => createSshReader(decodeHex(hex))

t.test('reads one type after the other', (t) => {
  const input = reader('00000102' + '00000002abcd' + '000000026869' + '0000000200ff' + 'eeee')
  t.equal(input.uint32(), 258)
  t.equal(encodeHex(input.string()), 'abcd')
  t.equal(input.text(), 'hi')
  t.equal(input.unsignedMpint(), 255n)
  t.equal(input.remaining, 2)
  t.equal(encodeHex(input.bytes(2)), 'eeee')
  input.end()
  t.end()
})

t.test('input that ends early, or does not end', async (t) => {
  const short = 'invalid_request: ssh: short read'
  t.equal(await refusalText(() => reader('000000').uint32()), short)
  t.equal(await refusalText(() => reader('00000002ab').string()), short)
  t.equal(await refusalText(() => reader('ffffffffab').string()), short)
  t.equal(await refusalText(() => reader('ab').bytes(2)), short)
  t.equal(await refusalText(() => reader('ab').end()), 'invalid_request: ssh: trailing data')
  const long = createSshReader(encodeSshString(new Uint8Array(1025)))
  t.equal(await refusalText(() => long.text()), 'invalid_request: ssh: name longer than 1024 bytes')
})

t.test('mpint, RFC 4251 section 5', async (t) => {
  for (const [hex, value] of [
    ['0000000809a378f9b2e332a7', 0x9a378f9b2e332a7n],
    ['000000020080', 0x80n],
    ['0000000101', 1n]
  ] as const) {
    t.equal(reader(hex).unsignedMpint(), value)
    t.equal(encodeHex(encodeSshMpint(value)), hex)
  }
  t.equal(reader('00000000').unsignedMpint(), 0n)
  for (const hex of ['0000000180', '00000002ff01', '000000020001', '0000000100']) {
    t.equal(
      await refusalText(() => reader(hex).unsignedMpint()),
      'invalid_request: ssh: mpint negative or not in its shortest form',
      hex
    )
  }
})

t.test('writes', (t) => {
  t.equal(encodeHex(encodeSshUint32(2 ** 32 - 1)), 'ffffffff')
  t.equal(encodeHex(encodeSshString('hé')), '0000000368c3a9')
  t.end()
})
