import { createHash } from 'node:crypto'
import t from 'tap'
import { bytesOf, firstText } from '../../src/archive/rpm-header.js'
import { HEADER_TAG, parseRpm, SIGNATURE_TAG } from '../../src/archive/rpm.js'
import { mutate } from '../helpers/mutations.js'
import { bytes, utf8 } from '../helpers/pgp.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { binary, joinRpm, LEAD, makeHeader, makeRpm, NAMES, PAYLOAD } from '../helpers/rpm.js'
import { rekorVector } from '../helpers/vectors.js'

const FILE = rekorVector('rpm/test.rpm')
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')

t.test('a real package', async (t) => {
  const { signatureHeader, header, payload, headerAndPayload } = parseRpm(FILE)
  t.equal(firstText(header, HEADER_TAG.name), 'test-package')
  t.equal(firstText(header, HEADER_TAG.architecture), 'noarch')
  t.equal(sha256(header.bytes), firstText(signatureHeader, SIGNATURE_TAG.sha256))
  t.equal(sha256(payload), firstText(header, HEADER_TAG.payloadDigest))
  t.same(headerAndPayload, bytes(header.bytes, payload))
  t.equal(bytesOf(signatureHeader, SIGNATURE_TAG.rsa)?.length, 364)
  t.equal(bytesOf(signatureHeader, SIGNATURE_TAG.md5), undefined)
})

t.test('signature headers are padded, whatever they are long', async (t) => {
  const lengths = Array.from({ length: 17 }, (_, i) => i + 1)
  const read = lengths.map((length) => {
    const signatures = () => [binary(1, new Uint8Array(length).fill(1))]
    const { signatureHeader, header, payload } = parseRpm(makeRpm({ signatures }))
    const name = firstText(header, HEADER_TAG.name)
    return [signatureHeader.bytes.length, name, Buffer.from(payload).toString()]
  })
  const expected = (length: number) => [32 + length, 'hello', Buffer.from(PAYLOAD).toString()]
  t.same(read, lengths.map(expected))
})

t.test('a package without payload', async (t) => {
  const { payload, header, headerAndPayload } = parseRpm(makeRpm({ payload: bytes() }))
  t.equal(payload.length, 0)
  t.same(headerAndPayload, header.bytes)
})

t.test('what is refused', async (t) => {
  const signatures = makeHeader([binary(1, bytes(1))])
  const many = Array.from({ length: 33 }, (_, i) => binary(i, bytes(1)))
  const cases: readonly (readonly [name: string, file: Uint8Array, message: string])[] = [
    ['nothing', bytes(), 'error reading RPM lead: EOF'],
    ['part of the lead', LEAD.subarray(0, 95), 'error reading RPM lead: unexpected EOF'],
    ['another file', utf8('a'.repeat(200)), 'file is not an RPM'],
    ['only a lead', LEAD, 'error reading RPM header: EOF'],
    ['signature header with wrong magic', bytes(LEAD, new Uint8Array(16)), 'bad magic for header'],
    ['no padding', bytes(LEAD, signatures), 'error reading RPM header data: EOF'],
    [
      'part of the padding',
      bytes(LEAD, signatures, 0),
      'error reading RPM header data: unexpected EOF'
    ],
    ['no header', joinRpm(signatures, bytes(), bytes()), 'error reading RPM header: EOF'],
    ['no general header but a payload', joinRpm(signatures, PAYLOAD), 'bad magic for header'],
    [
      'negative size of the signature header',
      joinRpm(makeHeader([], { dataBytes: -8 }), makeHeader(NAMES)),
      'RPM header with -8 bytes of data'
    ],
    [
      // Rounded up to eight this is 0 in 32 bits.
      'size of the signature header that overflows',
      joinRpm(makeHeader([], { dataBytes: 0xffffffff }), makeHeader(NAMES)),
      'RPM header with -1 bytes of data'
    ],
    [
      'too many signatures',
      joinRpm(makeHeader(many), makeHeader(NAMES)),
      'RPM header with 33 index entries, more than 32'
    ],
    [
      'signature header of 64 MiB and a byte',
      joinRpm(makeHeader([], { dataBytes: 2 ** 26 + 1 }), makeHeader(NAMES)),
      'RPM header with 67108865 bytes of data, more than 67108864'
    ],
    [
      'negative size of the header',
      joinRpm(signatures, makeHeader(NAMES, { dataBytes: -1 })),
      'RPM header with -1 bytes of data'
    ],
    [
      'size of the header in gigabytes',
      joinRpm(signatures, makeHeader(NAMES, { dataBytes: 2 ** 31 - 1 })),
      'RPM header with 2147483647 bytes of data, more than 268435455'
    ],
    [
      'size of the header behind the end of the file',
      joinRpm(signatures, makeHeader(NAMES, { dataBytes: 2 ** 28 - 1 })),
      'error reading RPM header data: unexpected EOF'
    ],
    [
      'negative number of entries of the header',
      joinRpm(signatures, makeHeader(NAMES, { entries: -1 })),
      'RPM header with -1 index entries'
    ]
  ]
  for (const [name, file, message] of cases) {
    t.equal(await refusalText(() => parseRpm(file)), `invalid_request: ${message}`, name)
  }
})

t.test('fuzz: mutated packages are taken apart or refused', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const made = makeRpm({ signatures: () => [binary(268, bytes(1, 2, 3))] })
  const wrong: string[] = []
  let read = 0
  for (let i = 0; i < 1500; i++) {
    const input =
      random.below(20) === 0
        ? bytes(FILE.subarray(0, 96 + random.below(2) * 8), random.bytes(random.below(100)))
        : mutate(random.below(4) === 0 ? FILE : made, random)
    const parts = await unlessRefused(() => parseRpm(input))
    if (parts === undefined) continue
    read++
    // Put together again it is the same file, but for lead and padding.
    const { signatureHeader, header, payload } = parts
    const start = 96 + signatureHeader.bytes.length
    const again = Buffer.concat([
      input.subarray(0, 96),
      signatureHeader.bytes,
      input.subarray(start, start + (-start & 7)),
      header.bytes,
      payload
    ])
    if (!again.equals(input)) wrong.push(Buffer.from(input).toString('hex'))
  }
  t.same(wrong, [])
  t.ok(read > 100, `${read} were read`)
})
