// cosign sign-blob and verify-blob without keys of one's own: a token of a real provider, a certificate of this server with
// its SCT, and every refusal that makes it worth having.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { startOidcProvider } from '../helpers/oidc-provider.js'
import { SUITES } from './clients.js'
import type { Suite } from './clients.js'
import { otherLogKey, readBundle } from './cosign.js'
import {
  expecting,
  type Identity,
  openKeylessSession,
  rootCert,
  strangeKey,
  trustEnv,
  trustFiles,
  type TrustFiles
} from './keyless.js'
import { assertLogged } from './logged.js'
import { accepted, openSession, refused } from './session.js'
import { text, withChange } from './tamper.js'

const keyless = await openKeylessSession(t)
const { session, person, workload, user, issuersFile } = keyless
const { url } = session.server
// Another authority that believes the same providers, but logs nothing.
const stranger = await openSession(t, ['--ca-issuers-file', issuersFile, '--ca-sct', 'none'])
const changedFile = session.write('changed.txt', 'an artifact nobody signed\n')
const wrong = {
  rekorKey: session.write('other-rekor.pub', otherLogKey()),
  ctKey: session.write('other-ctfe.pub', strangeKey()),
  chain: session.write('other-root.pem', await rootCert(stranger))
}

const NO_GOOD_SCT =
  /failed to verify signed certificate timestamp: only able to verify 0 SCT entries/

const CERTIFICATE = ['verificationMaterial', 'certificate', 'rawBytes']
const START = 'start-time=2024-01-01T00:00:00Z'

/** Names under which nobody signed. */
function strangers(identity: Identity) {
  const { issuer } = identity === user ? person : user
  return [
    ['other identity', expecting(identity, { name: 'joe@example.com' })],
    ['other issuer', expecting(identity, { issuer: 'https://issuer.example' })],
    ['the same name at another believed issuer', expecting(identity, { issuer })]
  ] as const
}

/** Where a client is sent for a certificate and an entry. */
function services(from = url): readonly string[] {
  return ['--fulcio-url', from, '--rekor-url', url, '--oidc-issuer', person.issuer]
}

let tokens = 0

/** A token in a file: only RS256 can be given as it is. */
async function tokenFile(identity: Identity): Promise<readonly string[]> {
  const file = session.write(`${++tokens}.token`, await identity.idToken())
  return ['--identity-token', file]
}

/** trusted_root.json by cosign itself, each generation in its own way. */
async function trustedRoot(
  suite: Suite,
  name: string,
  replaced: Partial<TrustFiles> = {}
): Promise<string> {
  const { rekorKey, ctKey, chain } = { ...keyless.files, ...replaced }
  const file = `${session.dir}/${suite}-${name}.trusted_root.json`
  const flags = {
    trixie: [
      ...['--certificate-chain', chain, '--rekor-key', rekorKey, '--ctfe-key', ctKey],
      ...['--rekor-start-time', '2024-01-01T00:00:00Z', '--ctfe-start-time', '2024-01-01T00:00:00Z']
    ],
    sid: [
      ...['--fulcio', `url=${url},certificate-chain=${chain}`],
      ...['--rekor', `url=${url},public-key=${rekorKey},${START}`],
      ...['--ctfe', `url=${keyless.ctUrl},public-key=${ctKey},${START}`]
    ]
  }
  const args = ['trusted-root', 'create', ...flags[suite], '--out', file]
  const made = await session.run(suite, 'cosign', args)
  if (made.status !== 0) throw new Error(`${made.command}: ${made.stderr}`)
  return file
}

const OLD_SIGN: Record<Suite, readonly string[]> = {
  trixie: [],
  sid: ['--use-signing-config=false', '--new-bundle-format=false']
}
const OLD_VERIFY: Record<Suite, readonly string[]> = {
  trixie: [],
  sid: ['--new-bundle-format=false']
}

async function signOld(suite: Suite, identity: Identity, name: string, from = url) {
  const file = session.write(`${suite}-${name}.txt`, `${suite} ${name}\n`)
  const bundle = `${file}.bundle`
  const outcome = await session.run(
    suite,
    'cosign',
    [
      ...['sign-blob', '--yes', ...services(from), ...(await tokenFile(identity))],
      ...['--bundle', bundle, ...OLD_SIGN[suite], file]
    ],
    keyless.env()
  )
  return { file, bundle, outcome }
}

