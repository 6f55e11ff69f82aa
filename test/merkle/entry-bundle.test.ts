import t from 'tap'
import { isLogError } from '../../src/errors.js'
import {
  type BundleFormat,
  LONG_BUNDLES,
  STANDARD_BUNDLES,
  decodeEntryBundle,
  encodeEntryBundle,
  formatBundlePath,
  maxBundleBytes,
  parseBundlePath
} from '../../src/merkle/entry-bundle.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'
import { sha256 } from '../helpers/rfc6962.js'
import { staticLogs } from '../helpers/static-log.js'

const FORMATS = [STANDARD_BUNDLES, LONG_BUNDLES]

/** Two entries of a Rekor v2 log, as they are in its tree. */
const V2_ENTRIES = [
  '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"QaJgPR3lBRZaod8vk9iO2um6bocVyukt7PZE1azKw8U="},"signature":{"content":"MEUCICMJnVegFHpWFO3SAWTrtEyT0MmhdiN65pJo6opodDwrAiEA38wEYnLyG0tycRfi+TkMVVtkoY6lRHgdtZScEhiAm1w=","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErEbSlT2/WgCEFv9AaqySnDKpHtYv1RXRfUgoJ3OhSX4thQ9N/QKwbWnT/TWSVZ0hfXPKVnCwL7tpLjz5XAdsNw=="}}}}}}',
  '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"V91WUzXHC6oun8SKRugJB0NOPG6iNC74BtrZg4kTSc0="},"signature":{"content":"MEUCIC3dJ846YSS0K1LDKG/9lZGDdM+Rnf7kCFtzGoKoETarAiEA+Iq1ZfPlUfsJxV3447/7nhBYqcyfwlVR5OPGBO+ihaU=","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErEbSlT2/WgCEFv9AaqySnDKpHtYv1RXRfUgoJ3OhSX4thQ9N/QKwbWnT/TWSVZ0hfXPKVnCwL7tpLjz5XAdsNw=="}}}}}}'
].map(encodeUtf8)

t.test('a bundle of two entries by example', (t) => {
  const bundle = encodeEntryBundle(STANDARD_BUNDLES, V2_ENTRIES)
  t.equal(bundle.length, 982)
  t.equal(encodeHex(bundle.subarray(0, 4)), '01e97b22')
  t.equal(
    encodeHex(sha256(bundle)),
    'f1a71ccdba4c3ec547c2bdb74b368e5009d15655936efa7797651601bd5225ad'
  )
  t.same(decodeEntryBundle(STANDARD_BUNDLES, bundle, 2), V2_ENTRIES)

  const long = encodeEntryBundle(LONG_BUNDLES, [encodeUtf8('a'), encodeUtf8('bc')])
  t.equal(encodeHex(long), '0000000161' + '000000026263')
  t.end()
})

t.test('full bundles are as others write them', (t) => {
  const { resources } = staticLogs(256).at(256)
  const entries = Array.from({ length: 256 }, (_, i) => encodeUtf8(String(i)))
  t.same(encodeEntryBundle(STANDARD_BUNDLES, entries), resources.get('tile/entries/000'))
  t.same(encodeEntryBundle(LONG_BUNDLES, entries), resources.get('tile/entries-v1/000'))
  t.equal(
    encodeHex(sha256(encodeEntryBundle(STANDARD_BUNDLES, entries))),
    '94693d5c6d6a0355ec07bac8214516c1ce6a5100b0588f226fd95f26571157d7'
  )
  t.end()
})

t.test('both ways, with entries of all lengths', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (const format of FORMATS) {
    for (const width of [1, 2, 255, 256]) {
      const entries = Array.from({ length: width }, () => random.bytes(random.below(300)))
      const bundle = encodeEntryBundle(format, entries)
      const decoded = decodeEntryBundle(format, bundle, width)
      t.strictSame(decoded.map(encodeHex), entries.map(encodeHex), `${format.directory} ${width}`)
    }
    const longest = [new Uint8Array(format.maxEntryBytes).fill(7), new Uint8Array(0)]
    const bundle = encodeEntryBundle(format, longest)
    t.ok(bundle.length < maxBundleBytes(format, 2))
    const [first, second] = decodeEntryBundle(format, bundle, 2)
    t.equal(first?.length, format.maxEntryBytes)
    t.equal(second?.length, 0)
    const all = encodeEntryBundle(format, [longest[0] ?? new Uint8Array(0)])
    t.equal(all.length, maxBundleBytes(format, 1), 'the longest bundle there is')
  }
  t.end()
})

