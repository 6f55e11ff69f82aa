// sigstore-js signs and verifies: it takes the token and the addresses, and its trust from a TUF mirror. What it signs, cosign
// and sigstore-go verify, and the other way round.
import { X509Certificate } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import t from 'tap'
import { startOidcProvider } from '../helpers/oidc-provider.js'
import { otherLogKey, readBundle } from './cosign.js'
import {
  expecting,
  type Identity,
  type KeylessTrust,
  keylessTrustedRoot,
  openKeylessSession,
  rootCert,
  strangeKey,
  trustOf
} from './keyless.js'
import { assertLogged } from './logged.js'
import { accepted, openSession, refused } from './session.js'
import { startTufMirror } from './tuf-fixture.js'

const keyless = await openKeylessSession(t)
const { session, person, workload, user, issuersFile } = keyless
const { url } = session.server
const stranger = await openSession(t, ['--ca-issuers-file', issuersFile, '--ca-sct', 'none'])
const strangersRoot = await rootCert(stranger)
const data = Buffer.from('signed by sigstore-js\n')
const artifact = session.write('artifact.txt', data)
const trustedRoot = session.write('trusted_root.json', keylessTrustedRoot(trustOf(keyless)))

// It runs in this process. Its way out, too, leads to the proxy that writes it down; it looks for one when it is loaded.
Object.assign(process.env, session.proxyEnv, { NO_PROXY: '127.0.0.1' })
const { attest, sign, verify } = await import('sigstore')
type Bundle = Awaited<ReturnType<typeof sign>>

/** Where a client with no other trust than this looks. */
async function trusting(name: string, changed: Partial<KeylessTrust> = {}) {
  const mirror = await startTufMirror({
    'trusted_root.json': keylessTrustedRoot({ ...trustOf(keyless), ...changed })
  })
  t.teardown(() => mirror.close())
  const tufCachePath = `${session.dir}/cache-${name}`
  mkdirSync(tufCachePath)
  return {
    tufMirrorURL: mirror.url,
    tufRootPath: session.write(`root-${name}.json`, mirror.root),
    tufCachePath
  }
}

const good = await trusting('good')

/** Whom it wants to have signed. */
function by({ type, name, issuer }: Identity) {
  const identity =
    type === 'uri' ? { certificateIdentityURI: name } : { certificateIdentityEmail: name }
  return { certificateIssuer: issuer, ...identity }
}

async function services(identity: Identity, from = url) {
  const identityToken = await identity.idToken()
  return { identityToken, fulcioURL: from, rekorURL: url, tlogUpload: true, retry: 0 }
}

function certificateOf(bundle: Bundle): X509Certificate {
  const { certificate, x509CertificateChain } = bundle.verificationMaterial
  // sign() writes version 0.2 of the format, attest() 0.3.
  const { rawBytes = '' } = certificate ?? x509CertificateChain?.certificates[0] ?? {}
  return new X509Certificate(Buffer.from(rawBytes, 'base64'))
}

for (const identity of [person, workload]) {
  t.test(`sign and verify, ${identity.type}`, async (t) => {
    const bundle = await sign(data, await services(identity))
    await assertLogged(t, keyless, certificateOf(bundle))
    const me = by(identity)
    await verify(bundle, data, { ...good, ...me })
    t.pass('verified')

    const other = { ct: strangeKey(), rekor: otherLogKey() }
    const cases: [name: string, options: object, artifact: Buffer, message: RegExp][] = [
      ['another artifact', good, Buffer.from('other'), /signature verification failed/],
      [
        'another identity',
        { ...good, ...by({ ...identity, name: 'http://127.0.0.1/joe' }) },
        data,
        /certificate identity error/
      ],
      [
        'another issuer',
        { ...good, certificateIssuer: user.issuer },
        data,
        /invalid certificate extension - expected issuer/
      ]
    ]
    if (identity === person) {
      cases.push(
        [
          'another CT key',
          await trusting('ct', { ctKey: other.ct }),
          data,
          /SCT verification failed/
        ],
        [
          'another log key',
          await trusting('rekor', { rekorKey: other.rekor }),
          data,
          /inclusion promise could not be verified/
        ],
        [
          'another root',
          await trusting('root', { chain: strangersRoot }),
          data,
          /Failed to verify certificate chain/
        ]
      )
    }
    for (const [name, options, signed, message] of cases) {
      await t.rejects(verify(bundle, signed, { ...me, ...options }), { message }, name)
    }
  })
}

