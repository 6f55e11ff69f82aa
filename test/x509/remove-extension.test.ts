import { createHash } from 'node:crypto'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  encodeDer,
  encodeNull,
  encodeSequence,
  parseDer
} from '../../src/encoding/der.js'
import { parseCertificate } from '../../src/x509/certificate.js'
import { removeExtension } from '../../src/x509/remove-extension.js'
import { basicConstraints, certificate, extension, keyUsage } from '../helpers/certificates.js'
import {
  certificateOfPem,
  fromBase64,
  precertificateVectors,
  realCertificateVectors
} from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const POISON = '1.3.6.1.4.1.11129.2.4.3'
const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2'

t.test('precertificate and certificate become the same', (t) => {
  for (const vector of precertificateVectors) {
    const want = fromBase64(vector.defanged_tbs_b64)
    const precertificate = certificateOfPem(vector.precertificate_pem)
    const final = certificateOfPem(vector.final_certificate_pem)
    t.ok(equalBytes(removeExtension(precertificate.tbs, POISON), want), vector.id)
    t.ok(equalBytes(removeExtension(final.tbs, SCT_LIST), want))
  }
  t.end()
})

t.test('certificates of public instances', (t) => {
  for (const vector of realCertificateVectors) {
    const tbs = removeExtension(certificateOfPem(vector.certificatePem).tbs, SCT_LIST)
    t.equal(tbs.length, vector.defangedTbsLength, vector.name)
    t.equal(createHash('sha256').update(tbs).digest('hex'), vector.defangedTbsSha256Hex)
  }
  t.end()
})

const tbsOf = (...extensions: readonly Uint8Array[]) =>
  parseCertificate(certificate({ extensions })).tbs

t.test('as if it had never been there', (t) => {
  const poison = extension(POISON, encodeNull(), true)
  const others = [basicConstraints(true, 1), keyUsage(5), extension('1.2.3', encodeNull())]
  for (let at = 0; at <= others.length; at++) {
    const tbs = tbsOf(...others.slice(0, at), poison, ...others.slice(at))
    t.ok(equalBytes(removeExtension(tbs, POISON), tbsOf(...others)), `at ${at}`)
  }
  t.end()
})

t.test('where a length becomes one byte shorter', (t) => {
  const poison = extension(POISON, encodeNull(), true)
  // Lengths of list, wrapper and TBS pass 128, 256 and 65536 at different sizes.
  const around = (size: number) => Array.from({ length: 40 }, (_, i) => size - 20 + i)
  for (const size of [...around(100), ...around(240), ...around(65_300), ...around(65_520)]) {
    const other = extension('1.2.3', new Uint8Array(size))
    if (!equalBytes(removeExtension(tbsOf(other, poison), POISON), tbsOf(other))) {
      t.fail(`with ${size} bytes`)
    }
  }
  t.end()
})

t.test('the only one: the list goes with it', (t) => {
  const alone = tbsOf(extension(POISON, encodeNull(), true))
  const none = parseCertificate(certificate({ extensions: 'none' })).tbs
  t.ok(equalBytes(removeExtension(alone, POISON), none))
  t.end()
})

const malformed = (problem: string) =>
  `invalid_request: x509: malformed tbs certificate: ${problem}`
const wrapped = (...content: readonly Uint8Array[]) =>
  encodeSequence(encodeNull(), encodeDer(contextTag(3, 'constructed'), ...content))
const NO_LIST = malformed('no list of extensions at its end')

const REFUSED: readonly (readonly [string, Uint8Array, string | RegExp])[] = [
  [
    'no such extension',
    tbsOf(keyUsage(5), extension(SCT_LIST, encodeNull())),
    malformed(`0 extensions ${POISON}, not one`)
  ],
  [
    'the extension twice',
    wrapped(
      encodeSequence(
        extension(POISON, encodeNull()),
        keyUsage(5),
        extension(POISON, encodeNull(), true)
      )
    ),
    malformed(`2 extensions ${POISON}, not one`)
  ],
  ['no extensions', parseCertificate(certificate({ extensions: 'none' })).tbs, NO_LIST],
  ['empty TBS', encodeSequence(), NO_LIST],
  ['empty wrapper', wrapped(), NO_LIST],
  [
    'two lists',
    wrapped(encodeSequence(extension(POISON, encodeNull())), encodeSequence()),
    NO_LIST
  ],
  [
    'something after the list',
    encodeSequence(
      encodeDer(contextTag(3, 'constructed'), encodeSequence(extension(POISON, encodeNull()))),
      encodeNull()
    ),
    NO_LIST
  ],
  ['list no sequence', wrapped(encodeNull()), /expected tag 0x30, found tag 0x5/],
  ['extension no sequence', wrapped(encodeSequence(encodeNull())), /expected tag 0x30, found/],
  ['extension without OID', wrapped(encodeSequence(encodeSequence())), /expected tag 0x6, found/],
  ['no sequence', encodeNull(), /expected tag 0x30, found tag 0x5/],
  ['nothing', new Uint8Array(0), malformed('element missing')],
  [
    'a whole certificate',
    certificate({ extensions: [extension(POISON, encodeNull(), true)] }),
    NO_LIST
  ]
]

t.test('refused', async (t) => {
  for (const [title, tbs, message] of REFUSED) {
    const text = await refusalText(() => removeExtension(tbs, POISON))
    if (typeof message === 'string') t.equal(text, message, title)
    else t.match(text, message, title)
  }
})

t.test('mutated: a LogError, or the same fields and no such extension', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const poison = extension(POISON, encodeNull(), true)
  const original = tbsOf(basicConstraints(true, 1), poison, keyUsage(5))
  let removed = 0
  for (let i = 0; i < 2000; i++) {
    const tbs = mutate(original, random)
    const rest = await unlessRefused(() => removeExtension(tbs, POISON))
    if (rest === undefined) continue
    removed++
    const again = await unlessRefused(() => removeExtension(rest, POISON))
    const kept = fieldsBefore(tbs).every((field, at) => {
      return equalBytes(field, fieldsBefore(rest)[at] ?? new Uint8Array(0))
    })
    if (again !== undefined || !kept) t.fail(Buffer.from(tbs).toString('hex'))
  }
  t.ok(removed > 0, `${removed} of 2000 had the extension once`)
})

/** All fields but the extensions. */
function fieldsBefore(tbs: Uint8Array): readonly Uint8Array[] {
  return parseDer(tbs)
    .children.filter(({ tag }) => tag !== contextTag(3, 'constructed'))
    .map(({ encoded }) => encoded)
}
