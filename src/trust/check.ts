import { checkAuthorities } from './check-authorities.js'
import { checkLogs } from './check-logs.js'
import { checkPem } from './check-pem.js'
import { checkServices } from './check-services.js'
import { checkTufRoot, type TufRoots } from './check-tuf-root.js'
import { CLIENT_TRUST_CONFIG_MEDIA_TYPE } from './client-trust-config.js'
import type { TrustState } from './contract.js'
import { type DocumentReader, missing, readDocument } from './document-reader.js'
import { error, ok, quoted, type TrustFinding } from './finding.js'
import { isSigningConfigV1, readSigningConfigObject } from './read-signing-config.js'
import { readTrustedRootObject } from './read-trusted-root.js'

export type { TufRoots } from './check-tuf-root.js'
export type { TrustFinding } from './finding.js'

export interface CheckOptions {
  /** The file. The caller limits its size. */
  readonly bytes: Uint8Array
  /** What the running server has now. */
  readonly state: TrustState
  readonly nowSeconds: number
  /** Root metadata of the running server, to compare a root.json with. */
  readonly tuf?: TufRoots | undefined
}

interface Context {
  readonly state: TrustState
  readonly nowSeconds: number
  readonly tuf: TufRoots | undefined
  /** Where findings are added. */
  readonly problems: TrustFinding[]
}

/**
 * Says line by line what is right, wrong or stale about somebody's trust material, beside the running server: a trusted root, a
 * signing config, both in one file, keys and certificates in PEM, or a TUF root.json. Never throws for what is in the file.
 *
 * @returns what concerns the form of the file first, then line by line; one finding at least
 */
export function checkTrustFile(options: CheckOptions): readonly TrustFinding[] {
  const { bytes, state, nowSeconds, tuf } = options
  const wrongForm = findWrongForm(bytes)
  if (wrongForm !== undefined) return [error('file', wrongForm)]
  if (!isJson(bytes)) return checkPem(bytes, { state, nowSeconds })
  const problems: TrustFinding[] = []
  const reader = readDocument(bytes, problems)
  if (reader !== undefined) checkDocument(reader, { state, nowSeconds, tuf, problems })
  return problems
}

const TAKE = 'take trusted_root.json, signing_config.v0.2.json or a PEM file of this server'

/** Other encodings of what might be the right thing. */
function findWrongForm(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return `is empty: ${TAKE}`
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return 'is UTF-16, as PowerShell writes it: save it as UTF-8 without a byte order mark'
  }
  if (first === 0x30 && bytes.includes(0)) {
    return 'is DER: turn it into PEM, as openssl does with -inform der'
  }
  return isJson(bytes) || findBegin(bytes) ? undefined : `is neither JSON nor PEM: ${TAKE}`
}

const SPACE: readonly number[] = [0x09, 0x0a, 0x0d, 0x20]

/** By the first character, a byte order mark aside. */
function isJson(bytes: Uint8Array): boolean {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  let i = start
  while (SPACE.includes(bytes[i] ?? 0)) i++
  return bytes[i] === 0x7b || bytes[i] === 0x5b // { and [
}

function findBegin(bytes: Uint8Array): boolean {
  return /^-----BEGIN /m.test(new TextDecoder('latin1').decode(bytes))
}

function checkDocument(reader: DocumentReader, context: Context): void {
  const { problems } = context
  const mediaType = reader.text('mediaType')
  if (reader.has('signed')) {
    checkTufRoot(reader.value, { ...context, reader })
  } else if (mediaType === CLIENT_TRUST_CONFIG_MEDIA_TYPE || reader.has('trustedRoot')) {
    checkClientTrustConfig(reader, context)
  } else if (mediaType?.includes('trustedroot') === true || reader.has('tlogs')) {
    checkTrustedRoot(reader, context)
  } else if (
    mediaType?.includes('signingconfig') === true ||
    reader.has('caUrls') ||
    isSigningConfigV1(reader)
  ) {
    checkSigningConfig(reader, context)
  } else if (reader.has('kty')) {
    const isPrivate = reader.has('d') || reader.has('k')
    const what = isPrivate
      ? 'has a private key in it, which nobody but its owner may have: delete this copy, and'
      : 'is a JSON Web Key, which no Sigstore client reads:'
    problems.push(error('file', `${what} ${TAKE}`))
  } else {
    const what = mediaType === undefined ? 'has no media type' : `is ${quoted(mediaType)}`
    problems.push(error('mediaType', `${what}, which is no trust material: ${TAKE}`))
  }
}

function checkTrustedRoot(reader: DocumentReader, context: Context): void {
  const { state, nowSeconds, problems } = context
  const before = problems.length
  const root = readTrustedRootObject(reader, problems)
  if (problems.length === before) {
    problems.push(ok(reader.where === '' ? 'file' : reader.where, 'is a trusted root, version 0.1'))
  }
  const at = (list: string): string => reader.at(list)
  problems.push(
    ...checkLogs(root.tlogs, state.rekorLogs, {
      kind: { list: at('tlogs'), name: 'log', needsHost: true },
      nowSeconds
    }),
    ...checkAuthorities(root.certificateAuthorities, state.certificateAuthorities, {
      kind: { list: at('certificateAuthorities'), name: 'certificate authority', minimum: 1 },
      nowSeconds
    }),
    ...checkLogs(root.ctlogs, state.ctLogs, {
      kind: { list: at('ctlogs'), name: 'certificate log', needsHost: false },
      nowSeconds
    }),
    ...checkAuthorities(root.timestampAuthorities, state.timestampAuthorities, {
      kind: { list: at('timestampAuthorities'), name: 'timestamp authority', minimum: 2 },
      nowSeconds
    })
  )
}

function checkSigningConfig(reader: DocumentReader, context: Context): void {
  const { state, nowSeconds, problems } = context
  const before = problems.length
  const config = readSigningConfigObject(reader, problems)
  if (isSigningConfigV1(reader)) return
  if (problems.length === before) {
    problems.push(
      ok(reader.where === '' ? 'file' : reader.where, 'is a signing config, version 0.2')
    )
  }
  const prefix = reader.at('')
  problems.push(...checkServices(config, state, { prefix, nowSeconds }))
}

function checkClientTrustConfig(reader: DocumentReader, context: Context): void {
  const { problems } = context
  const mediaType = reader.text('mediaType')
  if (mediaType !== CLIENT_TRUST_CONFIG_MEDIA_TYPE) {
    const found = mediaType === undefined ? 'is missing' : `is ${quoted(mediaType)}`
    problems.push(error('mediaType', `${found}: write ${CLIENT_TRUST_CONFIG_MEDIA_TYPE}`))
  }
  for (const name of ['trustedRoot', 'signingConfig']) {
    if (!reader.has(name)) problems.push(missing(name))
  }
  const [root, config] = [reader.object('trustedRoot'), reader.object('signingConfig')]
  reader.end()
  if (root !== undefined) checkTrustedRoot(root, context)
  if (config !== undefined) checkSigningConfig(config, context)
}
