import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { findExtension } from '../../src/x509/certificate.js'
import { encodeSctList, OID_SCT_LIST, parseSctList } from '../../src/x509/sct-list.js'
import { encodeSct, parseSct } from '../../src/x509/sct.js'
import {
  certificateOfPem,
  fromBase64,
  fromHex,
  precertificateVector,
  precertificateVectors,
  realCertificateVectors
} from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

t.test('the extension of issued certificates, both ways', (t) => {
  for (const vector of precertificateVectors) {
    const value = fromHex(vector.sct_list_extn_value_hex)
    const sct = parseSct(fromBase64(vector.sct_b64))
    t.ok(equalBytes(encodeSctList([sct]), value), vector.id)
    t.same(parseSctList(value), [sct])
    const { extensions } = certificateOfPem(vector.final_certificate_pem)
    const extension = findExtension(extensions, OID_SCT_LIST)
    t.ok(equalBytes(extension?.value ?? new Uint8Array(0), value))
    t.equal(extension?.critical, false)
  }
  t.end()
})

t.test('the extension in certificates of public instances', (t) => {
  for (const {
    name,
    certificatePem,
    scts: [vector]
  } of realCertificateVectors) {
    const extension = findExtension(certificateOfPem(certificatePem).extensions, OID_SCT_LIST)
    const value = extension?.value ?? new Uint8Array(0)
    const scts = parseSctList(value)
    t.same(scts, [parseSct(fromBase64(vector.serialized))], name)
    t.ok(equalBytes(encodeSctList(scts), value))
  }
  t.end()
})

const SCTS = precertificateVectors.map(({ sct_b64 }) => parseSct(fromBase64(sct_b64)))

t.test('several', (t) => {
  const value = encodeSctList(SCTS)
  t.equal(Buffer.from(value.subarray(0, 3)).toString('hex'), '048201', 'a DER length of two bytes')
  t.equal(
    value.length,
    4 + 2 + SCTS.reduce((sum, sct) => sum + 2 + encodeSct(sct).length, 0),
    'and nothing but lengths around them'
  )
  t.same(parseSctList(value), SCTS)
  t.end()
})

const EMPTY = 'invalid_request: sct list: empty'

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  ['none to write', () => encodeSctList([]), EMPTY],
  ['none to read', () => parseSctList(fromHex('04020000')), EMPTY],
  ['no list', () => parseSctList(fromHex('0400')), 'invalid_request: sct list: cut short'],
  [
    'list itself, without DER',
    () => parseSctList(fromHex('00020000')),
    'invalid_request: sct list: tag 0x00 not allowed in DER'
  ],
  [
    'another type',
    () => parseSctList(fromHex('0500')),
    'invalid_request: sct list: expected tag 0x4, found tag 0x5'
  ],
  [
    'something after the OCTET STRING',
    () => parseSctList(fromHex('0402000000')),
    'invalid_request: sct list: trailing data'
  ],
  [
    'something after the list',
    () => parseSctList(fromHex('0403000000')),
    'invalid_request: sct list: trailing data'
  ],
  [
    'list longer than what holds it',
    () => parseSctList(fromHex('040400050002')),
    'invalid_request: sct list: cut short'
  ],
  [
    'empty timestamp',
    () => parseSctList(fromHex('040400020000')),
    'invalid_request: sct: cut short'
  ],
  [
    'timestamp cut short by the list',
    () => parseSctList(fromHex('04050003000200')),
    'invalid_request: sct list: cut short'
  ],
  ['version 2', () => parseSctList(fromHex('04050003000101')), 'unsupported: sct: version 1'],
  [
    'too many',
    () =>
      encodeSctList(
        Array.from({ length: 600 }, () => parseSct(fromBase64(precertificateVector.sct_b64)))
      ),
    'invalid_request: sct list: longer than 65535 bytes'
  ]
]

t.test('refused', async (t) => {
  for (const [title, action, message] of REFUSED) t.equal(await refusalText(action), message, title)
})

t.test('mutated: a LogError, or what writes the same bytes', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const original = encodeSctList(SCTS)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = mutate(original, random)
    const scts = await unlessRefused(() => parseSctList(bytes))
    if (scts === undefined) continue
    parsed++
    if (!equalBytes(encodeSctList(scts), bytes)) t.fail(Buffer.from(bytes).toString('hex'))
  }
  t.ok(parsed > 0, `${parsed} of 3000 were lists`)
})
