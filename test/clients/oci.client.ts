// Images in a real registry, signed and attested by cosign, with a key and without; and everything that whoever owns the
// registry could put in the place of what was signed.
import { X509Certificate } from 'node:crypto'
import t, { type Test } from 'tap'
import {
  type Attached,
  CERTIFICATE,
  moveAttached,
  type Place,
  readAttached,
  REKOR_BUNDLE,
  SIGNATURE,
  withAnnotation,
  withContent
} from './attached.js'
import { NEW_BUNDLE_TAMPERINGS, NEW_ENTRY, OLD_BUNDLE_TAMPERINGS } from './bundles.js'
import { type Outcome, SUITES } from './clients.js'
import { assertLogged } from './logged.js'
import { openOciSession, type Signer, type Told, type Trust, type Way } from './oci.js'
import { type Image } from './registry.js'
import { accepted, refused } from './session.js'
import { flipBase64, type Json, member, text, withChange } from './tamper.js'

const oci = await openOciSession(t)
const { keyless, session, registry, signers, wrong } = oci
const { url } = session.server
const predicates = {
  // A type that cosign knows and checks, and one of our own.
  slsaprovenance1: session.write(
    'provenance.json',
    JSON.stringify({
      buildDefinition: { buildType: 'https://example.com/build', externalParameters: {} },
      runDetails: { builder: { id: 'https://example.com/builder' } }
    })
  ),
  'https://example.com/checked/v1': session.write('checked.json', '{"checked":"by hand"}')
}
type PredicateType = keyof typeof predicates
const TYPES = Object.keys(predicates) as readonly PredicateType[]
/** What cosign 3 calls a signature of an image: a statement like any other. */
const SIGNED_TYPE = 'https://sigstore.dev/cosign/sign/v1'

const IN_LOG = /Existence of the claims in the transparency log was verified offline/

const NO_LOG =
  /rekor log public key not found for payload|not enough verified log entries from transparency log: 0 < 1/

const NO_SUCH_TYPE = /none of the attestations matched the predicate type: /

interface Verification {
  readonly who?: readonly string[]
  readonly trust?: Partial<Trust>
  readonly flags?: readonly string[]
  readonly by?: Way
}

/** What is attached to an image, where, and the command that checks it. */
interface Case {
  readonly way: Way
  readonly signer: Signer
  readonly image: Image
  readonly place: Place
  /** Kind of the entry in the log. */
  readonly kind: 'hashedrekord' | 'dsse'
  verify(image: Image, verification?: Verification): Promise<Outcome>
}

/** @param command `verify`, or `verify-attestation` with its type */
function verifier({ way, signer }: Pick<Case, 'way' | 'signer'>, command: readonly string[]) {
  const [name = '', ...more] = command
  return (
    { reference }: Image,
    { who = signer.expected, trust = {}, flags = [], by = way }: Verification = {}
  ) => {
    const args: Told = { flags: [...more, ...who, ...flags, reference] }
    return oci.cosign(by.suite, name, oci.trusting(by, trust), args)
  }
}

for (const way of [
  { suite: 'trixie', format: 'old' },
  { suite: 'sid', format: 'old' },
  { suite: 'sid', format: 'new' }
] as const) {
  for (const signer of signers) {
    t.test(`${way.suite}, ${way.format} format, ${signer.name}: sign`, async (t) => {
      const repository = `sign/${way.suite}-${way.format}-${signer.name}`
      const image = await registry.pushImage(repository, repository)
      const verify = verifier({ way, signer }, ['verify'])
      refused(t, await verify(image), 'before', /no signatures found/)
      const reference: Told = { flags: [image.reference] }
      const signed = await oci.cosign(way.suite, 'sign', await signer.signing(way), reference)
      accepted(t, signed, 'sign', /Pushing signature to/)

      const old = way.format === 'old'
      const place = old ? 'sig' : 'referrer'
      const kind = old ? 'hashedrekord' : 'dsse'
      const signature: Case = { way, signer, image, place, kind, verify }
      await holds(t, signature)
      if (old) await asksTheLog(t, signature)
      const [other = 'sid'] = SUITES.filter((suite) => suite !== way.suite)
      const by = { suite: other, format: way.format }
      const command = old ? ['verify'] : ['verify-attestation', '--type', SIGNED_TYPE]
      const verifyByOther = verifier({ way: by, signer }, command)
      accepted(t, await verifyByOther(image), `by ${other}`, IN_LOG)
      const { rekorKey } = wrong
      const strange = await verifyByOther(image, { trust: { rekorKey } })
      refused(t, strange, `by ${other}, other log key`, NO_LOG)
    })
  }
}

