import {
  type DocumentReader,
  type DocumentWindow,
  missing,
  readDocument,
  readWindow
} from './document-reader.js'
import { error, quoted, type TrustFinding } from './finding.js'
import { SELECTOR, SIGNING_CONFIG_MEDIA_TYPE } from './signing-config.js'

/** An address as a file has it; what is missing or malformed is undefined, and told among the problems. */
export interface ServiceEntry {
  readonly where: string
  readonly url: string | undefined
  readonly majorApiVersion: number | undefined
  readonly operator: string | undefined
  readonly window: DocumentWindow
}

export interface SigningConfigDocument {
  readonly caUrls: readonly ServiceEntry[]
  readonly oidcUrls: readonly ServiceEntry[]
  readonly rekorTlogUrls: readonly ServiceEntry[]
  readonly tsaUrls: readonly ServiceEntry[]
  /** For what clients would not take, whoever's signing config it is. */
  readonly problems: readonly TrustFinding[]
}

/** Of version 0.1, which had one address each. */
const MEMBERS_V1 = ['caUrl', 'oidcUrl', 'tlogUrls']

/** Whether a file has members that only the first version had. */
export function isSigningConfigV1(reader: DocumentReader): boolean {
  const mediaType = reader.text('mediaType') ?? ''
  return mediaType.includes('signingconfig.v0.1') || MEMBERS_V1.some((name) => reader.has(name))
}

/**
 * Reads a signing config as the strictest clients do. Never throws: what it cannot read is told among the problems.
 *
 * @see rekor-v2-and-tiles §4.2
 */
export function readSigningConfig(bytes: Uint8Array): SigningConfigDocument {
  const problems: TrustFinding[] = []
  const reader = readDocument(bytes, problems)
  if (reader !== undefined) return readSigningConfigObject(reader, problems)
  return { caUrls: [], oidcUrls: [], rekorTlogUrls: [], tsaUrls: [], problems }
}

/** The same for a part of a larger file. @param problems where findings are added */
export function readSigningConfigObject(
  reader: DocumentReader,
  problems: TrustFinding[]
): SigningConfigDocument {
  const mediaType = reader.text('mediaType')
  if (isSigningConfigV1(reader)) {
    problems.push(
      error(
        reader.at('mediaType'),
        'is of version 0.1, which no client reads any more: take the signing_config.v0.2.json of this server'
      )
    )
    return { caUrls: [], oidcUrls: [], rekorTlogUrls: [], tsaUrls: [], problems }
  }
  if (mediaType !== SIGNING_CONFIG_MEDIA_TYPE) {
    const found = mediaType === undefined ? 'is missing' : `is ${quoted(mediaType)}`
    problems.push(error(reader.at('mediaType'), `${found}: write ${SIGNING_CONFIG_MEDIA_TYPE}`))
  }
  const services = (name: string): readonly ServiceEntry[] =>
    reader.objects(name).map((entry) => readService(entry, problems))
  const document = {
    caUrls: services('caUrls'),
    oidcUrls: services('oidcUrls'),
    rekorTlogUrls: services('rekorTlogUrls'),
    tsaUrls: services('tsaUrls'),
    problems
  }
  readSelector(reader, 'rekorTlogConfig', problems)
  readSelector(reader, 'tsaConfig', problems)
  reader.end()
  return document
}

function readService(reader: DocumentReader, problems: TrustFinding[]): ServiceEntry {
  for (const name of ['url', 'majorApiVersion', 'operator']) {
    if (!reader.has(name)) problems.push(missing(reader.at(name)))
  }
  const entry = {
    where: reader.where,
    url: reader.text('url'),
    majorApiVersion: reader.integer('majorApiVersion'),
    operator: reader.text('operator'),
    window: readWindow(reader, problems)
  }
  reader.end()
  return entry
}

function readSelector(reader: DocumentReader, name: string, problems: TrustFinding[]): void {
  const isThere = reader.has(name)
  const config = reader.object(name)
  const selector = config?.text('selector')
  config?.integer('count')
  if (!isThere || config?.has('selector') === false) {
    problems.push(
      error(
        `${reader.at(name)}.selector`,
        `is missing, and cosign 3 ends without a word about it: write { "selector": "${SELECTOR}" }`
      )
    )
  } else if (selector !== undefined && selector !== SELECTOR) {
    problems.push(
      error(
        `${reader.at(name)}.selector`,
        `is ${quoted(selector)}, and sigstore-js knows no other than ${SELECTOR}: write that`
      )
    )
  }
  config?.end()
}
