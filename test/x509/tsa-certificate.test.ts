import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { encodePem } from '../../src/encoding/pem.js'
import type { Certificate } from '../../src/x509/certificate.js'
import { verifyTimestampChain } from '../../src/x509/timestamp-chain.js'
import { buildTsaCertificate, TSA_BACKDATED_SECONDS } from '../../src/x509/tsa-certificate.js'
import { refusalText } from '../helpers/refusals.js'
import { createTestTsa, newSigner, YEAR_SECONDS } from '../helpers/test-tsa.js'

const MADE_AT = 1_767_323_045

const folder = mkdtempSync(join(tmpdir(), 'tsa-certificate-'))

/** Path of a file with these certificates. */
function pemFile(title: string, certificates: readonly Certificate[]): string {
  const path = join(folder, title)
  writeFileSync(path, certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join(''))
  return path
}

function opensslText(certificate: Certificate): string {
  return execFileSync(
    'openssl',
    ['x509', '-noout', '-text', '-in', pemFile('one.pem', [certificate])],
    {
      encoding: 'utf8'
    }
  ).replace(/\s+/g, ' ')
}

t.test('chains of two and of three, as OpenSSL sees them', async (t) => {
  for (const withIntermediate of [false, true]) {
    const { chain, signer } = await createTestTsa({ madeAtSeconds: MADE_AT, withIntermediate })
    const [leaf, ...issuers] = chain
    t.equal(chain.length, withIntermediate ? 3 : 2)
    t.ok(equalBytes(leaf.publicKey.spki, signer.publicKey))
    for (const certificate of chain) {
      t.equal(certificate.notBeforeSeconds, MADE_AT - TSA_BACKDATED_SECONDS)
      t.equal(certificate.notAfterSeconds, MADE_AT + YEAR_SECONDS)
    }
    await verifyTimestampChain(chain, { atSeconds: MADE_AT, enforceIntermediateEku: true })
    const verified = execFileSync(
      'openssl',
      [
        'verify',
        '-x509_strict',
        '-purpose',
        'timestampsign',
        ...['-attime', String(MADE_AT)],
        ...['-CAfile', pemFile('root.pem', issuers.slice(-1))],
        ...(withIntermediate ? ['-untrusted', pemFile('others.pem', issuers.slice(0, -1))] : []),
        pemFile('leaf.pem', [leaf])
      ],
      { encoding: 'utf8' }
    )
    t.match(verified, /: OK/)
  }
})

t.test('what the certificates say', async (t) => {
  const { chain } = await createTestTsa({ madeAtSeconds: MADE_AT, withIntermediate: true })
  const [leaf, intermediate, root] = chain
  if (intermediate === undefined || root === undefined) throw new Error('chain of three')
  const text = opensslText(leaf)
  t.match(text, /Subject: O = example.test, CN = tsa /)
  t.match(text, /Issuer: O = example.test, CN = tsa intermediate /)
  t.match(text, /Key Usage: critical Digital Signature X509v3/)
  t.match(text, /Extended Key Usage: critical Time Stamping X509v3/)
  t.match(
    text,
    /Subject Key Identifier: [0-9A-F:]{59} X509v3 Authority Key Identifier: [0-9A-F:]{59} /
  )
  t.notMatch(text, /Basic Constraints/)
  t.match(
    opensslText(intermediate),
    /Extended Key Usage: Time Stamping X509v3 Basic Constraints: critical CA:TRUE, pathlen:0/
  )
  t.match(opensslText(intermediate), /Key Usage: critical Certificate Sign, CRL Sign/)
  t.match(opensslText(root), /Basic Constraints: critical CA:TRUE X509v3/)
  t.notMatch(opensslText(root), /Extended Key Usage/)
})

t.test('keys of other kinds', async (t) => {
  const { chain } = await createTestTsa({
    madeAtSeconds: MADE_AT,
    algorithm: 'ecdsa-sha2-384-nistp384'
  })
  t.match(opensslText(chain[0]), /NIST CURVE: P-384/)
  await verifyTimestampChain(chain, { atSeconds: MADE_AT, enforceIntermediateEku: true })
})

t.test('refusals', async (t) => {
  const { chain, rootSigner } = await createTestTsa({ madeAtSeconds: MADE_AT })
  const root = chain[1]
  if (root === undefined) throw new Error('chain of two')
  const { publicKey } = await newSigner()
  const fields = {
    subject: { organization: 'example.test', commonName: 'tsa' },
    serialNumber: 9n,
    madeAtSeconds: MADE_AT,
    notAfterSeconds: MADE_AT + YEAR_SECONDS,
    publicKey,
    issuer: root,
    issuerSigner: rootSigner
  }
  t.equal(encodeHex((await buildTsaCertificate(fields)).issuer), encodeHex(root.subject))
  t.equal(
    await refusalText(() =>
      buildTsaCertificate({ ...fields, notAfterSeconds: root.notAfterSeconds + 1 })
    ),
    'invalid_request: the issuing certificate is not valid as long as that'
  )
  t.match(
    await refusalText(() =>
      buildTsaCertificate({ ...fields, subject: { organization: '', commonName: 'tsa' } })
    ),
    /^invalid_request: organization of an authority must be/
  )
  t.match(
    await refusalText(() =>
      buildTsaCertificate({ ...fields, issuer: { ...root, extensions: [] } })
    ),
    /^invalid_request: .*subject key identifier/
  )
})
