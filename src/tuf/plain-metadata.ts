import {
  type Metadata,
  MetaFile,
  Root,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp
} from '@tufjs/models'
import { isJsonObject } from '../encoding/json.js'
import { LogError } from '../errors.js'
import { TUF_ROLES } from './contract.js'
import { publicKeyOf } from './keys.js'
import { assertTargetName } from './target-files.js'
import { parseTime } from './times.js'

type AnyMetadata = Metadata<Root | Targets | Snapshot | Timestamp>

const SHA256_HEX = /^[0-9a-f]{64}$/
const SIGNATURE_HEX = /^(?:[0-9a-f]{2}){8,72}$/

/**
 * Refuses whatever the specification allows and we never write: delegations, other keys, other hashes, members of
 * other people, thresholds that cannot be reached.
 *
 * @throws LogError `invalid_request`, `unsupported`
 */
export function assertPlainMetadata(metadata: AnyMetadata): void {
  const { signed, signatures, unrecognizedFields } = metadata
  const what = signed.type
  assertNoMore(what, unrecognizedFields)
  const { _type, ...more } = signed.unrecognizedFields // the library leaves this one among them
  if (_type !== undefined && _type !== what) throw invalid(`${what}: type`)
  assertNoMore(what, more)
  if (!isPositive(signed.version)) throw invalid(`${what}: version ${signed.version}`)
  parseTime(signed.expires)
  for (const { keyID, sig } of Object.values(signatures)) {
    if (!SHA256_HEX.test(keyID)) throw invalid(`${what}: key id of a signature`)
    if (!SIGNATURE_HEX.test(sig)) throw invalid(`${what}: signature of ${keyID}`)
  }
  if (signed instanceof Root) assertPlainRoot(signed)
  else if (signed instanceof Targets) assertPlainTargets(signed)
  else if (signed instanceof Snapshot) assertPlainSnapshot(signed)
  else assertPlainMetaFile('snapshot.json', signed.snapshotMeta)
}

function assertPlainRoot({ consistentSnapshot, keys, roles }: Root): void {
  if (!consistentSnapshot) throw new LogError('unsupported', 'root: consistent_snapshot is false')
  const used = new Set<string>()
  for (const [name, role] of Object.entries(roles)) {
    if (!TUF_ROLES.some((known) => known === name)) throw invalid(`root: role ${name}`)
    assertNoMore(`root: role ${name}`, role.unrecognizedFields)
    for (const keyId of role.keyIDs) {
      if (!Object.hasOwn(keys, keyId)) throw invalid(`root: role ${name} has no key ${keyId}`)
      used.add(keyId)
    }
    if (!isPositive(role.threshold) || role.threshold > role.keyIDs.length) {
      throw invalid(
        `root: threshold ${role.threshold} of role ${name} with ${role.keyIDs.length} keys`
      )
    }
  }
  for (const [keyId, key] of Object.entries(keys)) {
    if (!used.has(keyId)) throw invalid(`root: key ${keyId} is of no role`)
    publicKeyOf(key)
  }
}

function assertPlainTargets({ targets, delegations }: Targets): void {
  if (delegations !== undefined) throw new LogError('unsupported', 'targets: delegations')
  for (const [name, { length, hashes, unrecognizedFields }] of Object.entries(targets)) {
    assertTargetName(name)
    const { custom, ...more } = unrecognizedFields
    assertNoMore(`targets: ${name}`, more)
    if (custom !== undefined && !isJsonObject(custom)) {
      throw invalid(`targets: custom of ${name}`)
    }
    assertLengthAndHash(`targets: ${name}`, length, hashes)
  }
}

function assertPlainSnapshot({ meta }: Snapshot): void {
  const { 'targets.json': targets, ...more } = meta
  assertNoMore('snapshot: meta', more)
  if (targets === undefined) throw invalid('snapshot: no targets.json')
  assertPlainMetaFile('targets.json', targets)
}

function assertPlainMetaFile(name: string, file: MetaFile): void {
  if (!isPositive(file.version)) throw invalid(`${name}: version ${file.version}`)
  assertNoMore(name, file.unrecognizedFields)
  assertLengthAndHash(name, file.length, file.hashes)
}

function assertLengthAndHash(
  what: string,
  length: number | undefined,
  hashes: TargetFile['hashes'] | undefined
): void {
  if (!Number.isSafeInteger(length) || (length ?? -1) < 0) throw invalid(`${what}: length`)
  const { sha256, ...more } = hashes ?? {}
  if (sha256 === undefined || !SHA256_HEX.test(sha256)) throw invalid(`${what}: sha256`)
  assertNoMore(`${what}: hashes`, more)
}

function assertNoMore(what: string, members: object | undefined): void {
  const [name] = Object.keys(members ?? {})
  if (name !== undefined) throw invalid(`${what}: unknown member ${JSON.stringify(name)}`)
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
