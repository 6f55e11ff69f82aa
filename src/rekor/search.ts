import { KEY_FORMAT_NAMES } from '../entries/signature-formats.js'
import { LogError } from '../errors.js'
import { MAX_SEARCH_KEY_LENGTH } from '../store/search-key.js'
import type { EntryVerifier } from './entry-verifier.js'

/** What index/retrieve asks for (rekor-v1 §9). Absent members are missing, never empty. */
export interface IndexQuery {
  readonly email?: string
  /** With or without the prefix that names the algorithm. */
  readonly hash?: string
  readonly operator?: 'and' | 'or'
  readonly publicKey?: { readonly format: string; readonly content?: Uint8Array }
  readonly subject?: string
}

const ALGORITHM_BY_DIGITS: ReadonlyMap<number, string> = new Map([
  [40, 'sha1'],
  [64, 'sha256'],
  [96, 'sha384'],
  [128, 'sha512']
])

/** A bare digest with the prefix that its length tells; anything else unchanged. */
export function prefixHash(hash: string): string {
  const algorithm = ALGORITHM_BY_DIGITS.get(hash.length)
  return algorithm === undefined || hash.includes(':') ? hash : `${algorithm}:${hash}`
}

/**
 * Keys to look up in the index, lower case, each once, as long as the index looks at them.
 *
 * A public key is looked up by the bare digest of its canonical bytes. dsse and intoto entries carry that digest with a
 * prefix, so they are found through `hash` only: clients that search by key expect hashedrekord and rekord.
 *
 * @throws LogError `unsupported` for a key format we do not read, `invalid_request` for a key we cannot
 */
export async function lookupKeys(
  query: IndexQuery,
  verifier: Pick<EntryVerifier, 'keyHash'>
): Promise<readonly string[]> {
  const keys = new Set<string>()
  if (query.hash !== undefined) keys.add(prefixHash(query.hash).toLowerCase())
  if (query.publicKey !== undefined) keys.add(await keyHash(query.publicKey, verifier))
  if (query.email !== undefined) keys.add(query.email.toLowerCase())
  if (query.subject !== undefined) keys.add(query.subject.toLowerCase())
  // The index looks at no more of a key, and strangers send keys of any length.
  return [...keys].map((key) => key.slice(0, MAX_SEARCH_KEY_LENGTH))
}

async function keyHash(
  { format, content = new Uint8Array(0) }: NonNullable<IndexQuery['publicKey']>,
  verifier: Pick<EntryVerifier, 'keyHash'>
): Promise<string> {
  if (!KEY_FORMAT_NAMES.includes(format)) {
    throw new LogError('unsupported', 'the PKI format requested is not supported by this server')
  }
  return verifier.keyHash(format, content)
}

/** Union or intersection; without any set, nothing. */
export function combineHits(
  sets: readonly ReadonlySet<string>[],
  operator: 'and' | 'or'
): readonly string[] {
  const [first, ...rest] = sets
  if (first === undefined) return []
  if (operator === 'or') return [...new Set(sets.flatMap((set) => [...set]))]
  return [...first].filter((hit) => rest.every((set) => set.has(hit)))
}