for (const suite of SUITES) {
  for (const identity of [person, workload, user]) {
    t.test(`${suite}, old bundle, ${identity.type}: trust from three files`, async (t) => {
      const { file, bundle, outcome } = await signOld(suite, identity, `old-${identity.type}`)
      accepted(t, outcome, 'sign-blob', /Wrote bundle to file/)
      const pem = Buffer.from(text(readBundle(bundle), ['cert']), 'base64')
      await assertLogged(t, keyless, new X509Certificate(pem))

      const verify = (who: readonly string[], artifact = file, env = keyless.env()) => {
        const args = ['verify-blob', ...OLD_VERIFY[suite], ...who, '--bundle', bundle, artifact]
        return session.run(suite, 'cosign', args, env)
      }
      const right = expecting(identity)
      accepted(t, await verify(right), 'bundle', /Verified OK/)
      for (const [name, who] of strangers(identity)) {
        const noMatch = /none of the expected identities matched what was in the certificate/
        refused(t, await verify(who), name, noMatch)
      }
      if (identity !== person) return
      refused(t, await verify(right, changedFile), 'changed artifact', /matching bundle to payload/)
      const { rekorKey, ctKey, chain } = wrong
      for (const [name, env, reason] of [
        ['log key', { rekorKey }, /rekor log public key not found for payload/],
        ['CT key', { ctKey }, /ctfe public key not found for payload/],
        ['root', { chain }, /x509: certificate signed by unknown authority/]
      ] as const) {
        refused(t, await verify(right, file, keyless.env(env)), `other ${name}`, reason)
      }
    })
  }
}

t.test('trixie checks the SCT before it signs', async (t) => {
  const file = session.write('unsigned.txt', 'never signed\n')
  const sign = async (from: string, replaced: Partial<TrustFiles>) =>
    session.run(
      'trixie',
      'cosign',
      ['sign-blob', '--yes', ...services(from), ...(await tokenFile(person)), file],
      keyless.env(replaced)
    )
  refused(
    t,
    await sign(url, { ctKey: wrong.ctKey }),
    'other CT key',
    /verifying SCT: .*ctfe public key not found/
  )
  const noSct = /verifying SCT: no SCT found/
  refused(t, await sign(stranger.server.url, { chain: wrong.chain }), 'no SCT', noSct)
})

t.test('sid checks the SCT when it verifies', async (t) => {
  const { file, bundle, outcome } = await signOld('sid', person, 'no-sct', stranger.server.url)
  accepted(t, outcome, 'sign-blob', /Wrote bundle to file/)
  const who = expecting(person)
  const verified = await session.run(
    'sid',
    'cosign',
    ['verify-blob', ...OLD_VERIFY.sid, ...who, '--bundle', bundle, file],
    keyless.env({ chain: wrong.chain })
  )
  refused(
    t,
    verified,
    'certificate without SCT',
    /certificate does not include required embedded SCT/
  )
})

/** Signs into a new bundle, each generation in its own way. */
async function signNew(suite: Suite, identity: Identity, name: string) {
  const file = session.write(`${suite}-${name}.txt`, `${suite} ${name}\n`)
  const bundle = `${file}.sigstore.json`
  const how = {
    trixie: [...services(), '--new-bundle-format', ...(await tokenFile(identity))],
    sid: [
      ...['--signing-config', 'signing_config.json', '--trusted-root', roots.sid],
      // Given as it is where that can be: RS256 only.
      ...(identity === workload
        ? await tokenFile(identity)
        : ['--identity-token', await identity.idToken()])
    ]
  }
  const outcome = await session.run(
    suite,
    'cosign',
    ['sign-blob', '--yes', ...how[suite], '--bundle', bundle, file],
    suite === 'trixie' ? keyless.env() : {}
  )
  return { file, bundle, outcome }
}

const roots = { trixie: await trustedRoot('trixie', 'good'), sid: await trustedRoot('sid', 'good') }
const service = `api-version=1,${START},operator=sigstead`
const signingConfig = await session.run('sid', 'cosign', [
  ...['signing-config', 'create', '--fulcio', `url=${url},${service}`],
  ...['--rekor', `url=${url},${service}`, '--rekor-config', 'ANY'],
  ...['--oidc-provider', `url=${person.issuer},${service}`, '--out', 'signing_config.json']
])
accepted(t, signingConfig, 'signing-config create')

interface Given {
  readonly who?: readonly string[]
  readonly root?: string
  readonly artifact?: string
  readonly bundle?: string
}

for (const suite of SUITES) {
  for (const identity of [person, workload]) {
    t.test(`${suite}, new bundle, ${identity.type}: trusted root`, async (t) => {
      const { file, bundle, outcome } = await signNew(suite, identity, `new-${identity.type}`)
      accepted(t, outcome, 'sign-blob', /Wrote bundle to file/)
      const raw = text(readBundle(bundle), CERTIFICATE)
      await assertLogged(t, keyless, new X509Certificate(Buffer.from(raw, 'base64')))

      const verify = (by: Suite, given: Given = {}) =>
        session.run(by, 'cosign', [
          ...['verify-blob', ...(by === 'trixie' ? ['--new-bundle-format'] : [])],
          ...(given.who ?? expecting(identity)),
          ...['--trusted-root', given.root ?? roots[by], '--bundle', given.bundle ?? bundle],
          given.artifact ?? file
        ])
      for (const by of SUITES) accepted(t, await verify(by), `bundle, by ${by}`, /Verified OK/)
      for (const [name, who] of strangers(identity)) {
        const noMatch = /no matching CertificateIdentity found/
        refused(t, await verify(suite, { who }), name, noMatch)
      }
      if (identity !== person) return
      await refusedNew(t, suite, { file, bundle }, verify)
      await bySigstoreGo(t, { file, bundle })
    })
  }
}