for (const way of [
  { suite: 'trixie', format: 'old' },
  { suite: 'trixie', format: 'new' },
  { suite: 'sid', format: 'old' },
  { suite: 'sid', format: 'new' }
] as const) {
  for (const signer of signers) {
    for (const type of TYPES) {
      t.test(`${way.suite}, ${way.format} format, ${signer.name}: attest ${type}`, async (t) => {
        const number = TYPES.indexOf(type)
        const repository = `attest/${way.suite}-${way.format}-${signer.name}-${number}`
        const image = await registry.pushImage(repository, repository)
        const verify = verifier({ way, signer }, ['verify-attestation', '--type', type])
        const nothing = /no valid bundles exist in registry|no matching attestations: *$/m
        refused(t, await verify(image), 'before', nothing)
        const attested = await oci.cosign(way.suite, 'attest', await signer.signing(way), {
          flags: ['--type', type, '--predicate', predicates[type], image.reference]
        })
        accepted(t, attested, 'attest')

        const place = way.format === 'old' ? 'att' : 'referrer'
        const attestation: Case = { way, signer, image, place, kind: 'dsse', verify }
        for (const wrongType of [...TYPES, SIGNED_TYPE].filter((other) => other !== type)) {
          const asked = ['verify-attestation', '--type', wrongType]
          const outcome = await verifier({ way, signer }, asked)(image)
          refused(t, outcome, `as ${wrongType}`, NO_SUCH_TYPE)
        }
        if (place === 'att') await relabelled(t, attestation, type)
        // Everything else is the same for all types.
        if (number > 0) accepted(t, await verify(image), 'verify', IN_LOG)
        else await holds(t, attestation)
        const [other = 'sid'] = SUITES.filter((suite) => suite !== way.suite)
        const by = { suite: other, format: way.format }
        accepted(t, await verify(image, { by }), `by ${other}`, IN_LOG)
        const { rekorKey } = wrong
        const strange = await verify(image, { by, trust: { rekorKey } })
        refused(t, strange, `by ${other}, other log key`, NO_LOG)
      })
    }
  }
}

/** Right as it is, and wrong in every single way. */
async function holds(t: Test, { way, signer, image, place, kind, verify }: Case): Promise<void> {
  const attached = await readAttached(registry, image, place)
  const { body, logIndex } = entryOf(attached)
  t.equal(await session.bodyAt(logIndex), body, 'the log has the entry')
  t.match(JSON.parse(Buffer.from(body, 'base64').toString()), { kind })
  if (signer.name === 'keyless') await assertLogged(t, keyless, certificateOf(attached))

  accepted(t, await verify(image), 'verify', IN_LOG)
  accepted(t, await verify(image, { flags: ['--offline'] }), 'verify --offline', IN_LOG)
  for (const { name, flags, reason } of signer.strangers) {
    refused(t, await verify(image, { who: flags }), name, reason)
  }
  const { rekorKey, ctKey, chain } = wrong
  refused(t, await verify(image, { trust: { rekorKey } }), 'other log key', NO_LOG)
  if (signer.name === 'keyless') {
    const noSct = /ctfe public key not found for payload|only able to verify 0 SCT entries/
    refused(t, await verify(image, { trust: { ctKey } }), 'other CT key', noSct)
    const noRoot =
      /x509: certificate signed by unknown authority|leaf certificate verification failed/
    refused(t, await verify(image, { trust: { chain } }), 'other root', noRoot)
  }

  const other = await registry.pushImage(`${image.repository}-other`, 'another image')
  await moveAttached(registry, { from: image, to: other, place })
  refused(
    t,
    await verify(other),
    'moved to another image',
    /invalid or missing digest in claim|no matching subject digest|does not match any digest in statement/
  )
  const copy = await registry.pushCopy(image, `${image.repository}-copy`)
  await moveAttached(registry, { from: image, to: copy, place })
  accepted(t, await verify(copy), 'copied with its image', IN_LOG)
  for (const { name, change, reason } of tamperings({ way, place, signer })) {
    await moveAttached(registry, { from: image, to: copy, place }, change)
    refused(t, await verify(copy), `${name} changed`, reason)
  }
}

/** The old format repeats the type beside the attestation, where nobody signed it. */
async function relabelled(
  t: Test,
  { way, signer, image, place }: Case,
  type: PredicateType
): Promise<void> {
  const copy = await registry.pushCopy(image, `${image.repository}-relabelled`)
  const [label = type] = TYPES.filter((other) => other !== type)
  const change = withAnnotation('predicateType', () => label)
  await moveAttached(registry, { from: image, to: copy, place }, change)
  const outcome = await verifier({ way, signer }, ['verify-attestation', '--type', label])(copy)
  refused(t, outcome, 'labelled as what was asked', NO_SUCH_TYPE)
}

