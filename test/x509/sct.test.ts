import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  encodeDigitallySigned,
  encodeSct,
  parseDigitallySigned,
  parseSct,
  type SignedCertificateTimestamp
} from '../../src/x509/sct.js'
import {
  ctLogVector,
  fromBase64,
  fromHex,
  precertificateVectors,
  realCertificateVectors
} from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const SCT: SignedCertificateTimestamp = {
  logId: new Uint8Array(32).fill(0xaa),
  timestampMs: 1767225661123,
  extensions: Uint8Array.of(1, 2, 3),
  signature: { algorithm: 'rsa', signature: Uint8Array.of(4, 5) }
}
const SCT_HEX = `00${'aa'.repeat(32)}0000019b76db96c3000301020304010002${'0405'}`

t.test('timestamps of a log, both ways', (t) => {
  t.equal(precertificateVectors.length, 3)
  for (const vector of precertificateVectors) {
    const bytes = fromBase64(vector.sct_b64)
    const sct = parseSct(bytes)
    t.ok(equalBytes(sct.logId, fromBase64(ctLogVector.log_id_b64)), vector.id)
    t.equal(sct.timestampMs, vector.sct_timestamp_ms)
    t.equal(sct.extensions.length, 0)
    t.equal(sct.signature.algorithm, 'ecdsa')
    t.ok(equalBytes(encodeSct(sct), bytes))
    t.ok(
      equalBytes(
        encodeDigitallySigned(sct.signature),
        fromBase64(vector.add_pre_chain_response.signature)
      )
    )
  }
  t.end()
})

t.test('timestamps in certificates of public instances, both ways', (t) => {
  t.equal(realCertificateVectors.length, 3)
  for (const {
    name,
    scts: [vector]
  } of realCertificateVectors) {
    const bytes = fromBase64(vector.serialized)
    const sct = parseSct(bytes)
    t.ok(equalBytes(sct.logId, fromBase64(vector.logIdB64)), name)
    t.equal(sct.timestampMs, vector.timestampMs)
    t.ok(equalBytes(sct.extensions, fromHex(vector.extensionsHex)))
    t.ok(equalBytes(sct.signature.signature, fromBase64(vector.signatureB64)))
    t.ok(equalBytes(encodeSct(sct), bytes))
  }
  t.end()
})

t.test('one with all fields, written by hand', (t) => {
  t.equal(Buffer.from(encodeSct(SCT)).toString('hex'), SCT_HEX)
  t.same(parseSct(fromHex(SCT_HEX)), SCT)
  t.end()
})

t.test('signatures, both ways', (t) => {
  for (const [algorithm, prefix] of [
    ['ecdsa', '0403'],
    ['rsa', '0401']
  ] as const) {
    for (const length of [0, 1, 71, 512, 65535]) {
      const signed = { algorithm, signature: new Uint8Array(length).fill(9) }
      const bytes = encodeDigitallySigned(signed)
      t.equal(Buffer.from(bytes.subarray(0, 2)).toString('hex'), prefix)
      t.same(parseDigitallySigned(bytes), signed, `${algorithm} of ${length} bytes`)
    }
  }
  t.end()
})

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  ['nothing', () => parseSct(new Uint8Array(0)), 'invalid_request: sct: cut short'],
  ['version 2', () => parseSct(fromHex(`01${SCT_HEX.slice(2)}`)), 'unsupported: sct: version 1'],
  [
    'something after it',
    () => parseSct(fromHex(`${SCT_HEX}00`)),
    'invalid_request: sct: trailing data'
  ],
  [
    'time beyond safe integers',
    () => parseSct(fromHex(SCT_HEX.replace('0000019b76db96c3', 'ffffffffffffffff'))),
    'invalid_request: sct: number above 2^53-1'
  ],
  [
    'hash SHA-1',
    () => parseDigitallySigned(fromHex('02030000')),
    'unsupported: digitally signed: hash algorithm 2, not SHA-256'
  ],
  [
    'signature algorithm DSA',
    () => parseDigitallySigned(fromHex('04020000')),
    'unsupported: digitally signed: signature algorithm 2'
  ],
  [
    'anonymous signature',
    () => parseDigitallySigned(fromHex('04000000')),
    'unsupported: digitally signed: signature algorithm 0'
  ],
  [
    'signature shorter than it says',
    () => parseDigitallySigned(fromHex('0403000201')),
    'invalid_request: digitally signed: cut short'
  ],
  [
    'something after the signature',
    () => parseDigitallySigned(fromHex('040300010100')),
    'invalid_request: digitally signed: trailing data'
  ],
  [
    'signature too long to write',
    () => encodeDigitallySigned({ algorithm: 'rsa', signature: new Uint8Array(65536) }),
    'invalid_request: digitally signed: signature: longer than 65535 bytes'
  ],
  [
    'log ID of 31 bytes',
    () => encodeSct({ ...SCT, logId: new Uint8Array(31) }),
    'invalid_request: sct: log id: 31 bytes, not 32'
  ],
  [
    'time before the epoch',
    () => encodeSct({ ...SCT, timestampMs: -1 }),
    'invalid_request: sct: timestamp: -1 is not an unsigned integer of 64 bits below 2^53'
  ],
  [
    'extensions too long',
    () => encodeSct({ ...SCT, extensions: new Uint8Array(65536) }),
    'invalid_request: sct: extensions: longer than 65535 bytes'
  ]
]

t.test('refused', async (t) => {
  for (const [title, action, message] of REFUSED) t.equal(await refusalText(action), message, title)
  for (let length = 0; length < SCT_HEX.length / 2; length++) {
    const text = await refusalText(() => parseSct(fromHex(SCT_HEX).subarray(0, length)))
    t.equal(text, 'invalid_request: sct: cut short', `first ${length} bytes`)
  }
})

t.test('mutated: a LogError, or what writes the same bytes', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = mutate(fromHex(SCT_HEX), random)
    const sct = await unlessRefused(() => parseSct(bytes))
    if (sct === undefined) continue
    parsed++
    if (!equalBytes(encodeSct(sct), bytes)) t.fail(Buffer.from(bytes).toString('hex'))
  }
  t.ok(parsed > 0, `${parsed} of 3000 were timestamps`)
})
