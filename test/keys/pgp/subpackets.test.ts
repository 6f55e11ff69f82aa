import t from 'tap'
import {
  encodeSubpackets,
  MAX_SUBPACKETS,
  parseSubpackets
} from '../../../src/keys/pgp/subpackets.js'
import { bytes, subpacket, wideSubpacket } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

t.test('lengths of one, two and five octets', async (t) => {
  for (const length of [0, 1, 190, 191, 192, 8000, 16_318, 16_319, 20_000]) {
    const contents = new Uint8Array(length).fill(3)
    const wide = wideSubpacket(100, contents)
    const [read, ...rest] = parseSubpackets(wide)
    t.same(read, { type: 100, critical: false, contents }, `${length} bytes`)
    t.same(rest, [])
    const encoded = encodeSubpackets(parseSubpackets(wide))
    const size = length + 1 < 192 ? 1 : length + 1 < 16_320 ? 2 : 5
    t.equal(encoded.length, size + 1 + length, 'written with the shortest length')
    t.same(parseSubpackets(encoded), parseSubpackets(wide))
  }
})

t.test('several, critical and not', async (t) => {
  const area = bytes(
    subpacket(2, bytes(1, 2, 3, 4), true),
    subpacket(16, bytes()),
    subpacket(127, bytes(9))
  )
  t.same(parseSubpackets(area), [
    { type: 2, critical: true, contents: bytes(1, 2, 3, 4) },
    { type: 16, critical: false, contents: bytes() },
    { type: 127, critical: false, contents: bytes(9) }
  ])
  t.same(encodeSubpackets(parseSubpackets(area)), area)
  t.same(parseSubpackets(bytes()), [])
})

t.test('malformed areas', async (t) => {
  const empty = 'invalid_request: openpgp: invalid data: zero length signature subpacket'
  const truncated = 'invalid_request: openpgp: invalid data: signature subpacket truncated'
  const cases: readonly (readonly [area: Uint8Array, message: string])[] = [
    [bytes(0), empty],
    [bytes(255, 0, 0, 0, 0), empty],
    [bytes(1), truncated],
    [bytes(2, 2), truncated],
    [bytes(192), truncated],
    [bytes(254), truncated],
    [bytes(192, 0), truncated],
    [bytes(255), truncated],
    [bytes(255, 0), truncated],
    [bytes(255, 0, 0), truncated],
    [bytes(255, 0, 0, 0), truncated],
    [bytes(255, 255, 255, 255, 255, 1), truncated],
    [bytes(2, 2, 7, 0), empty]
  ]
  for (const [area, message] of cases) {
    t.equal(
      await refusalText(() => parseSubpackets(area)),
      message,
      Buffer.from(area).toString('hex')
    )
  }
})

t.test('as many as a v4 signature has room for, and no more', async (t) => {
  const empty = bytes(1, 100)
  const area = (count: number) => new Uint8Array(2 * count).map((_, i) => empty[i % 2] ?? 0)
  const all = parseSubpackets(area(MAX_SUBPACKETS))
  t.same(encodeSubpackets(all), area(MAX_SUBPACKETS))
  // Where v6 has room for them: they were more than a call has arguments.
  for (const count of [MAX_SUBPACKETS + 1, 500_000]) {
    t.equal(
      await refusalText(() => encodeSubpackets(parseSubpackets(area(count)))),
      'invalid_request: openpgp: invalid data: more than 32768 signature subpackets'
    )
  }
})
