// cosign sign-blob and verify-blob without keys of one's own: a token of a real provider, a certificate of this server with
// its SCT, and every refusal that makes it worth having.
import t from 'tap'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { otherLogKey } from './cosign.js'
import { EMAIL, keylessTrustedRoot, openKeylessSession, strangeKey } from './keyless.js'
import { accepted, openSession, refused } from './session.js'

const keyless = await openKeylessSession(t)
const { session, issuer, pem } = keyless
const { url } = session.server
// Another authority of the same kind: what it issues must not be taken, and its root must not do.
const stranger = await openSession(t)
const strangersRoot = await (await fetch(`${stranger.server.url}/api/v1/rootCert`)).text()

const ME = ['--certificate-identity', EMAIL, '--certificate-oidc-issuer', issuer]
const SOMEBODY = ['--certificate-identity', 'joe@example.com', '--certificate-oidc-issuer', issuer]
const ELSEWHERE = ['--certificate-identity', EMAIL, '--certificate-oidc-issuer', 'https://x.test']
const changedFile = session.write('changed.txt', 'an artifact nobody signed\n')
const files = {
  rekorKey: session.write('other-rekor.pub', otherLogKey()),
  ctKey: session.write('other-ctfe.pub', strangeKey()),
  chain: session.write('other-root.pem', `${strangersRoot}\n`)
}

const SIGN_FLAGS: Record<Suite, readonly string[]> = {
  trixie: [],
  sid: ['--use-signing-config=false', '--new-bundle-format=false']
}

for (const suite of SUITES) {
  t.test(`${suite}, old bundle: certificate, SCT and log key from files`, async (t) => {
    const file = session.write(`${suite}-old.txt`, `${suite} keyless\n`)
    const bundle = `${file}.bundle`
    const signed = await session.run(
      suite,
      'cosign',
      [
        ...['sign-blob', '--yes', '--fulcio-url', url, '--rekor-url', url, '--oidc-issuer', issuer],
        ...['--identity-token', session.write(`${suite}.token`, await keyless.idToken())],
        ...['--bundle', bundle, ...SIGN_FLAGS[suite], file]
      ],
      keyless.env()
    )
    accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
    const verify = (who: readonly string[], artifact = file, env = keyless.env()) => {
      const format = suite === 'sid' ? ['--new-bundle-format=false'] : []
      const args = ['verify-blob', ...format, ...who, '--bundle', bundle, artifact]
      return session.run(suite, 'cosign', args, env)
    }
    accepted(t, await verify(ME), 'bundle', /Verified OK/)
    refused(
      t,
      await verify(ME, changedFile),
      'changed artifact',
      /matching bundle to payload|invalid signature/
    )
    const noMatch = /none of the expected identities matched what was in the certificate/
    refused(t, await verify(SOMEBODY), 'other identity', noMatch)
    refused(t, await verify(ELSEWHERE), 'other issuer', noMatch)
    const { rekorKey, ctKey, chain } = files
    refused(
      t,
      await verify(ME, file, keyless.env({ rekorKey })),
      'other log key',
      /rekor log public key not found for payload/
    )
    refused(
      t,
      await verify(ME, file, keyless.env({ ctKey })),
      'other CT key',
      /ctfe public key not found for payload/
    )
    refused(
      t,
      await verify(ME, file, keyless.env({ chain })),
      'root of another authority',
      /x509: certificate signed by unknown authority/
    )
  })
}

t.test('trixie checks the SCT before it signs', async (t) => {
  const file = session.write('unsigned.txt', 'never signed\n')
  const outcome = await session.run(
    'trixie',
    'cosign',
    [
      ...['sign-blob', '--yes', '--fulcio-url', url, '--rekor-url', url, '--oidc-issuer', issuer],
      ...['--identity-token', session.write('unsigned.token', await keyless.idToken()), file]
    ],
    keyless.env({ ctKey: files.ctKey })
  )
  refused(t, outcome, 'other CT key', /verifying SCT: .*ctfe public key not found/)
})

t.test('sid, new bundle: signing config and trusted root', async (t) => {
  const trust = { ...pem, rekorUrl: url, fulcioUrl: url, ctUrl: keyless.ctUrl }
  const root = session.write('trusted_root.json', keylessTrustedRoot(trust))
  const start = 'api-version=1,start-time=2024-01-01T00:00:00Z,operator=sigstead'
  const made = await session.run('sid', 'cosign', [
    ...['signing-config', 'create', '--fulcio', `url=${url},${start}`],
    ...['--rekor', `url=${url},${start}`, '--rekor-config', 'ANY'],
    ...['--oidc-provider', `url=${issuer},${start}`, '--out', 'signing_config.json']
  ])
  accepted(t, made, 'signing-config create')
  const file = session.write('sid-new.txt', 'sid keyless, new bundle\n')
  const bundle = `${file}.sigstore.json`
  const signed = await session.run('sid', 'cosign', [
    ...['sign-blob', '--yes', '--signing-config', 'signing_config.json', '--trusted-root', root],
    // Given as it is, and RS256: no file.
    ...['--identity-token', await keyless.idToken(), '--bundle', bundle, file]
  ])
  accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
  const verify = (who: readonly string[], trustedRoot = root, artifact = file) =>
    session.run('sid', 'cosign', [
      ...['verify-blob', ...who, '--trusted-root', trustedRoot, '--bundle', bundle, artifact]
    ])
  accepted(t, await verify(ME), 'bundle', /Verified OK/)
  const older = await session.run('trixie', 'cosign', [
    ...[
      'verify-blob',
      ...ME,
      '--new-bundle-format',
      '--trusted-root',
      root,
      '--bundle',
      bundle,
      file
    ]
  ])
  accepted(t, older, 'bundle, by trixie', /Verified OK/)
  refused(t, await verify(ME, root, changedFile), 'changed artifact', /invalid signature|not match/)
  refused(t, await verify(SOMEBODY), 'other identity', /no matching CertificateIdentity found/)
  refused(t, await verify(ELSEWHERE), 'other issuer', /no matching CertificateIdentity found/)
  const wrong = (name: string, replaced: Partial<typeof trust>) =>
    session.write(`${name}.json`, keylessTrustedRoot({ ...trust, ...replaced }))
  refused(
    t,
    await verify(ME, wrong('other-rekor', { rekorKey: otherLogKey() })),
    'other log key',
    /not enough verified log entries|unable to find .*log|transparency log/
  )
  refused(
    t,
    await verify(ME, wrong('other-ct', { ctKey: strangeKey() })),
    'other CT key',
    /signed certificate timestamp|SCT/i
  )
  refused(
    t,
    await verify(ME, wrong('other-chain', { chain: strangersRoot })),
    'root of another authority',
    /failed to verify leaf certificate|unknown authority/
  )
})

t.test('a token the authority does not believe', async (t) => {
  const token = await keyless.idToken()
  const file = session.write('refused.txt', 'refused\n')
  for (const suite of SUITES) {
    const outcome = await stranger.run(
      suite,
      'cosign',
      [
        ...['sign-blob', '--yes', '--fulcio-url', stranger.server.url, '--rekor-url', url],
        ...['--oidc-issuer', issuer, '--identity-token', session.write(`refused-${suite}`, token)],
        ...['--bundle', 'x.bundle', ...SIGN_FLAGS[suite], file]
      ],
      keyless.env()
    )
    refused(t, outcome, suite, /There was an error processing the identity token/)
  }
})
