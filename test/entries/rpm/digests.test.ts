import t from 'tap'
import { parseRpm } from '../../../src/archive/rpm.js'
import { assertHeaderDigest, assertPayloadDigest } from '../../../src/entries/rpm/digests.js'
import { bytes } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'
import {
  binary,
  hexDigest,
  int32,
  makeRpm,
  NAMES,
  PAYLOAD,
  payloadDigest,
  text,
  type RpmOptions,
  type TestTag
} from '../../helpers/rpm.js'
import { rekorVector } from '../../helpers/vectors.js'

const fromHex = (hex: string) => bytes(Buffer.from(hex, 'hex'))
const WRONG = 'ab'.repeat(32)

t.test('digest of the header', async (t) => {
  const check = (signatures: NonNullable<RpmOptions['signatures']>) =>
    assertHeaderDigest(parseRpm(makeRpm({ signatures })))
  const sha1 = (header: Uint8Array) => text(269, hexDigest('sha1', header))
  const sha256 = (header: Uint8Array) => text(273, hexDigest('sha256', header))

  t.doesNotThrow(() => assertHeaderDigest(parseRpm(rekorVector('rpm/test.rpm'))))
  t.doesNotThrow(() => check(() => []), 'none')
  t.doesNotThrow(() => check(() => [text(269, ''), text(273, '')]), 'empty ones')
  t.doesNotThrow(() => check((header) => [sha256(header)]), 'SHA-256')
  t.doesNotThrow(() => check((header) => [sha1(header)]), 'SHA-1')
  t.doesNotThrow(() => check((header) => [text(269, 'x'), sha256(header)]), 'the better one counts')
  t.doesNotThrow(() => check((header) => [sha1(header), text(273, '')]), 'the one there is counts')

  const mismatch = (name: string) => `verification_failed: ${name} mismatch in signature header`
  const upper = (header: Uint8Array) => [text(273, hexDigest('sha256', header).toUpperCase())]
  const cases: readonly (readonly [NonNullable<RpmOptions['signatures']>, string])[] = [
    [() => [text(273, WRONG)], mismatch('SHA-256')],
    [() => [text(269, WRONG)], mismatch('SHA-1')],
    [(header) => [sha1(header), text(273, WRONG)], mismatch('SHA-256')],
    [upper, mismatch('SHA-256')],
    [() => [text(273, 'x')], mismatch('SHA-256')],
    [
      (header) => [binary(273, fromHex(hexDigest('sha256', header)))],
      'invalid_request: unsupported datatype for string: 7, tag: 273'
    ]
  ]
  for (const [signatures, message] of cases)
    t.equal(await refusalText(() => check(signatures)), message)
})

t.test('digest of the payload', async (t) => {
  const check = (tags: readonly TestTag[], signatures: RpmOptions['signatures'] = () => []) =>
    assertPayloadDigest(parseRpm(makeRpm({ tags: [...NAMES, ...tags], signatures })))
  const md5 = (header: Uint8Array, payload: Uint8Array) => [
    binary(1004, fromHex(hexDigest('md5', header, payload)))
  ]
  const wrongMd5 = () => [binary(1004, new Uint8Array(16))]

  t.doesNotThrow(() => assertPayloadDigest(parseRpm(rekorVector('rpm/test.rpm'))))
  const algorithms = [
    [1, 'md5', 'MD5'],
    [2, 'sha1', 'SHA-1'],
    [8, 'sha256', 'SHA-256'],
    [9, 'sha384', 'SHA-384'],
    [10, 'sha512', 'SHA-512'],
    [11, 'sha224', 'SHA-224']
  ] as const
  for (const [number, algorithm, name] of algorithms) {
    const good = hexDigest(algorithm, PAYLOAD)
    t.doesNotThrow(() => check([text(5092, good), int32(5093, number)]), name)
    t.equal(
      await refusalText(() => check([text(5092, hexDigest(algorithm)), int32(5093, number)])),
      `verification_failed: payload ${name} digest mismatch`
    )
  }
  t.doesNotThrow(() => check([], md5), 'MD5 of old packages')
  t.doesNotThrow(() => check(payloadDigest(PAYLOAD), wrongMd5), 'which otherwise is not looked at')

  const good = text(5092, hexDigest('sha256', PAYLOAD))
  const unusable: Readonly<Record<string, readonly TestTag[]>> = {
    'no digest': [],
    'digest without algorithm': [good],
    'algorithm without digest': [int32(5093, 8)],
    'unknown algorithm': [good, int32(5093, 3)]
  }
  for (const [name, tags] of Object.entries(unusable)) {
    t.equal(
      await refusalText(() => check(tags)),
      'verification_failed: no usable payload digest found',
      name
    )
    t.doesNotThrow(() => check(tags, md5), `${name}, but an MD5`)
    t.equal(
      await refusalText(() => check(tags, wrongMd5)),
      'verification_failed: md5 digest mismatch',
      `${name} and a wrong MD5`
    )
  }
  t.equal(
    await refusalText(() => check([int32(5092, 8), int32(5093, 8)])),
    'invalid_request: unsupported datatype for string: 4, tag: 5092'
  )
})
