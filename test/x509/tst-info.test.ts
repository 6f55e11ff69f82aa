import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeInteger,
  encodeNull,
  encodeOid,
  encodeSequence
} from '../../src/encoding/der.js'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { encodeMessageImprint } from '../../src/x509/message-imprint.js'
import { parseTimestampRequest } from '../../src/x509/timestamp-request.js'
import { parseTimestampResponse } from '../../src/x509/timestamp-response.js'
import { encodeTstInfo, parseTstInfo, type TstInfoFields } from '../../src/x509/tst-info.js'
import { boolean, extension, name } from '../helpers/certificates.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { OWN_TIME_SECONDS, ownChain, tsaVector } from '../helpers/tsa-vectors.js'

const IMPRINT = { hash: 'sha256', digest: new Uint8Array(32).fill(1) } as const
const EXTENSION = extension('1.2.3.4', encodeNull())
const FIELDS: TstInfoFields = {
  policyOid: '1.2.3.4',
  imprint: IMPRINT,
  serialNumber: Uint8Array.of(0, 0x80, 1),
  genTimeSeconds: 1_700_000_000,
  accuracySeconds: 2,
  nonce: decodeHex('ff0000'),
  authorityName: name('authority'),
  extensions: [EXTENSION]
}

const time = (text: string) => encodeDer(DER_TAG.generalizedTime, encodeUtf8(text))
const GEN_TIME = time('20260102030405Z')
const VERSION = encodeInteger(1n)
const POLICY = encodeOid('1.2.3.4')
const SERIAL = encodeInteger(7n)
const PLAIN = encodeMessageImprint(IMPRINT)

/** A timestamp with these fields after the genTime. */
const info = (...fields: readonly Uint8Array[]) =>
  encodeSequence(VERSION, POLICY, PLAIN, SERIAL, GEN_TIME, ...fields)

t.test('timestamps of another implementation, byte by byte', (t) => {
  t.equal(tsaVector.own.pairs.length, 4)
  for (const { name: title, requestB64, tstInfoB64, expect } of tsaVector.own.pairs) {
    const { imprint, nonce, extensions } = parseTimestampRequest(fromBase64(requestB64))
    const encoded = encodeTstInfo({
      policyOid: expect.policy,
      imprint,
      serialNumber: decodeHex(expect.serialHex),
      genTimeSeconds: OWN_TIME_SECONDS,
      accuracySeconds: expect.accuracySeconds,
      nonce,
      authorityName: ownChain[0]?.subject ?? new Uint8Array(0),
      extensions
    })
    t.equal(encodeHex(encoded), encodeHex(fromBase64(tstInfoB64)), title)
    const parsed = parseTstInfo(encoded)
    t.equal(parsed.genTimeMs, Date.parse(expect.genTime))
    t.equal(parsed.accuracyMs, 1000)
    t.equal(parsed.ordering, false)
    t.equal(encodeHex(parsed.serialNumber).replace(/^00/, ''), expect.serialHex)
  }
  t.end()
})

t.test('timestamps of public instances', (t) => {
  t.equal(tsaVector.real.length, 3)
  for (const { name: title, responseB64 } of tsaVector.real) {
    const { content } = parseTimestampResponse(fromBase64(responseB64))
    const { policyOid, accuracyMs, der } = parseTstInfo(content)
    t.equal(policyOid, '1.3.6.1.4.1.57264.2', title)
    t.equal(accuracyMs, 1000)
    t.equal(der, content)
  }
  t.end()
})

t.test('every field, both ways', (t) => {
  const { der, ...parsed } = parseTstInfo(encodeTstInfo(FIELDS))
  t.ok(equalBytes(der, encodeTstInfo(FIELDS)))
  t.same(parsed, {
    policyOid: '1.2.3.4',
    imprint: IMPRINT,
    serialNumber: Uint8Array.of(0, 0x80, 1),
    genTimeMs: 1_700_000_000_000,
    accuracyMs: 2000,
    ordering: false,
    nonce: decodeHex('ff0000'),
    authorityName: encodeDer(contextTag(4, 'constructed'), name('authority')),
    extensions: [EXTENSION]
  })
  t.end()
})

