import t from 'tap'
import { concatBytes, equalBytes } from '../../src/encoding/bytes.js'
import {
  encodeCertificateList,
  encodeExtraData,
  parseCertificateList,
  parseExtraData
} from '../../src/x509/ct-extra-data.js'
import {
  certificateVectors,
  ctLogVector,
  fromBase64,
  fromHex,
  pemBytes,
  precertificateVectors
} from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const CHAIN = ctLogVector.ca_chain_pem.map(pemBytes)

t.test('extra data of a log, both ways', (t) => {
  for (const vector of precertificateVectors) {
    const kind = 'precertificate'
    const extraData = { kind, precertificate: pemBytes(vector.precertificate_pem), chain: CHAIN }
    const bytes = fromBase64(vector.extra_data_b64)
    t.ok(equalBytes(encodeExtraData({ ...extraData, kind }), bytes), vector.id)
    t.same(parseExtraData(kind, bytes), extraData)
    t.ok(
      equalBytes(
        concatBytes(
          encodeCertificateList([extraData.precertificate]).subarray(3),
          encodeCertificateList(CHAIN)
        ),
        bytes
      ),
      'precertificate and chain, kept apart, go together again'
    )
  }
  for (const vector of certificateVectors) {
    const bytes = fromBase64(vector.extra_data_b64)
    t.ok(equalBytes(encodeExtraData({ kind: 'certificate', chain: CHAIN }), bytes), vector.id)
    t.same(parseExtraData('certificate', bytes), { kind: 'certificate', chain: CHAIN })
    t.same(parseCertificateList(bytes), CHAIN)
  }
  t.end()
})

const PRECERTIFICATE_HEX = '000001070000090000010800000209' + '0a'

t.test('written by hand', (t) => {
  t.equal(Buffer.from(encodeCertificateList([])).toString('hex'), '000000')
  t.same(parseCertificateList(fromHex('000000')), [])
  const extraData = {
    kind: 'precertificate',
    precertificate: Uint8Array.of(7),
    chain: [Uint8Array.of(8), Uint8Array.of(9, 10)]
  } as const
  t.equal(Buffer.from(encodeExtraData(extraData)).toString('hex'), PRECERTIFICATE_HEX)
  t.same(parseExtraData('precertificate', fromHex(PRECERTIFICATE_HEX)), extraData)
  t.end()
})

const EMPTY = 'invalid_request: extra data: certificate: empty'

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  [
    'nothing',
    () => parseExtraData('certificate', new Uint8Array(0)),
    'invalid_request: extra data: chain: cut short'
  ],
  [
    'no precertificate',
    () => parseExtraData('precertificate', new Uint8Array(0)),
    'invalid_request: extra data: cut short'
  ],
  [
    'precertificate without chain',
    () => parseExtraData('precertificate', fromHex('00000107')),
    'invalid_request: extra data: chain: cut short'
  ],
  ['empty precertificate', () => parseExtraData('precertificate', fromHex('000000000000')), EMPTY],
  ['empty certificate', () => parseCertificateList(fromHex('000003000000')), EMPTY],
  [
    'certificate beyond the list',
    () => parseCertificateList(fromHex('00000400000207')),
    'invalid_request: extra data: chain: cut short'
  ],
  [
    'something after the list',
    () => parseCertificateList(fromHex('00000000')),
    'invalid_request: extra data: chain: trailing data'
  ],
  [
    'something after the list of a precertificate',
    () => parseExtraData('precertificate', fromHex(`${PRECERTIFICATE_HEX}00`)),
    'invalid_request: extra data: chain: trailing data'
  ],
  [
    'kind taken for the other',
    () => parseExtraData('certificate', fromHex(PRECERTIFICATE_HEX)),
    'invalid_request: extra data: chain: trailing data'
  ],
  ['empty certificate to write', () => encodeCertificateList([new Uint8Array(0)]), EMPTY],
  [
    'empty precertificate to write',
    () => encodeExtraData({ kind: 'precertificate', precertificate: new Uint8Array(0), chain: [] }),
    EMPTY
  ],
  [
    'certificate too long to write',
    () => encodeCertificateList([new Uint8Array(2 ** 24)]),
    'invalid_request: extra data: certificate: longer than 16777215 bytes'
  ],
  [
    'chain too long to write',
    () => encodeCertificateList([new Uint8Array(2 ** 24 - 1)]),
    'invalid_request: extra data: chain: longer than 16777215 bytes'
  ]
]

t.test('refused', async (t) => {
  for (const [title, action, message] of REFUSED) t.equal(await refusalText(action), message, title)
})

t.test('mutated: a LogError, or what writes the same bytes', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const parsed = { certificate: 0, precertificate: 0 }
  for (let i = 0; i < 3000; i++) {
    const kind = random.pick(['certificate', 'precertificate'] as const)
    const original = fromHex(PRECERTIFICATE_HEX)
    const bytes = mutate(kind === 'certificate' ? original.subarray(4) : original, random)
    const extraData = await unlessRefused(() => parseExtraData(kind, bytes))
    if (extraData === undefined) continue
    parsed[kind]++
    if (!equalBytes(encodeExtraData(extraData), bytes)) t.fail(Buffer.from(bytes).toString('hex'))
  }
  t.ok(parsed.certificate > 0 && parsed.precertificate > 0, JSON.stringify(parsed))
})
