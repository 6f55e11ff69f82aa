import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { parseEntryAnswer, type EntryAnswer } from '../../src/client/answers.js'
import { parseLogKeys, selectLogKey } from '../../src/client/log-key.js'
import { verifyEntry } from '../../src/client/verify-entry.js'
import type { CheckedResponse, InjectChecked } from './inject-checked.js'
import { computedVector, type ComputedVector } from './vectors.js'

export const ENTRIES = '/api/v1/log/entries'
export const RETRIEVE = `${ENTRIES}/retrieve`
export const INDEX = '/api/v1/index/retrieve'

/** Computed vectors of the kinds this log takes. */
export const VECTOR_NAMES = [
  'alpine',
  'cose',
  'dsse-multi',
  'dsse-single',
  'hashedrekord-ecdsa-p256-sha256',
  'hashedrekord-ed25519ph-sha512',
  'hashedrekord-model',
  'hashedrekord-rsa2048-sha256',
  'helm',
  'intoto-0.0.1',
  'intoto-0.0.2-multi',
  'intoto-0.0.2-single',
  'jar',
  'rekord-minisign',
  'rekord-minisign-hashed',
  'rekord-pgp',
  'rekord-signify',
  'rekord-ssh',
  'rekord-x509',
  'rekord-x509-ec',
  'rfc3161',
  'rpm'
] as const

export const vectors = (): readonly ComputedVector[] => VECTOR_NAMES.map(computedVector)

export async function postEntry(inject: InjectChecked, body: unknown): Promise<CheckedResponse> {
  return inject({ method: 'POST', url: ENTRIES, body })
}

export function idOf({ json }: CheckedResponse): string {
  return Object.keys(json as object)[0] ?? ''
}

export function messageOf({ json }: CheckedResponse): string {
  return (json as { message: string }).message
}

/**
 * Believes an entry as a stock client does: asks for the key of its tree, then checks ID, SET, inclusion and checkpoint
 * with nothing but that.
 */
export async function believe(inject: InjectChecked, json: unknown): Promise<EntryAnswer> {
  const entry = parseEntryAnswer(json as JsonValue)
  const treeId = BigInt(`0x${entry.entryId.slice(0, 16)}`)
  const { text } = await inject({ url: `/api/v1/log/publicKey?treeID=${treeId}` })
  await verifyEntry(entry, selectLogKey(parseLogKeys(encodeUtf8(text)), entry.logId))
  return entry
}
