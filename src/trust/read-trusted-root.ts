import {
  type DocumentReader,
  type DocumentWindow,
  missing,
  readDocument,
  readWindow
} from './document-reader.js'
import { error, quoted, type TrustFinding } from './finding.js'
import { TRUSTED_ROOT_MEDIA_TYPE } from './trusted-root.js'

/** A log as a file has it; what is missing or malformed is undefined, and told among the problems. */
export interface LogEntry {
  readonly where: string
  readonly baseUrl: string | undefined
  readonly hashAlgorithm: string | undefined
  /** SubjectPublicKeyInfo, if it is one. */
  readonly publicKey: Uint8Array | undefined
  readonly keyDetails: string | undefined
  readonly window: DocumentWindow
  readonly logId: Uint8Array | undefined
}

/** An authority as a file has it. */
export interface AuthorityEntry {
  readonly where: string
  readonly uri: string | undefined
  /** In the order of the file; without those that are not base64. */
  readonly chain: readonly Uint8Array[]
  readonly window: DocumentWindow
}

export interface TrustedRootDocument {
  readonly tlogs: readonly LogEntry[]
  readonly ctlogs: readonly LogEntry[]
  readonly certificateAuthorities: readonly AuthorityEntry[]
  readonly timestampAuthorities: readonly AuthorityEntry[]
  /** For what clients would not take, whoever's trusted root it is. */
  readonly problems: readonly TrustFinding[]
}

const TRUSTED_ROOT_V2 = 'application/vnd.dev.sigstore.trustedroot.v0.2+json'

/**
 * Reads a trusted root as the strictest clients do. Never throws: what it cannot read is told among the problems.
 *
 * @see rekor-v2-and-tiles §4.1
 */
export function readTrustedRoot(bytes: Uint8Array): TrustedRootDocument {
  const problems: TrustFinding[] = []
  const reader = readDocument(bytes, problems)
  if (reader !== undefined) return readTrustedRootObject(reader, problems)
  return {
    tlogs: [],
    ctlogs: [],
    certificateAuthorities: [],
    timestampAuthorities: [],
    problems
  }
}

/** The same for a part of a larger file. @param problems where findings are added */
export function readTrustedRootObject(
  reader: DocumentReader,
  problems: TrustFinding[]
): TrustedRootDocument {
  readMediaType(reader, problems)
  const logs = (name: string): readonly LogEntry[] =>
    reader.objects(name).map((entry) => readLog(entry, problems))
  const authorities = (name: string): readonly AuthorityEntry[] =>
    reader.objects(name).map((entry) => readAuthority(entry, problems))
  const document = {
    tlogs: logs('tlogs'),
    ctlogs: logs('ctlogs'),
    certificateAuthorities: authorities('certificateAuthorities'),
    timestampAuthorities: authorities('timestampAuthorities'),
    problems
  }
  reader.end()
  return document
}

function readMediaType(reader: DocumentReader, problems: TrustFinding[]): void {
  const mediaType = reader.text('mediaType')
  if (mediaType === TRUSTED_ROOT_MEDIA_TYPE) return
  const where = reader.at('mediaType')
  if (mediaType === TRUSTED_ROOT_V2) {
    problems.push(
      error(
        where,
        'is version 0.2, which sigstore-go (cosign, gitsign, policy-controller) and sigstore-python refuse: ' +
          'take the trusted_root.json of this server, which is version 0.1'
      )
    )
  } else {
    const found = mediaType === undefined ? 'is missing' : `is ${quoted(mediaType)}`
    problems.push(error(where, `${found}: write ${TRUSTED_ROOT_MEDIA_TYPE}`))
  }
}

function readLog(reader: DocumentReader, problems: TrustFinding[]): LogEntry {
  for (const name of ['hashAlgorithm', 'publicKey', 'logId']) {
    if (!reader.has(name)) problems.push(missing(reader.at(name)))
  }
  if (reader.has('checkpointKeyId')) {
    problems.push(
      error(
        reader.at('checkpointKeyId'),
        'is of version 0.2, and sigstore-js finds no log by it: remove it'
      )
    )
  }
  if (reader.has('operator')) problems.push(ofVersion2(reader.at('operator')))
  const key = reader.object('publicKey')
  for (const name of ['rawBytes', 'keyDetails']) {
    if (key?.has(name) === false) problems.push(missing(key.at(name)))
  }
  const id = reader.object('logId')
  if (id?.has('keyId') === false) problems.push(missing(id.at('keyId')))
  const entry = {
    where: reader.where,
    baseUrl: reader.text('baseUrl'),
    hashAlgorithm: reader.text('hashAlgorithm'),
    publicKey: key?.bytes('rawBytes'),
    keyDetails: key?.text('keyDetails'),
    window:
      key === undefined
        ? { startSeconds: undefined, endSeconds: undefined }
        : readWindow(key, problems),
    logId: id?.bytes('keyId')
  }
  for (const part of [key, id, reader]) part?.end()
  return entry
}

function readAuthority(reader: DocumentReader, problems: TrustFinding[]): AuthorityEntry {
  if (reader.has('operator')) problems.push(ofVersion2(reader.at('operator')))
  const subject = reader.object('subject')
  subject?.text('organization')
  subject?.text('commonName')
  subject?.end()
  const isThere = reader.has('certChain')
  const certChain = reader.object('certChain')
  const certificates = certChain?.objects('certificates') ?? []
  const hasNone = certChain?.has('certificates') === false || !isThere
  if (hasNone) problems.push(missing(`${reader.at('certChain')}.certificates`))
  const chain = certificates.flatMap((certificate) => {
    const bytes = certificate.bytes('rawBytes')
    if (!certificate.has('rawBytes')) problems.push(missing(certificate.at('rawBytes')))
    certificate.end()
    return bytes === undefined ? [] : [bytes]
  })
  certChain?.end()
  const entry = {
    where: reader.where,
    uri: reader.text('uri'),
    chain,
    window: readWindow(reader, problems)
  }
  reader.end()
  return entry
}

function ofVersion2(where: string): TrustFinding {
  return error(
    where,
    'is of version 0.2, and older Go clients refuse the whole file for it: remove it'
  )
}