/** cosign without what the log answered when it signed: only the log can tell then. */
async function asksTheLog(t: Test, { way, signer, image, place, verify }: Case): Promise<void> {
  const copy = await registry.pushCopy(image, `${image.repository}-bare`)
  const bare = withAnnotation(REKOR_BUNDLE, () => undefined)
  await moveAttached(registry, { from: image, to: copy, place }, bare)
  const flags = ['--rekor-url', url]
  accepted(t, await verify(copy, { flags }), 'asking the log', /in the transparency log/)
  const offline = await verify(copy, { flags: [...flags, '--offline'] })
  refused(t, offline, 'asking the log --offline', /offline verification failed/)
  const { rekorKey } = wrong
  const strange = await verify(copy, { flags, trust: { rekorKey } })
  refused(t, strange, 'asking the log, other log key', NO_LOG)
  if (signer.name === 'keyless') return

  const unlogged = await registry.pushImage(`${image.repository}-unlogged`, 'not in the log')
  const signed = await oci.cosign(way.suite, 'sign', await signer.signing(way), {
    flags: ['--tlog-upload=false', unlogged.reference]
  })
  accepted(t, signed, 'sign without log')
  const missing = await verify(unlogged, { flags })
  refused(t, missing, 'asking the log for what it never saw', /signature not found in/)
}

interface ImageTampering {
  readonly name: string
  readonly change: (attached: Attached) => Attached
  readonly reason: RegExp
}

/** What a client reads in one attachment; what the log vouches for is the same whoever signs, so it is changed once. */
function tamperings({
  way,
  place,
  signer
}: Pick<Case, 'way' | 'place' | 'signer'>): readonly ImageTampering[] {
  const ofLog = signer.name === 'key' ? ofLogAlone(way) : []
  if (way.format === 'new') {
    return [
      {
        name: 'signature',
        change: withContent(['dsseEnvelope', 'signatures', 0, 'sig'], flipBase64),
        reason: /transparency log signature does not match/
      },
      {
        name: 'payload',
        change: withContent(['dsseEnvelope', 'payload'], flipBase64),
        reason: /does not match envelope payload hash|accepted signatures do not match threshold/
      },
      ...ofLog
    ]
  }
  const otherPayload = /error verifying bundle: matching bundle to payload/
  const content: readonly ImageTampering[] =
    place === 'sig'
      ? [
          {
            name: 'signature',
            change: withAnnotation(SIGNATURE, flipBase64),
            reason: /signature in bundle does not match signature being verified/
          },
          {
            name: 'payload',
            change: withContent(['optional'], () => ({ checked: true })),
            reason: otherPayload
          }
        ]
      : [
          {
            name: 'signature',
            change: withContent(['signatures', 0, 'sig'], flipBase64),
            reason: otherPayload
          },
          {
            name: 'payload',
            change: withContent(['payload'], flipBase64),
            reason: otherPayload
          }
        ]
  return [...content, ...ofLog]
}

function ofLogAlone({ format }: Way): readonly ImageTampering[] {
  return format === 'new'
    ? NEW_BUNDLE_TAMPERINGS.map(({ path, change, ...rest }) => ({
        ...rest,
        change: withContent(path, change)
      }))
    : OLD_BUNDLE_TAMPERINGS.map(({ path: [, ...path], change, ...rest }) => ({
        ...rest,
        change: withAnnotation(REKOR_BUNDLE, (bundle) =>
          withChange(JSON.parse(bundle) as Json, path, change)
        )
      }))
}

function entryOf({ annotations, content }: Attached): { body: string; logIndex: number } {
  const old = annotations[REKOR_BUNDLE]
  const document = JSON.parse(old ?? content) as Json
  const path = old === undefined ? NEW_ENTRY : ['Payload']
  return {
    body: text(document, [...path, old === undefined ? 'canonicalizedBody' : 'body']),
    logIndex: Number(member(document, [...path, 'logIndex']))
  }
}

function certificateOf({ annotations, content }: Attached): X509Certificate {
  const pem = annotations[CERTIFICATE]
  if (pem !== undefined) return new X509Certificate(pem)
  const path = ['verificationMaterial', 'certificate', 'rawBytes']
  return new X509Certificate(Buffer.from(text(JSON.parse(content) as Json, path), 'base64'))
}
