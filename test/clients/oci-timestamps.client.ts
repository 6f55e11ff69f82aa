// Signatures of images with an RFC 3161 timestamp, and sigstore-go's reader of images, which wants one.
import t from 'tap'
import {
  type Attached,
  moveAttached,
  type Place,
  readAttached,
  REKOR_BUNDLE,
  SIGNATURE,
  TIMESTAMP,
  withAnnotation,
  withContent
} from './attached.js'
import { SUITES } from './clients.js'
import type { Identity } from './keyless.js'
import { openOciSession, type Signer, type Told, type Trust, type Way } from './oci.js'
import type { Image } from './registry.js'
import { accepted, refused } from './session.js'
import { flipBase64, type Json, member, withChange } from './tamper.js'

const oci = await openOciSession(t)
const { keyless, session, registry, signers, tsaUrl, wrong } = oci
const { url } = session.server
const { person, user } = keyless
const predicate = session.write('predicate.json', '{"checked":"in time"}')
const TYPE = 'https://example.com/checked/v1'

const since = { validFor: { start: '2024-01-01T00:00:00Z' }, operator: 'sigstead' }
const service = { url, majorApiVersion: 1, ...since }
// Written by hand: `cosign signing-config create` is in cosign-keyless.
const signingConfig = session.write(
  'signing_config.json',
  JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service],
    oidcUrls: [{ ...service, url: person.issuer }],
    rekorTlogUrls: [service],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [{ ...service, url: tsaUrl }],
    tsaConfig: { selector: 'ANY' }
  })
)
const goodRoot = oci.trustedRoot()

/** cosign 3 goes where the signing config says, the others where flags say. */
async function signing(signer: Signer, way: Way): Promise<Told> {
  if (way.format === 'old') {
    const { flags, ...rest } = await signer.signing(way)
    return { ...rest, flags: [...flags, '--timestamp-server-url', tsaUrl] }
  }
  const who =
    signer.name === 'key'
      ? ['--key', `${session.dir}/signer.key`]
      : ['--identity-token', await person.idToken()]
  return {
    flags: ['--yes', '--signing-config', signingConfig, '--trusted-root', goodRoot, ...who]
  }
}

const NEW_TIMESTAMPS = ['verificationMaterial', 'timestampVerificationData']

/** An attachment with the timestamps of another. */
function withTimestampsOf(other: Attached, { format }: Way): (attached: Attached) => Attached {
  if (format === 'old') return withAnnotation(TIMESTAMP, () => other.annotations[TIMESTAMP])
  const timestamps = member(JSON.parse(other.content) as Json, NEW_TIMESTAMPS)
  return withContent(NEW_TIMESTAMPS, () => timestamps)
}

for (const way of [
  { suite: 'trixie', format: 'old' },
  { suite: 'sid', format: 'old' },
  { suite: 'sid', format: 'new' }
] as const) {
  for (const signer of signers) {
    for (const command of ['sign', 'attest'] as const) {
      // cosign 3 lets the signature be stamped here, and then looks for a stamp of the envelope.
      if (way.suite === 'sid' && way.format === 'old' && command === 'attest') continue
      t.test(`${way.suite}, ${way.format} format, ${signer.name}: ${command}`, async (t) => {
        const repository = `${command}/${way.suite}-${way.format}-${signer.name}`
        const make = async (name: string): Promise<Image> => {
          const image = await registry.pushImage(`${repository}-${name}`, repository)
          const what: readonly string[] =
            command === 'sign' ? [] : ['--type', TYPE, '--predicate', predicate]
          const made = await oci.cosign(way.suite, command, await signing(signer, way), {
            flags: [...what, image.reference]
          })
          accepted(t, made, `${command} ${name}`)
          return image
        }
        const verify = ({ reference }: Image, trust: Partial<Trust> = {}) => {
          const check: readonly string[] = command === 'sign' ? [] : ['--type', TYPE]
          return oci.cosign(
            way.suite,
            command === 'sign' ? 'verify' : 'verify-attestation',
            oci.trusting(way, trust),
            { flags: [...check, ...signer.expected, '--use-signed-timestamps', reference] }
          )
        }
        const tag: Place = command === 'sign' ? 'sig' : 'att'
        const place = way.format === 'old' ? tag : 'referrer'

        const image = await make('image')
        accepted(t, await verify(image), 'timestamp', /The cosign claims were validated/)
        const { tsaChain } = wrong
        refused(
          t,
          await verify(image, { tsaChain }),
          'chain of another authority',
          /unable to verify (RFC3161 timestamp bundle|signed timestamps): error while verifying/
        )
        const again = await readAttached(registry, await make('again'), place)
        const copy = await registry.pushCopy(image, `${repository}-copy`)
        const change = withTimestampsOf(again, way)
        await moveAttached(registry, { from: image, to: copy, place }, change)
        const reason = /hashed messages don't match/
        refused(t, await verify(copy), 'timestamp of another signature', reason)

        // In the old format both generations take the log's time when there is no timestamp.
        if (way.format === 'old') return
        const none = withContent(NEW_TIMESTAMPS, () => ({}))
        await moveAttached(registry, { from: image, to: copy, place }, none)
        const missing = /threshold not met for verified signed timestamps: 0 < 1/
        refused(t, await verify(copy), 'no timestamp', missing)
      })
    }
  }
}

