import { type Key, Metadata, type Root } from '@tufjs/models'
import { isJsonObject } from '../encoding/json.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import { tufKeyId } from './keys.js'
import type { TufRepository } from './contract.js'
import { formatMetadata, metadataFromJson, parseJsonOnce, type TufMetadata } from './metadata.js'
import { addSignature, assertThreshold, verifySignatures } from './signatures.js'
import { assertRootFollows, keysOfRoots } from './verify-repository.js'

/** A root on its way from key to key. */
export interface RootDraft {
  readonly role: 'root'
  readonly metadata: TufMetadata<'root'>
  /** The root it follows; undefined for the first. */
  readonly trustedRoot: TufMetadata<'root'> | undefined
}

/** Targets metadata on its way from key to key. Its files travel by their hashes only. */
export interface TargetsDraft {
  readonly role: 'targets'
  readonly metadata: TufMetadata<'targets'>
  /** The root whose targets keys are to sign: it may itself be a draft, so its own signatures are not looked at. */
  readonly trustedRoot: TufMetadata<'root'>
}

export type Draft = RootDraft | TargetsDraft

const KIND = 'sigstead-tuf-draft'
const FORMAT = 1

/** Two metadata of the largest kind, with room for the indentation of one inside. */
const MAX_DRAFT_BYTES = 12_000_000

/** The draft as a text that people carry. */
export function formatDraft({ metadata, trustedRoot }: Draft): string {
  const content = {
    kind: KIND,
    format: FORMAT,
    metadata: plain(metadata),
    ...(trustedRoot === undefined ? {} : { trustedRoot: plain(trustedRoot) })
  }
  return `${JSON.stringify(content, undefined, 1)}\n`
}

function plain(metadata: TufMetadata): unknown {
  return JSON.parse(formatMetadata(metadata))
}

/**
 * Reads a draft. Every signature in it is a good one by a key that may sign it; there may be too few.
 *
 * @throws LogError `invalid_request` | `unsupported` when it is malformed, `conflict` when its version does not follow
 *   the root it is made for, `verification_failed` for a signature that is not good, `too_large`
 */
export function parseDraft(text: string): Draft {
  if (text.length > MAX_DRAFT_BYTES) {
    throw new LogError('too_large', `a draft has at most ${MAX_DRAFT_BYTES} bytes`)
  }
  const value = parseJsonOnce(text)
  if (!isJsonObject(value) || value.kind !== KIND || value.format !== FORMAT) {
    throw new LogError('invalid_request', 'not a draft of TUF metadata')
  }
  const { kind: _kind, format: _format, metadata, trustedRoot, ...more } = value
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) {
    throw new LogError('invalid_request', `draft: unknown member ${JSON.stringify(unknown)}`)
  }
  const root = trustedRoot === undefined ? undefined : metadataFromJson('root', trustedRoot)
  const draft = readDraft(metadata, root)
  verifySignatures(draft.metadata, draftKeys(draft))
  return draft
}

function readDraft(metadata: unknown, trustedRoot: TufMetadata<'root'> | undefined): Draft {
  const signed = isJsonObject(metadata) ? metadata.signed : undefined
  const role = isJsonObject(signed) ? signed._type : undefined
  if (role === 'root') {
    const root = metadataFromJson('root', metadata)
    if (trustedRoot !== undefined) assertPublished(trustedRoot)
    assertRootFollows(trustedRoot?.signed, root.signed)
    return { role, metadata: root, trustedRoot }
  }
  if (role === 'targets' && trustedRoot !== undefined) {
    return { role, metadata: metadataFromJson('targets', metadata), trustedRoot }
  }
  throw new LogError('invalid_request', 'not a draft of root or targets metadata')
}

/** Its own keys say so; the root before it is not here to be asked, and its signatures may be there as well. */
function assertPublished(root: TufMetadata<'root'>): void {
  const own = keysOfRoots([root.signed], 'root')
  const signatures = Object.entries(root.signatures).filter(([keyId]) => own.has(keyId))
  const metadata = new Metadata(root.signed, Object.fromEntries(signatures))
  assertThreshold(metadata, verifySignatures(metadata, own), root.signed)
}

/** @throws LogError `conflict` unless a root draft was made for the newest root of the repository, to the byte */
export function assertFollowsText(
  { trustedRoot }: RootDraft,
  { roots }: Pick<TufRepository, 'roots'>
): void {
  if (trustedRoot === undefined || formatMetadata(trustedRoot) !== roots.at(-1)) {
    throw new LogError('conflict', 'the draft was made for another root than the newest one')
  }
}

/** The roots whose keys may sign a draft: for a root the one before and itself. */
export function draftRoots(draft: Draft): readonly Root[] {
  if (draft.role === 'targets') return [draft.trustedRoot.signed]
  const { trustedRoot, metadata } = draft
  return trustedRoot === undefined ? [metadata.signed] : [trustedRoot.signed, metadata.signed]
}

/** Keys that may sign a draft, by id. */
export function draftKeys(draft: Draft): ReadonlyMap<string, Key> {
  return keysOfRoots(draftRoots(draft), draft.role)
}

/**
 * The draft with one more signature.
 *
 * @throws LogError `forbidden` when the signer's key is not among those that may sign, `already_exists` when it has
 *   signed, and as parseDraft
 */
export async function signDraft(text: string, signer: Signer): Promise<string> {
  const draft = parseDraft(text)
  const keyId = tufKeyId(signer.publicKey)
  if (!draftKeys(draft).has(keyId)) {
    const versions = draftRoots(draft).map(({ version }) => version)
    throw new LogError(
      'forbidden',
      `key ${keyId} is not one of role ${draft.role} in root version ${versions.join(' or ')}`
    )
  }
  if (Object.hasOwn(draft.metadata.signatures, keyId)) {
    throw new LogError('already_exists', `key ${keyId} has signed this draft already`)
  }
  return formatDraft(
    draft.role === 'root'
      ? { ...draft, metadata: await addSignature(draft.metadata, signer) }
      : { ...draft, metadata: await addSignature(draft.metadata, signer) }
  )
}
