// sigstore-js signs and verifies: it takes the token and the addresses, and its trust from a TUF mirror.
import { mkdirSync } from 'node:fs'
import { sign, verify } from 'sigstore'
import t from 'tap'
import { EMAIL, keylessTrustedRoot, openKeylessSession, strangeKey } from './keyless.js'
import { otherLogKey } from './cosign.js'
import { openSession } from './session.js'
import { startTufMirror } from './tuf-fixture.js'

const keyless = await openKeylessSession(t)
const { session, issuer, pem } = keyless
const { url } = session.server
const stranger = await openSession(t)
const strangersRoot = await (await fetch(`${stranger.server.url}/api/v1/rootCert`)).text()
const data = Buffer.from('signed by sigstore-js\n')
const trust = { ...pem, rekorUrl: url, fulcioUrl: url, ctUrl: keyless.ctUrl }

/** Where a client with no other trust than this looks. */
async function trusting(name: string, changed: Partial<typeof trust> = {}) {
  const mirror = await startTufMirror({
    'trusted_root.json': keylessTrustedRoot({ ...trust, ...changed })
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

const ME = { certificateIssuer: issuer, certificateIdentityEmail: EMAIL }

t.test('sign and verify', async (t) => {
  const bundle = await sign(data, {
    identityToken: await keyless.idToken(),
    fulcioURL: url,
    rekorURL: url,
    tlogUpload: true
  })
  const good = await trusting('good')
  await verify(bundle, data, { ...good, ...ME })
  t.pass('verified')
  const cases: [name: string, options: object, artifact: Buffer, message: RegExp][] = [
    ['another artifact', good, Buffer.from('other'), /signature verification failed/],
    [
      'another identity',
      { ...good, certificateIdentityEmail: 'joe@example.com' },
      data,
      /certificate identity error/
    ],
    [
      'another issuer',
      { ...good, certificateIssuer: 'https://x.test' },
      data,
      /invalid certificate extension - expected issuer/
    ],
    [
      'another CT key',
      await trusting('ct', { ctKey: strangeKey() }),
      data,
      /SCT verification failed/
    ],
    [
      'another log key',
      await trusting('rekor', { rekorKey: otherLogKey() }),
      data,
      /inclusion promise could not be verified/
    ],
    [
      'another root',
      await trusting('root', { chain: strangersRoot }),
      data,
      /Failed to verify certificate chain/
    ]
  ]
  for (const [name, options, artifact, message] of cases) {
    await t.rejects(verify(bundle, artifact, { ...ME, ...options }), { message }, name)
  }
})

t.test('what the authority does not take, it says', async (t) => {
  const refusal = await sign(data, {
    identityToken: await keyless.idToken(),
    fulcioURL: stranger.server.url,
    rekorURL: url,
    retry: 0
  }).catch((err: unknown) => err)
  const { message, cause } = refusal as Error
  t.match(`${message} ${String(cause)}`, /There was an error processing the identity token/)
})
