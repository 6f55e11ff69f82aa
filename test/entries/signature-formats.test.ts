import t from 'tap'
import {
  signatureFormat,
  SIGNATURE_FORMAT_NAMES,
  SIGNATURE_FORMATS
} from '../../src/entries/signature-formats.js'
import { refusalText } from '../helpers/refusals.js'

t.same(SIGNATURE_FORMAT_NAMES, ['pgp', 'minisign', 'x509', 'ssh'])
for (const format of SIGNATURE_FORMATS) t.equal(signatureFormat(format.name), format)

t.test('other names', async (t) => {
  for (const name of ['', 'PGP', 'tuf', 'pkcs7', 'toString']) {
    t.equal(
      await refusalText(() => signatureFormat(name)),
      'unsupported: the PKI format requested is not supported by this server',
      name
    )
  }
})
