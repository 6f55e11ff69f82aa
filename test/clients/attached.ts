import type { Image, Manifest, Registry } from './registry.js'
import type { Json } from './tamper.js'
import { member, text, withChange } from './tamper.js'

/**
 * Where cosign puts what it makes for an image: a tag of the image's digest for signatures and one for attestations, or
 * manifests that refer to the image. Debian's registry keeps no list of those, so their index has a tag too.
 */
export type Place = 'sig' | 'att' | 'referrer'

/** One signature or attestation of an image. */
export interface Attached {
  /** Of the layer; all of a signature but what it signs is here, in the old format. */
  readonly annotations: Readonly<Record<string, string>>
  /** The layer: what is signed, an envelope, or a Sigstore bundle. */
  readonly content: string
}

/** The annotations of the old format. */
export const SIGNATURE = 'dev.cosignproject.cosign/signature'
export const CERTIFICATE = 'dev.sigstore.cosign/certificate'
export const REKOR_BUNDLE = 'dev.sigstore.cosign/bundle'
export const TIMESTAMP = 'dev.sigstore.cosign/rfc3161timestamp'

/** The one that is attached to an image. @throws Error when there is none, or another besides */
export async function readAttached(
  registry: Registry,
  image: Image,
  place: Place
): Promise<Attached> {
  const { repository } = image
  const manifest = await manifestOf(registry, image, place)
  const layer = onlyOne(manifest['layers'])
  const content = await registry.blob(repository, text(layer, ['digest']))
  return {
    annotations: annotationsOf(layer),
    content: Buffer.from(content).toString('utf8')
  }
}

/**
 * Attaches to one image what another has, changed: what whoever owns the registry can do. All digests are right again.
 *
 * @param from image whose attachment is taken
 * @param to image to which it is attached in the same place, in place of whatever is there
 */
export async function moveAttached(
  registry: Registry,
  { from, to, place }: { readonly from: Image; readonly to: Image; readonly place: Place },
  change: (attached: Attached) => Attached = (attached) => attached
): Promise<void> {
  const manifest = await manifestOf(registry, from, place)
  const { annotations, content } = change(await readAttached(registry, from, place))
  const layer = onlyOne(manifest['layers']) as { [member: string]: Json }
  const config = manifest['config'] as { [member: string]: Json }
  await registry.pushBlob(
    to.repository,
    await registry.blob(from.repository, text(config, ['digest']))
  )
  const blob = await registry.pushBlob(to.repository, Buffer.from(content))
  const changed: Manifest = {
    ...manifest,
    layers: [{ ...layer, ...blob, annotations: { ...annotations } }]
  }
  if (place !== 'referrer') {
    await registry.pushManifest(to.repository, changed, tagOf(to, place))
    return
  }
  const subject = manifest['subject'] as { [member: string]: Json }
  const { digest } = to
  const referrer = { ...changed, subject: { ...subject, digest } }
  const index = (await registry.manifest(from.repository, tagOf(from, place))) as Manifest
  const entry = onlyOne(index['manifests']) as { [member: string]: Json }
  const pushed = await registry.pushManifest(to.repository, referrer)
  await registry.pushManifest(
    to.repository,
    { ...index, manifests: [{ ...entry, ...pushed }] },
    tagOf(to, place)
  )
}

/** A change of one annotation; undefined takes it away. */
export function withAnnotation(
  name: string,
  change: (value: string) => string | undefined
): (attached: Attached) => Attached {
  return ({ annotations, content }) => {
    const before = text(annotations, [name])
    const after = change(before)
    if (after === before) throw new Error(`the change left ${name} as it was`)
    const { [name]: _, ...others } = annotations
    return { annotations: after === undefined ? others : { ...others, [name]: after }, content }
  }
}

/** A change of one member of the layer, which is JSON. */
export function withContent(
  path: readonly (string | number)[],
  change: (value: Json) => Json
): (attached: Attached) => Attached {
  return ({ annotations, content }) => ({
    annotations,
    content: withChange(JSON.parse(content) as Json, path, change)
  })
}

function tagOf({ digest }: Image, place: Place): string {
  const hex = digest.replace(':', '-')
  return place === 'referrer' ? hex : `${hex}.${place}`
}

async function manifestOf(registry: Registry, image: Image, place: Place): Promise<Manifest> {
  const { repository } = image
  const tagged = await registry.manifest(repository, tagOf(image, place))
  if (tagged === undefined) throw new Error(`no ${place} of ${image.reference}`)
  if (place !== 'referrer') return tagged
  const digest = text(onlyOne(tagged['manifests']), ['digest'])
  const manifest = await registry.manifest(repository, digest)
  if (manifest === undefined) throw new Error(`no ${digest} in ${repository}`)
  return manifest
}

function annotationsOf(layer: Json): Readonly<Record<string, string>> {
  const given = (layer as { annotations?: Json }).annotations ?? {}
  return Object.fromEntries(Object.keys(given as object).map((name) => [name, text(given, [name])]))
}

function onlyOne(list: Json | undefined): Json {
  if (!Array.isArray(list) || list.length !== 1) throw new Error(`not one: ${JSON.stringify(list)}`)
  return member(list, [0])
}
