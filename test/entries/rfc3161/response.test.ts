import t from 'tap'
import {
  DER_TAG,
  encodeDer,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../../../src/encoding/der.js'
import { readTimestampToken } from '../../../src/entries/rfc3161/response.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { GRANTED, timestampResponse } from '../../helpers/tsr.js'
import { rekorVector } from '../../helpers/vectors.js'

const TSR = rekorVector('rfc3161/test.tsr')
const integer = (...bytes: readonly number[]) => encodeDer(DER_TAG.integer, Uint8Array.from(bytes))
const words = encodeSequence(encodeDer(DER_TAG.utf8String, Buffer.from('Operation Okay')))
const failInfo = encodeDer(DER_TAG.bitString, Uint8Array.of(0))

t.test('tokens', (t) => {
  const token = readTimestampToken(TSR)
  t.equal(token.contentType, '1.2.840.113549.1.9.16.1.4')
  t.equal(token.certificates.length, 2)
  t.equal(token.signers.length, 1)
  for (const status of [
    [GRANTED],
    [integer(1)],
    [GRANTED, words],
    [GRANTED, words, failInfo],
    [GRANTED, failInfo]
  ]) {
    t.equal(readTimestampToken(timestampResponse({ status })).signers.length, 1)
  }
  t.end()
})

t.test('what is refused', async (t) => {
  const notGranted = 'verification_failed: tsr status not granted:'
  const wrongType = 'invalid_request: tsr wrong content type:'
  const strange = 'invalid_request: tsr status: a field that does not belong there'
  // The same with an indefinite length, and with one longer than it need be.
  const body = timestampResponse().subarray(4)
  const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), body, Buffer.of(0, 0)])
  const long = Buffer.concat([Buffer.of(0x30, 0x83, 0, body.length >> 8, body.length & 0xff), body])
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['nothing', new Uint8Array(0), 'invalid_request: tsr: element missing'],
    [
      'an empty sequence',
      encodeSequence(),
      'invalid_request: tsr status: expected tag 0x30, found nothing'
    ],
    ['text', Buffer.from('no DER'), 'invalid_request: tsr: length beyond the end'],
    ['cut off', TSR.subarray(0, -1), 'invalid_request: tsr: length beyond the end'],
    ['more after it', Buffer.concat([TSR, Buffer.of(0)]), 'invalid_request: tsr: trailing data'],
    ['BER of indefinite length', indefinite, 'invalid_request: tsr: length not in DER form'],
    ['BER with a long length', long, 'invalid_request: tsr: length not in its shortest form'],
    ['status 2', timestampResponse({ status: [integer(2)] }), `${notGranted} 2`],
    [
      'status 5 without token',
      timestampResponse({ status: [integer(5)], withToken: false }),
      `${notGranted} 5`
    ],
    [
      'a status of many digits',
      timestampResponse({ status: [encodeUnsignedInteger(10n ** 1000n)] }),
      `${notGranted} 1${'0'.repeat(199)}…`
    ],
    ['status -1', timestampResponse({ status: [integer(0xff)] }), `${notGranted} -1`],
    [
      'status of nine bytes',
      timestampResponse({ status: [integer(1, 0, 0, 0, 0, 0, 0, 0, 0)] }),
      `${notGranted} 18446744073709551616`
    ],
    [
      'status no number',
      timestampResponse({ status: [words] }),
      'invalid_request: tsr status: expected tag 0x2, found tag 0x30'
    ],
    [
      'status missing',
      timestampResponse({ status: [] }),
      'invalid_request: tsr status: expected tag 0x2, found nothing'
    ],
    ['status and more', timestampResponse({ status: [GRANTED, failInfo, words] }), strange],
    ['status twice', timestampResponse({ status: [GRANTED, GRANTED] }), strange],
    ['no token', timestampResponse({ withToken: false }), `${wrongType} `],
    [
      'token of data',
      timestampResponse({ tokenType: '1.2.840.113549.1.7.1' }),
      `${wrongType} 1.2.840.113549.1.7.1`
    ],
    [
      'more than a token',
      timestampResponse({ extra: [GRANTED] }),
      'invalid_request: tsr: too many fields'
    ],
    [
      'token no sequence',
      encodeSequence(encodeSequence(GRANTED), GRANTED),
      'invalid_request: tsr: expected tag 0x30, found tag 0x2'
    ],
    [
      'token without content',
      encodeSequence(encodeSequence(GRANTED), encodeSequence(encodeOid('1.2.840.113549.1.7.2'))),
      'invalid_request: pkcs7: expected tag 0xa0, found nothing'
    ]
  ]
  for (const [name, der, message] of cases) {
    t.equal(await refusalText(() => readTimestampToken(der)), message, name)
  }
})

t.test('fuzz: only refusals', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  let accepted = 0
  for (let i = 0; i < 1500; i++) {
    const bytes = i % 10 === 0 ? random.bytes(1 + random.below(100)) : mutate(TSR, random)
    if ((await unlessRefused(() => readTimestampToken(bytes))) !== undefined) accepted++
  }
  t.ok(accepted > 0, `${accepted} could be read`)
})