const TAMPERINGS = [
  {
    name: 'signature',
    change: withAnnotation(SIGNATURE, flipBase64),
    reason: /transparency log signature does not match/
  },
  {
    name: 'SET',
    change: withAnnotation(REKOR_BUNDLE, (bundle) =>
      withChange(JSON.parse(bundle) as Json, ['SignedEntryTimestamp'], flipBase64)
    ),
    reason: /not enough verified log entries from transparency log: 0 < 1/
  },
  {
    name: 'payload',
    change: withContent(['optional'], () => ({ checked: true })),
    reason: /log hashedrekord entry digest [0-9a-f]{64} does not match artifact|invalid signature/
  }
]

interface Expected {
  /** Whose issuer. */
  readonly who?: Identity
  readonly name?: string
  readonly root?: string
}

for (const suite of SUITES) {
  t.test(`sigstore-go, an image signed keyless by ${suite}`, async (t) => {
    const way = { suite, format: 'old' } as const
    const image = await registry.pushImage(`go/${suite}`, `for sigstore-go by ${suite}`)
    const [, keylessSigner] = signers
    const signed = await oci.cosign(suite, 'sign', await signing(keylessSigner, way), {
      flags: [image.reference]
    })
    accepted(t, signed, 'sign')
    const copy = await registry.pushCopy(image, `go/${suite}-copy`)
    for (const by of SUITES) {
      const verify = (
        { reference }: Image,
        { who = person, name = who.name, root = goodRoot }: Expected = {}
      ) =>
        session.run(by, 'oci-image-verification', [
          ...['-ociImage', reference, '-trustedrootJSONpath', root],
          ...['-expectedIssuer', who.issuer, '-expectedSAN', name]
        ])
      accepted(t, await verify(image), `by ${by}`, /Verification successful!/)
      const noMatch = /no matching (CertificateIdentity|certificate identity) found/
      const joe = await verify(image, { name: 'joe@example.com' })
      refused(t, joe, `by ${by}, other identity`, noMatch)
      const elsewhere = await verify(image, { who: user, name: person.name })
      refused(t, elsewhere, `by ${by}, other issuer`, noMatch)
      const { rekorKey, ctKey, chain } = wrong
      for (const [name, replaced, reason] of [
        ['log key', { rekorKey }, /not enough verified log entries from transparency log: 0 < 1/],
        ['CT key', { ctKey }, /only able to verify 0 SCT entries/],
        ['root', { chain }, /leaf certificate verification failed/]
      ] as const) {
        const root = oci.trustedRoot(replaced)
        refused(t, await verify(image, { root }), `by ${by}, other ${name}`, reason)
      }
      for (const { name, change, reason } of TAMPERINGS) {
        await moveAttached(registry, { from: image, to: copy, place: 'sig' }, change)
        refused(t, await verify(copy), `by ${by}, ${name} changed`, reason)
      }
    }
  })
}
