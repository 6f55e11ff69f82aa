import t from 'tap'
import { DER_TAG, encodeDer, encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { encodeAuthorityName } from '../../src/x509/ca-certificate.js'
import { readSubjectNames } from '../../src/x509/subject-name.js'
import { isLogError } from '../../src/errors.js'

const BMP_STRING = 0x1e

function name(...attributes: readonly [oid: string, tag: number, text: string][]): Uint8Array {
  return encodeSequence(
    ...attributes.map(([oid, tag, text]) =>
      encodeDer(DER_TAG.set, encodeSequence(encodeOid(oid), encodeDer(tag, encodeUtf8(text))))
    )
  )
}

t.test('names of an authority', (t) => {
  const der = encodeAuthorityName({ organization: 'Bücher', commonName: 'issuing' })
  t.same(readSubjectNames(der), { organization: 'Bücher', commonName: 'issuing' })
  t.end()
})

t.test(
  'the first of several, in any kind of text; what is not there or not UTF-8 is not told',
  (t) => {
    t.same(
      readSubjectNames(
        name(
          ['2.5.4.11', DER_TAG.utf8String, 'unit'],
          ['2.5.4.3', DER_TAG.printableString, 'one'],
          ['2.5.4.3', DER_TAG.ia5String, 'two']
        )
      ),
      { organization: undefined, commonName: 'one' }
    )
    t.same(
      readSubjectNames(name(['2.5.4.10', BMP_STRING, 'AB'], ['2.5.4.3', DER_TAG.ia5String, 'x'])),
      {
        organization: undefined,
        commonName: 'x'
      }
    )
    t.same(readSubjectNames(name()), { organization: undefined, commonName: undefined })
    t.end()
  }
)

t.test('malformed names are refused', (t) => {
  const attribute = encodeSequence(encodeOid('2.5.4.3'))
  const cases: Readonly<Record<string, Uint8Array>> = {
    'no DER': Uint8Array.of(0x30, 0x05),
    'no sequence': encodeDer(DER_TAG.set),
    'no set in it': encodeSequence(attribute),
    'no attribute': encodeSequence(encodeDer(DER_TAG.set, encodeOid('2.5.4.3'))),
    'no type': encodeSequence(encodeDer(DER_TAG.set, encodeSequence())),
    'no UTF-8': encodeSequence(
      encodeDer(
        DER_TAG.set,
        encodeSequence(encodeOid('2.5.4.3'), encodeDer(DER_TAG.utf8String, Uint8Array.of(0xff)))
      )
    )
  }
  for (const [title, der] of Object.entries(cases)) {
    try {
      readSubjectNames(der)
      t.fail(title)
    } catch (err) {
      t.ok(isLogError(err, 'invalid_request'), title)
    }
  }
  t.same(readSubjectNames(encodeSequence(encodeDer(DER_TAG.set, attribute))), {
    organization: undefined,
    commonName: undefined
  })
  t.end()
})