interface Signed {
  readonly file: string
  readonly bundle: string
}

/** Everything but the identity, wrong. */
async function refusedNew(
  t: Test,
  suite: Suite,
  { bundle }: Signed,
  verify: (by: Suite, given: Given) => ReturnType<typeof session.run>
): Promise<void> {
  refused(
    t,
    await verify(suite, { artifact: changedFile }),
    'changed artifact',
    /could not verify message: invalid signature/
  )
  const { rekorKey, ctKey, chain } = wrong
  for (const [name, replaced, reason] of [
    ['log key', { rekorKey }, /not enough verified log entries from transparency log: 0 < 1/],
    ['CT key', { ctKey }, NO_GOOD_SCT],
    ['root', { chain }, /leaf certificate verification failed/]
  ] as const) {
    const root = await trustedRoot(suite, name.replace(' ', '-'), replaced)
    refused(t, await verify(suite, { root }), `other ${name}`, reason)
  }
  const another = await signNew(suite, person, 'another')
  const certificate = text(readBundle(another.bundle), CERTIFICATE)
  const mixed = session.write(
    `${suite}-mixed.sigstore.json`,
    withChange(readBundle(bundle), CERTIFICATE, () => certificate)
  )
  refused(
    t,
    await verify(suite, { bundle: mixed }),
    'certificate of another signature',
    /transparency log certificate does not match/
  )
}

/** A verifier that is not cosign. */
async function bySigstoreGo(t: Test, { file, bundle }: Signed): Promise<void> {
  const verify = (who: Identity, name = who.name, root = roots.sid) =>
    session.run('sid', 'sigstore-go-verification', [
      ...['-artifact', file, '-trustedrootJSONpath', root],
      ...['-expectedIssuer', who.issuer, '-expectedSAN', name, bundle]
    ])
  accepted(t, await verify(person), 'sigstore-go', /Verification successful!/)
  const noMatch = /no matching CertificateIdentity found/
  refused(t, await verify(person, 'joe@example.com'), 'sigstore-go, other identity', noMatch)
  refused(t, await verify(user, person.name), 'sigstore-go, other issuer', noMatch)
  const root = await trustedRoot('sid', 'go-ct', { ctKey: wrong.ctKey })
  refused(t, await verify(person, person.name, root), 'sigstore-go, other CT key', NO_GOOD_SCT)
}

t.test('a token the authority does not believe', async (t) => {
  const provider = await startOidcProvider()
  t.teardown(() => provider.close())
  const unknown = { ...person, idToken: () => provider.idToken(person.account) }
  for (const suite of SUITES) {
    const { bundle, outcome } = await signOld(suite, unknown, 'unknown')
    refused(t, outcome, suite, /There was an error processing the identity token/)
    t.throws(() => readFileSync(bundle), { code: 'ENOENT' }, 'nothing was written')
  }
})

t.test('a provider that cannot be asked: its keys are in a file', async (t) => {
  const provider = await startOidcProvider('ES256')
  const { issuer } = provider
  const token = session.write('pinned.token', await provider.idToken(person.account))
  const keys = await (await fetch(`${issuer}/jwks`)).text()
  const otherKeys = await (await fetch(`${workload.issuer}/jwks`)).text()
  await provider.close()

  const keysFile = session.write('keys.json', keys)
  const fulcio = await openSession(t, [
    '--ca-issuers-file',
    session.write(
      'pinned.json',
      JSON.stringify({
        OIDCIssuers: {
          [issuer]: { IssuerURL: issuer, ClientID: 'sigstore', Type: 'email', JWKSFile: keysFile }
        }
      })
    )
  ])
  const { files, pem } = await trustFiles(fulcio)
  t.not(pem.ctKey, keyless.pem.ctKey, 'another authority')
  const env = trustEnv({ ...files, rekorKey: keyless.files.rekorKey })
  const file = session.write('pinned.txt', 'pinned\n')
  const bundle = `${file}.bundle`
  const sign = () =>
    fulcio.run(
      'trixie',
      'cosign',
      [
        ...['sign-blob', '--yes', ...services(fulcio.server.url), '--identity-token', token],
        ...['--bundle', bundle, file]
      ],
      env
    )
  accepted(t, await sign(), 'sign-blob', /Wrote bundle to file/)
  const who = expecting({ ...person, issuer })
  const args = ['verify-blob', ...who, '--bundle', bundle, file]
  accepted(t, await session.run('trixie', 'cosign', args, env), 'bundle', /Verified OK/)

  // Read again for every token.
  session.write('keys.json', otherKeys)
  refused(t, await sign(), 'keys of another', /There was an error processing the identity token/)
  session.write('keys.json', keys)
  accepted(t, await sign(), 'the keys are back', /Wrote bundle to file/)
})
