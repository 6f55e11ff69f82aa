// Images signed and verified by clients that were told one thing, the address of the server's TUF repository, and its
// root: no file, no variable, no flag says what to trust.
import { mkdtempSync } from 'node:fs'
import t from 'tap'
import { moveAttached, SIGNATURE, TIMESTAMP, withAnnotation, withContent } from './attached.js'
import { SUITES, type Suite } from './clients.js'
import { type CosignKey, makeKey } from './cosign.js'
import { expecting } from './keyless.js'
import { openOciSession } from './oci.js'
import type { Image } from './registry.js'
import { accepted, refused, type Session } from './session.js'
import { flipBase64, type Json, withChange } from './tamper.js'

const { keyless, session, stranger, registry, tsaUrl } = await openOciSession(t)
const { person, user } = keyless
const key = await makeKey(session, 'tuf', 'ecdsa')
const otherKey = await makeKey(session, 'tuf-other', 'ecdsa')
const predicate = session.write('predicate.json', '{"checked":"by TUF"}')
const TYPE = 'https://example.com/checked/v1'
const IN_LOG = /Existence of the claims in the transparency log was verified offline/
const NO_LOG =
  /rekor log public key not found for payload|not enough verified log entries from transparency log: 0 < 1/
const OTHER_ROOT = /failed to decode timestamp.json: tuf: valid signatures did not meet threshold/

/** cosign 3 learns from the repository where to sign; cosign 2 is told. */
const SERVICES: Record<Suite, readonly string[]> = {
  trixie: [
    ...['--fulcio-url', session.server.url, '--rekor-url', session.server.url],
    ...['--oidc-issuer', person.issuer, '--timestamp-server-url', tsaUrl]
  ],
  sid: []
}

const TIMESTAMP_CHANGED = {
  sig: withAnnotation(TIMESTAMP, (value) =>
    withChange(JSON.parse(value) as Json, ['SignedRFC3161Timestamp'], flipBase64)
  ),
  referrer: withContent(
    [
      'verificationMaterial',
      'timestampVerificationData',
      'rfc3161Timestamps',
      0,
      'signedTimestamp'
    ],
    flipBase64
  )
}

/** The first root, as it is handed out. @returns path of the file */
async function rootOf(from: Session, to: Session): Promise<string> {
  const answer = await fetch(`${from.server.url}/tuf/1.root.json`)
  if (answer.status !== 200) throw new Error(`1.root.json answered ${answer.status}`)
  return to.write(`${from === to ? 'own' : 'other'}-root.json`, await answer.text())
}

/** Every session has a home of its own. */
function initialize(
  at: Session,
  suite: Suite,
  root: string,
  env?: Readonly<Record<string, string>>
) {
  const mirror = `${at.server.url}/tuf`
  return at.run(suite, 'cosign', ['initialize', '--mirror', mirror, '--root', root], env)
}

