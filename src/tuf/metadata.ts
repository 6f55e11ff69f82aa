import { canonicalize } from '@tufjs/canonical-json'
import {
  Metadata,
  MetadataKind,
  Root,
  type Snapshot,
  type Targets,
  type Timestamp
} from '@tufjs/models'
import { encodeHex } from '../encoding/hex.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { findRepeatedMember } from '../encoding/repeated-member.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { hashData } from '../keys/verify.js'
import type { TufRole } from './contract.js'
import { assertPlainMetadata } from './plain-metadata.js'
import { assertTargetCount } from './target-files.js'

export const SPEC_VERSION = '1.0.31'

export interface SignedByRole {
  readonly root: Root
  readonly targets: Targets
  readonly snapshot: Snapshot
  readonly timestamp: Timestamp
}

export type TufMetadata<Role extends TufRole = TufRole> = Metadata<SignedByRole[Role]>

type JsonObject = Parameters<typeof Root.fromJSON>[0]

/** Most bytes clients read of each (rekor-v2-and-tiles §4.3); more would shut them all out. */
export const MAX_METADATA_BYTES: Readonly<Record<TufRole, number>> = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 5_000_000
}

/** Each role with more people than a ceremony can seat. */
const MAX_KEYS = 200

const READERS: { readonly [Role in TufRole]: (data: JsonObject) => TufMetadata<Role> } = {
  root: (data) => Metadata.fromJSON(MetadataKind.Root, data),
  targets: (data) => Metadata.fromJSON(MetadataKind.Targets, data),
  snapshot: (data) => Metadata.fromJSON(MetadataKind.Snapshot, data),
  timestamp: (data) => Metadata.fromJSON(MetadataKind.Timestamp, data)
}

/**
 * Reads metadata of a role from a text that formatMetadata wrote, and nothing else. Says nothing about signatures.
 *
 * @throws LogError `invalid_request` naming what is wrong, `unsupported` for keys and features not used here,
 *   `too_large`
 */
export function parseMetadata<Role extends TufRole>(role: Role, text: string): TufMetadata<Role> {
  assertSize(role, text)
  const metadata = metadataFromJson(role, parseJson(text))
  if (formatMetadata(metadata) !== text) {
    throw new LogError('invalid_request', `${role} metadata is not written as it is here`)
  }
  return metadata
}

/** Like parseMetadata, however the JSON text was spelled. */
export function metadataFromJson<Role extends TufRole>(
  role: Role,
  data: unknown
): TufMetadata<Role> {
  if (!isJsonObject(data)) throw new LogError('invalid_request', `${role} metadata is no object`)
  assertCounts(data.signed)
  const metadata = readWithModels(role, data as JsonObject) // parsed JSON, an object
  assertPlainMetadata(metadata)
  return metadata
}

/** Before the library sees them: it takes time by the square of these numbers. */
function assertCounts(signed: unknown): void {
  const { targets, keys } = isJsonObject(signed) ? signed : {}
  if (isJsonObject(targets)) assertTargetCount(Object.keys(targets).length)
  if (isJsonObject(keys) && Object.keys(keys).length > MAX_KEYS) {
    throw new LogError('too_large', `more than ${MAX_KEYS} keys in one root`)
  }
}

function readWithModels<Role extends TufRole>(role: Role, data: JsonObject): TufMetadata<Role> {
  try {
    return READERS[role](data)
  } catch (err) {
    if (isLogError(err)) throw err
    throw new LogError('invalid_request', `${role} metadata: ${(err as Error).message}`, {
      cause: err
    })
  }
}

/** Text of metadata as it is served: members sorted, signatures by key id, indented for people, one spelling. */
export function formatMetadata(metadata: TufMetadata): string {
  const { signatures, ...rest } = metadata.toJSON()
  const sorted = (signatures as { keyid: string }[]).toSorted((a, b) =>
    a.keyid < b.keyid ? -1 : 1
  )
  return `${JSON.stringify(sortMembers({ ...rest, signatures: sorted }), undefined, 1)}\n`
}

function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers)
  if (!isJsonObject(value)) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sortMembers(value[name])]))
}

/**
 * Bytes that signatures cover: canonical JSON of `signed`.
 * @throws LogError `invalid_request` when there is no canonical form
 */
export function signedBytes({ signed }: TufMetadata): Uint8Array {
  let text: string
  try {
    text = canonicalize(signed.toJSON())
  } catch (err) {
    throw new LogError('invalid_request', 'metadata has no canonical form', { cause: err })
  }
  if (!text.isWellFormed()) {
    throw new LogError('invalid_request', 'metadata has text that is not Unicode')
  }
  return encodeUtf8(text)
}

/** @throws LogError `too_large` when clients would not read a text of this size */
export function assertSize(role: TufRole, text: string): void {
  const limit = MAX_METADATA_BYTES[role]
  const size = encodeUtf8(text).length
  if (size > limit) {
    throw new LogError('too_large', `${role} metadata of ${size} bytes: clients read ${limit}`)
  }
}

/** @throws LogError `invalid_request` when it is no JSON or a member stands twice in an object */
export function parseJsonOnce(text: string): unknown {
  const value = parseJson(text)
  const repeated = findRepeatedMember(text)
  if (repeated !== undefined) {
    throw new LogError('invalid_request', `member ${JSON.stringify(repeated)} stands twice`)
  }
  return value
}

/** Hex SHA-256 of a text's bytes. */
export function sha256OfText(text: string): string {
  return encodeHex(hashData('sha256', encodeUtf8(text)))
}