t.test('what others may leave out or add', (t) => {
  const bare = parseTstInfo(info())
  t.same(
    [bare.accuracyMs, bare.nonce, bare.authorityName, bare.extensions, bare.ordering],
    [undefined, undefined, undefined, [], false]
  )
  t.equal(parseTstInfo(info(boolean(true))).ordering, true)
  const negative = encodeSequence(VERSION, POLICY, PLAIN, encodeInteger(-5n), GEN_TIME)
  t.same(parseTstInfo(negative).serialNumber, Uint8Array.of(0xfb))
  t.equal(
    parseTstInfo(encodeTstInfo({ ...FIELDS, accuracySeconds: undefined })).accuracyMs,
    undefined
  )
  t.end()
})

t.test('fractions of seconds', async (t) => {
  const at = (text: string) => encodeSequence(VERSION, POLICY, PLAIN, SERIAL, time(text))
  const second = Date.parse('2026-01-02T03:04:05Z')
  for (const [text, ms] of [
    ['20260102030405.5Z', 500],
    ['20260102030405.05Z', 50],
    ['20260102030405.123456789Z', 123]
  ] as const) {
    t.equal(parseTstInfo(at(text)).genTimeMs, second + ms, text)
  }
  for (const text of [
    '20260102030405.50Z',
    '20260102030405.Z',
    '20260102030405.5',
    '20260102030405,5Z',
    '20260102030405+0100',
    '20261302030405.5Z',
    '202601020304Z'
  ]) {
    t.match(await refusalText(() => parseTstInfo(at(text))), /^invalid_request: .*time/, text)
  }
})

t.test('accuracies', async (t) => {
  const millis = (value: bigint) =>
    encodeDer(contextTag(0, 'primitive'), encodeInteger(value).subarray(2))
  const micros = (value: bigint) =>
    encodeDer(contextTag(1, 'primitive'), encodeInteger(value).subarray(2))
  for (const [accuracy, ms] of [
    [encodeSequence(), 0],
    [encodeSequence(encodeInteger(3n)), 3000],
    [encodeSequence(millis(20n)), 20],
    [encodeSequence(encodeInteger(1n), millis(999n), micros(1n)), 2000],
    [encodeSequence(micros(999n)), 1]
  ] as const) {
    t.equal(parseTstInfo(info(accuracy)).accuracyMs, ms)
  }
  for (const accuracy of [
    encodeSequence(encodeInteger(-1n)),
    encodeSequence(encodeInteger(1n << 64n)),
    encodeSequence(millis(1000n)),
    encodeSequence(micros(1n), millis(1n)),
    encodeSequence(encodeInteger(1n), encodeInteger(1n))
  ]) {
    t.match(await refusalText(() => parseTstInfo(info(accuracy))), /accuracy/)
  }
})

t.test('malformed timestamps', async (t) => {
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['trailing byte', Uint8Array.of(...info(), 0), 'trailing data'],
    [
      'version 2',
      encodeSequence(encodeInteger(2n), POLICY, PLAIN, SERIAL, GEN_TIME),
      'version is not 1'
    ],
    [
      'no time',
      encodeSequence(VERSION, POLICY, PLAIN, SERIAL),
      'genTime: expected tag 0x18, found nothing'
    ],
    ['unknown field', info(encodeNull()), 'a field that does not belong there'],
    ['wrong order', info(SERIAL, boolean(true)), 'a field that does not belong there'],
    ['no name', info(encodeDer(contextTag(0, 'constructed'))), 'tsa is not one name'],
    [
      'two names',
      info(encodeDer(contextTag(0, 'constructed'), name('a'), name('b'))),
      'tsa is not one name'
    ],
    [
      'extension twice',
      info(encodeDer(contextTag(1, 'constructed'), EXTENSION, EXTENSION)),
      'extensions: 1.2.3.4 stands there twice'
    ]
  ]
  for (const [title, der, problem] of cases) {
    t.equal(
      await refusalText(() => parseTstInfo(der)),
      `invalid_request: timestamp: ${problem}`,
      title
    )
  }
})

t.test('mutated timestamps: nothing but a LogError', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const start = encodeTstInfo(FIELDS)
  for (let i = 0; i < 3000; i++) {
    await unlessRefused(() => parseTstInfo(mutate(start, random)))
  }
  t.ok(await unlessRefused(() => parseTstInfo(start)))
})