for (const suite of SUITES) {
  t.test(suite, async (t) => {
    const place = suite === 'trixie' ? 'sig' : 'referrer'
    accepted(t, await initialize(session, suite, await rootOf(session, session)), 'initialize')
    const strangeHome = { HOME: mkdtempSync(`${session.dir}/home-`) }
    const strangeRoot = await rootOf(stranger, session)
    const strange = await initialize(session, suite, strangeRoot, strangeHome)
    refused(t, strange, 'initialize with the root of another server', OTHER_ROOT)

    const image = await registry.pushImage(suite, `believed by ${suite}`)
    const cosign = (command: string, flags: readonly string[], at = session) =>
      at.run(suite, 'cosign', [command, ...flags])
    const signing = async () => [
      ...['--yes', ...SERVICES[suite]],
      ...['--identity-token', await person.idToken()]
    ]
    accepted(t, await cosign('sign', [...(await signing()), image.reference]), 'sign')
    const verify = ({ reference }: Image, who = expecting(person), at = session) =>
      cosign('verify', [...who, reference], at)
    accepted(t, await verify(image), 'verify', IN_LOG)
    const noMatch =
      /none of the expected identities matched what was in the certificate|no matching CertificateIdentity found/
    refused(
      t,
      await verify(image, expecting(person, { name: 'joe@example.com' })),
      'other identity',
      noMatch
    )
    refused(
      t,
      await verify(image, expecting(person, { issuer: user.issuer })),
      'other issuer',
      noMatch
    )

    const copy = await registry.pushCopy(image, `${suite}-copy`)
    const change =
      place === 'sig'
        ? withAnnotation(SIGNATURE, flipBase64)
        : withContent(['dsseEnvelope', 'signatures', 0, 'sig'], flipBase64)
    await moveAttached(registry, { from: image, to: copy, place }, change)
    const badSignature =
      /signature in bundle does not match|transparency log signature does not match/
    refused(t, await verify(copy), 'signature changed', badSignature)
    const other = await registry.pushImage(`${suite}-other`, 'another image')
    await moveAttached(registry, { from: image, to: other, place })
    const otherImage = /invalid or missing digest in claim|does not match any digest in statement/
    refused(t, await verify(other), 'moved to another image', otherImage)

    const attested = await registry.pushImage(`${suite}-attested`, `attested for ${suite}`)
    const what = ['--type', TYPE, '--predicate', predicate]
    const made = await cosign('attest', [...(await signing()), ...what, attested.reference])
    accepted(t, made, 'attest')
    const verifyAttestation = (type: string) =>
      cosign('verify-attestation', ['--type', type, ...expecting(person), attested.reference])
    accepted(t, await verifyAttestation(TYPE), 'verify-attestation', IN_LOG)
    const noSuchType = /none of the attestations matched the predicate type: /
    refused(t, await verifyAttestation('slsaprovenance1'), 'wrong predicate type', noSuchType)

    // A timestamp was asked for, and its authority is known.
    const stamped = (at: Image) =>
      cosign('verify', ['--use-signed-timestamps', ...expecting(person), at.reference])
    accepted(t, await stamped(image), 'timestamp', IN_LOG)
    await moveAttached(registry, { from: image, to: copy, place }, TIMESTAMP_CHANGED[place])
    const badTimestamp = /unable to verify (RFC3161 timestamp bundle|signed timestamps): /
    refused(t, await stamped(copy), 'timestamp changed', badTimestamp)

    const byKey = await registry.pushImage(`${suite}-key`, `signed with a key by ${suite}`)
    const log = suite === 'trixie' ? ['--rekor-url', session.server.url] : []
    const keySigned = await cosign('sign', [
      '--yes',
      '--key',
      key.privateFile,
      ...log,
      byKey.reference
    ])
    accepted(t, keySigned, 'sign with a key')
    const verifyByKey = ({ publicFile }: CosignKey, at = session) =>
      cosign('verify', ['--key', publicFile, byKey.reference], at)
    accepted(t, await verifyByKey(key), 'verify with a key', IN_LOG)
    const badKey = /comparing public key PEMs|transparency log certificate does not match/
    refused(t, await verifyByKey(otherKey), 'other key', badKey)

    // The same commands, by somebody who believes another server.
    const root = await rootOf(stranger, stranger)
    accepted(t, await initialize(stranger, suite, root), 'initialize elsewhere')
    const elsewhere = await verify(image, expecting(person), stranger)
    refused(t, elsewhere, 'by the trust of another server', NO_LOG)
    const keyElsewhere = await verifyByKey(key, stranger)
    refused(t, keyElsewhere, 'a key by the trust of another server', NO_LOG)
  })
}

t.test('sid, by variables', async (t) => {
  const image = await registry.pushImage('variables', 'signed by variables')
  const believing = async (from: Session) => ({
    HOME: mkdtempSync(`${session.dir}/home-`),
    TUF_MIRROR: `${from.server.url}/tuf`,
    TUF_ROOT_JSON: await rootOf(from, session)
  })
  const own = await believing(session)
  const token = ['--identity-token', await person.idToken()]
  const signed = await session.run(
    'sid',
    'cosign',
    ['sign', '--yes', ...token, image.reference],
    own
  )
  accepted(t, signed, 'sign')
  const args = ['verify', ...expecting(person), image.reference]
  accepted(t, await session.run('sid', 'cosign', args, own), 'verify', IN_LOG)
  const elsewhere = await session.run('sid', 'cosign', args, await believing(stranger))
  refused(t, elsewhere, 'by the trust of another server', NO_LOG)
})