t.test('an entry of more than 65,535 bytes has no place in standard bundles', async (t) => {
  const entry = new Uint8Array(65536).fill(65)
  t.equal(
    await refusalText(() => encodeEntryBundle(STANDARD_BUNDLES, [new Uint8Array(1), entry])),
    'too_large: entry 1 of a bundle has 65536 bytes, at most 65535 fit'
  )
  const bundle = encodeEntryBundle(LONG_BUNDLES, [entry])
  t.equal(encodeHex(bundle.subarray(0, 4)), '00010000')
  t.same(decodeEntryBundle(LONG_BUNDLES, bundle, 1), [entry])
  t.equal(
    await refusalText(() => encodeEntryBundle(LONG_BUNDLES, [new Uint8Array(2 ** 20 + 1)])),
    'too_large: entry 0 of a bundle has 1048577 bytes, at most 1048576 fit'
  )
})

t.test('there is no empty bundle, and none of more than 256', async (t) => {
  for (const width of [0, 257, -1, 1.5, NaN, Infinity]) {
    t.equal(
      await refusalText(() => decodeEntryBundle(STANDARD_BUNDLES, new Uint8Array(0), width)),
      `invalid_request: entry bundle: no bundle has ${width} entries`
    )
  }
  for (const width of [0, 257]) {
    const entries = Array.from({ length: width }, () => new Uint8Array(1))
    t.equal(
      await refusalText(() => encodeEntryBundle(LONG_BUNDLES, entries)),
      `invalid_request: entry bundle: no bundle has ${width} entries`
    )
  }
})

const HOSTILE: readonly (readonly [string, BundleFormat, readonly number[], number, string])[] = [
  ['nothing', STANDARD_BUNDLES, [], 1, 'ends within entry 0 of 1'],
  ['half a length', STANDARD_BUNDLES, [0], 1, 'ends within entry 0 of 1'],
  ['a length alone', STANDARD_BUNDLES, [0, 1], 1, 'ends within entry 0 of 1'],
  ['an entry cut short', STANDARD_BUNDLES, [0, 2, 65], 1, 'ends within entry 0 of 1'],
  ['an entry missing', STANDARD_BUNDLES, [0, 1, 65], 2, 'ends within entry 1 of 2'],
  ['half of the next length', STANDARD_BUNDLES, [0, 1, 65, 0], 2, 'ends within entry 1 of 2'],
  ['a byte too many', STANDARD_BUNDLES, [0, 1, 65, 0], 1, '1 bytes after the last of 1 entries'],
  ['an entry too many', STANDARD_BUNDLES, [0, 0, 0, 0], 1, '2 bytes after the last of 1 entries'],
  ['the longest length', STANDARD_BUNDLES, [255, 255], 1, 'ends within entry 0 of 1'],
  ['4 GiB declared', LONG_BUNDLES, [255, 255, 255, 255, 1], 1, 'ends within entry 0 of 1'],
  ['three bytes of a length', LONG_BUNDLES, [0, 0, 0], 1, 'ends within entry 0 of 1'],
  ['the other format', LONG_BUNDLES, [0, 1, 65, 0, 1, 66], 2, 'ends within entry 0 of 2'],
  [
    'the other format too',
    STANDARD_BUNDLES,
    [0, 0, 0, 1, 65],
    1,
    '3 bytes after the last of 1 entries'
  ]
]

t.test('bundles that are not what they should be', async (t) => {
  for (const [name, format, bytes, width, problem] of HOSTILE) {
    t.equal(
      await refusalText(() => decodeEntryBundle(format, Uint8Array.from(bytes), width)),
      `invalid_request: entry bundle: ${problem}`,
      name
    )
  }
  const tooLong = new Uint8Array(4 + 2 ** 20 + 1)
  tooLong.set([0, 16, 0, 1])
  t.equal(
    await refusalText(() => decodeEntryBundle(LONG_BUNDLES, tooLong, 1)),
    'invalid_request: entry bundle: entry 0 has 1048577 bytes, want at most 1048576'
  )
})

