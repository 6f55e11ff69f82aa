import t from 'tap'
import { encodeNull, encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { parseCertificate } from '../../src/x509/certificate.js'
import {
  extendedKeyUsagesOf,
  OID_CODE_SIGNING,
  OID_EXTENDED_KEY_USAGE
} from '../../src/x509/extended-key-usage.js'
import { certificate, extension } from '../helpers/certificates.js'
import { certificateOfPem, precertificateVectors } from '../helpers/ct-vectors.js'
import { refusalText } from '../helpers/refusals.js'

const withPurposes = (value: Uint8Array) =>
  parseCertificate(certificate({ extensions: [extension(OID_EXTENDED_KEY_USAGE, value)] }))

t.test('purposes', (t) => {
  for (const { precertificate_pem } of precertificateVectors) {
    t.strictSame(extendedKeyUsagesOf(certificateOfPem(precertificate_pem)), [OID_CODE_SIGNING])
  }
  const several = encodeSequence(encodeOid('2.5.29.37.0'), encodeOid('1.3.6.1.5.5.7.3.8'))
  t.strictSame(extendedKeyUsagesOf(withPurposes(several)), ['2.5.29.37.0', '1.3.6.1.5.5.7.3.8'])
  t.equal(extendedKeyUsagesOf(parseCertificate(certificate())), undefined)
  t.end()
})

t.test('refused', async (t) => {
  for (const value of [encodeNull(), encodeOid(OID_CODE_SIGNING), encodeSequence(encodeNull())]) {
    t.match(
      await refusalText(() => extendedKeyUsagesOf(withPurposes(value))),
      /^invalid_request: x509: invalid extended key usages: expected tag/
    )
  }
})