t.test('a statement', async (t) => {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'artifact', digest: { sha256: 'ab'.repeat(32) } }],
    predicateType: 'https://example.com/checked',
    predicate: {}
  }
  const type = 'application/vnd.in-toto+json'
  const bundle = await attest(Buffer.from(JSON.stringify(statement)), type, await services(person))
  await assertLogged(t, keyless, certificateOf(bundle))
  await verify(bundle, { ...good, ...by(person) })
  t.pass('verified')
  const changed = structuredClone(bundle)
  if (changed.dsseEnvelope === undefined) throw new Error('no envelope')
  const payload = JSON.stringify({ ...statement, predicate: { changed: true } })
  changed.dsseEnvelope.payload = Buffer.from(payload).toString('base64')
  await t.rejects(verify(changed, { ...good, ...by(person) }), {
    message: /DSSE payload hash mismatch/
  })
})

t.test('others verify its bundle', async (t) => {
  const bundle = session.write(
    'js.sigstore.json',
    JSON.stringify(await sign(data, await services(person)))
  )
  for (const suite of ['trixie', 'sid'] as const) {
    const cosign = (who: readonly string[]) =>
      session.run(suite, 'cosign', [
        ...['verify-blob', ...(suite === 'trixie' ? ['--new-bundle-format'] : []), ...who],
        ...['--trusted-root', trustedRoot, '--bundle', bundle, artifact]
      ])
    accepted(t, await cosign(expecting(person)), `cosign of ${suite}`, /Verified OK/)
    refused(
      t,
      await cosign(expecting(person, { name: 'joe@example.com' })),
      `cosign of ${suite}, other identity`,
      /no matching CertificateIdentity found/
    )
  }
})

t.test("it verifies cosign's bundle", async (t) => {
  const file = `${session.dir}/cosign.sigstore.json`
  const token = session.write('cosign.token', await person.idToken())
  const signed = await session.run('sid', 'cosign', [
    ...['sign-blob', '--yes', '--use-signing-config=false', '--fulcio-url', url],
    ...['--rekor-url', url, '--trusted-root', trustedRoot],
    ...['--identity-token', token, '--bundle', file, artifact]
  ])
  accepted(t, signed, 'sign-blob', /Wrote bundle to file/)
  const bundle = readBundle(file) as unknown as Bundle
  await verify(bundle, data, { ...good, ...by(person) })
  t.pass('verified')
  await t.rejects(
    verify(bundle, data, { ...good, ...by(person), certificateIssuer: user.issuer }),
    { message: /invalid certificate extension - expected issuer/ },
    'another issuer'
  )
})

t.test('a certificate without SCT is not enough', async (t) => {
  const bundle = await sign(data, await services(person, stranger.server.url))
  const trust = await trusting('no-sct', { chain: strangersRoot })
  await t.rejects(verify(bundle, data, { ...trust, ...by(person) }), {
    message: /expected 1 SCTs, got 0/
  })
  await verify(bundle, data, { ...trust, ...by(person), ctLogThreshold: 0 })
  t.pass('which is all that is wrong with it')
})

t.test('what the authority does not take, it says', async (t) => {
  const provider = await startOidcProvider()
  t.teardown(() => provider.close())
  const unknown = { ...person, idToken: () => provider.idToken(person.account) }
  const refusal = await sign(data, await services(unknown)).catch((err: unknown) => err)
  const { message, cause } = refusal as Error
  t.match(`${message} ${String(cause)}`, /There was an error processing the identity token/)
})