t.test('entries are plain views of what was read', (t) => {
  const memory = Buffer.from([9, 9, 0, 1, 65, 9])
  const [entry] = decodeEntryBundle(STANDARD_BUNDLES, memory.subarray(2, 5), 1)
  t.strictSame(entry, Uint8Array.of(65))
  t.equal(entry?.buffer, memory.buffer)
  t.end()
})

t.test('bundle paths, both ways', (t) => {
  const paths = [
    ['tile/entries/000', STANDARD_BUNDLES, 0, 256],
    ['tile/entries/000.p/1', STANDARD_BUNDLES, 0, 1],
    ['tile/entries/999.p/255', STANDARD_BUNDLES, 999, 255],
    ['tile/entries/x001/x234/067', STANDARD_BUNDLES, 1234067, 256],
    ['tile/entries-v1/x001/000.p/112', LONG_BUNDLES, 1000, 112],
    ['tile/entries-v1/x035/x184/x372/x088/831', LONG_BUNDLES, 2 ** 45 - 1, 256]
  ] as const
  for (const [path, format, tileIndex, width] of paths) {
    t.equal(formatBundlePath(format, { tileIndex, width }), path)
    t.same(parseBundlePath(format, path), { tileIndex, width })
  }
  t.end()
})

t.test('what is not a bundle path is not found', (t) => {
  const paths = {
    nothing: '',
    'no index': 'tile/entries/',
    'no directory': 'tile/000',
    'leading slash': '/tile/entries/000',
    'trailing slash': 'tile/entries/000/',
    'a tile': 'tile/0/000',
    'the other format': 'tile/entries-v1/000',
    'upper case': 'tile/Entries/000',
    'index of two digits': 'tile/entries/00',
    'index of four digits': 'tile/entries/1000',
    'group without x': 'tile/entries/001/000',
    'x on the last group': 'tile/entries/x000',
    'leading zero group': 'tile/entries/x000/001',
    'capital X': 'tile/entries/X001/000',
    'index beyond 2^53': 'tile/entries/x009/x007/x199/x254/x740/992',
    'width 0': 'tile/entries/000.p/0',
    'width 256 spelled out': 'tile/entries/000.p/256',
    'width with leading zero': 'tile/entries/000.p/01',
    'empty width': 'tile/entries/000.p/',
    'no point': 'tile/entries/000/p/1',
    'width twice': 'tile/entries/000.p/1.p/1',
    'percent sign': 'tile/entries/%30%30%30',
    'dot segments': 'tile/entries/../entries/000',
    'newline at the end': 'tile/entries/000\n',
    'a million groups': `tile/entries/${'x000/'.repeat(1_000_000)}000`
  }
  for (const [name, path] of Object.entries(paths)) {
    const code = 'not_found'
    t.throws(() => parseBundlePath(STANDARD_BUNDLES, path), { name: 'LogError', code }, name)
  }
  t.throws(() => parseBundlePath(LONG_BUNDLES, 'tile/entries/000'), { code: 'not_found' })
  t.end()
})

t.test('fuzz: nothing but invalid_request, and what decodes encodes to itself', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const problems: string[] = []
  let decoded = 0
  for (let i = 0; i < 4000; i++) {
    const format = random.pick(FORMATS)
    const width = 1 + random.below(4)
    const entries = Array.from({ length: width }, () => random.bytes(random.below(5)))
    const good = encodeEntryBundle(format, entries)
    const bundle = random.below(8) === 0 ? random.bytes(random.below(40)) : mutate(good, random)
    try {
      const leafValues = decodeEntryBundle(format, bundle, width)
      decoded++
      const again = encodeEntryBundle(format, leafValues)
      if (!Buffer.from(again).equals(bundle)) problems.push(`${encodeHex(bundle)} changed`)
    } catch (err) {
      if (!isLogError(err, 'invalid_request')) problems.push(`${encodeHex(bundle)}: ${String(err)}`)
    }
  }
  t.same(problems, [])
  t.ok(decoded > 100, `${decoded} bundles decoded`)
  t.end()
})
