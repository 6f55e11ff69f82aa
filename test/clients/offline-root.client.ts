// An authority whose root is kept elsewhere: a request from the server, signed by openssl where the root is, and brought back.
// Clients are given that root; the one that the server had made for itself does not do any more.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { runProgram, SUITES } from './clients.js'
import { readBundle } from './cosign.js'
import {
  certificatesOf,
  expecting,
  keylessTrustedRoot,
  openKeylessSession,
  rootCert,
  trustOf
} from './keyless.js'
import { assertLogged, getJson } from './logged.js'
import { runSigstead } from './server.js'
import { accepted, refused, type Session } from './session.js'
import { text } from './tamper.js'

let firstRoot = ''
const keyless = await openKeylessSession(t, bringChain)
const { session, person } = keyless
const { url } = session.server
const [intermediate, root] = certificatesOf(keyless.pem.chain)
if (intermediate === undefined || root === undefined) throw new Error('no chain')

/** Does what the help of `sigstead ca csr` asks for. @returns the chain */
async function bringChain(opened: Session): Promise<string> {
  const { dir, dataDir, server } = opened
  firstRoot = await rootCert(opened)
  const openssl = async (...args: readonly string[]): Promise<void> => {
    const { status, stderr } = await runProgram('openssl', args, { cwd: dir })
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
  }
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes']
  await openssl(
    ...['req', '-x509', ...ec, '-keyout', 'root.key', '-out', 'root.pem', '-days', '30'],
    ...['-sha384', '-subj', '/O=example.com/CN=offline root'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
  )
  await runSigstead(['ca', 'csr', '--data-dir', dataDir, '--out', `${dir}/ca.csr`])
  opened.write(
    'ca.ext',
    [
      'basicConstraints=critical,CA:TRUE,pathlen:0',
      'keyUsage=critical,keyCertSign,cRLSign',
      'extendedKeyUsage=codeSigning',
      'subjectKeyIdentifier=hash',
      'authorityKeyIdentifier=keyid'
    ].join('\n')
  )
  await openssl(
    ...['x509', '-req', '-in', 'ca.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-days', '10'],
    ...['-sha384', '-CAcreateserial', '-extfile', 'ca.ext', '-out', 'ca.pem']
  )
  const chain = `${readFileSync(`${dir}/ca.pem`, 'utf8')}${readFileSync(`${dir}/root.pem`, 'utf8')}`
  const file = opened.write('chain.pem', chain)
  await server.restart(async () => {
    await runSigstead(['ca', 'import-chain', '--data-dir', dataDir, file])
  })
  return chain
}

/** Leaf below the intermediate, logged; openssl goes all the way up and finds nothing to say against it. */
async function assertIssued(t: Test, leaf: X509Certificate): Promise<void> {
  t.ok(leaf.checkIssued(intermediate as X509Certificate), 'issued by the intermediate')
  await assertLogged(t, keyless, leaf)
  const verified = await runProgram(
    'openssl',
    [
      ...['verify', '-x509_strict', '-CAfile', 'root.pem', '-untrusted', 'ca.pem'],
      session.write('leaf.pem', leaf.toString())
    ],
    { cwd: session.dir }
  )
  accepted(t, verified, 'openssl verify', /leaf\.pem: OK/)
}

const services = ['--fulcio-url', url, '--rekor-url', url, '--oidc-issuer', person.issuer]

for (const suite of SUITES) {
  t.test(`cosign of ${suite}`, async (t) => {
    const file = session.write(`${suite}.txt`, `${suite}\n`)
    const bundle = `${file}.sigstore.json`
    const token = session.write(`${suite}.token`, await person.idToken())
    const newFormat = suite === 'trixie' ? ['--new-bundle-format'] : []
    const signed = await session.run(
      suite,
      'cosign',
      [
        ...['sign-blob', '--yes', ...services, '--identity-token', token, '--bundle', bundle],
        ...(suite === 'trixie' ? newFormat : ['--use-signing-config=false']),
        ...(suite === 'sid' ? ['--trusted-root', rootFile(keyless.pem.chain)] : []),
        file
      ],
      suite === 'trixie' ? keyless.env() : {}
    )
    accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
    const raw = text(readBundle(bundle), ['verificationMaterial', 'certificate', 'rawBytes'])
    await assertIssued(t, new X509Certificate(Buffer.from(raw, 'base64')))
    const verify = (chain: string) =>
      session.run(suite, 'cosign', [
        ...['verify-blob', ...newFormat, ...expecting(person)],
        ...['--trusted-root', rootFile(chain), '--bundle', bundle, file]
      ])
    accepted(t, await verify(keyless.pem.chain), 'verify-blob', /Verified OK/)
    const reason = /leaf certificate verification failed/
    refused(t, await verify(firstRoot), 'the root of before', reason)
  })
}

let files = 0

function rootFile(chain: string): string {
  return session.write(`root-${++files}.json`, keylessTrustedRoot({ ...trustOf(keyless), chain }))
}

t.test('the server says the same of itself', async (t) => {
  const fingerprints = (pem: string) =>
    certificatesOf(pem).map(({ fingerprint256 }) => fingerprint256)
  t.strictSame(fingerprints(await rootCert(session)), fingerprints(keyless.pem.chain))
  const { certificates } = await getJson<{ certificates: string[] }>(`${url}/ct/v1/get-roots`)
  const roots = certificates.map((der) => new X509Certificate(Buffer.from(der, 'base64')))
  const accepted = roots.map(({ fingerprint256 }) => fingerprint256)
  t.strictSame(
    accepted.toSorted(),
    [root.fingerprint256, ...fingerprints(firstRoot)].toSorted(),
    'the log takes what is below either root: certificates of before stay provable'
  )
})
