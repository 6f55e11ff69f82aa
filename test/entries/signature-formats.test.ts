import t from 'tap'
import {
  KEY_FORMAT_NAMES,
  keyFormat,
  signatureFormat,
  SIGNATURE_FORMAT_NAMES,
  SIGNATURE_FORMATS
} from '../../src/entries/signature-formats.js'
import { refusalText } from '../helpers/refusals.js'

t.same(SIGNATURE_FORMAT_NAMES, ['pgp', 'minisign', 'x509', 'ssh'])
for (const format of SIGNATURE_FORMATS) t.equal(signatureFormat(format.name), format)

t.same(KEY_FORMAT_NAMES, ['pgp', 'minisign', 'x509', 'ssh', 'tuf'])
for (const name of KEY_FORMAT_NAMES) t.equal(keyFormat(name).name, name)

t.test('other names', async (t) => {
  const refused = 'unsupported: the PKI format requested is not supported by this server'
  for (const name of ['', 'PGP', 'pkcs7', 'toString']) {
    t.equal(await refusalText(() => signatureFormat(name)), refused, name)
    t.equal(await refusalText(() => keyFormat(name)), refused, name)
  }
  t.equal(await refusalText(() => signatureFormat('tuf')), refused, 'keys only')
})
