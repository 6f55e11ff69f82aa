import { LogError } from '../errors.js'

/** Longest key the index holds; a search cannot ask for a longer one (rekor-v1 §9). In characters. */
const MAX_SEARCH_KEY_LENGTH = 512

/** Most keys of one entry. A release of a thousand artifacts with four digests each fits twice. */
const MAX_SEARCH_KEYS = 10_000

/**
 * Keys as they go into the index: lower case, each once, in order; those too long to be asked for are left out.
 *
 * @throws LogError `invalid_request` when there are more than one entry may have
 */
export function collectSearchKeys(keys: Iterable<string>): readonly string[] {
  const collected = new Set<string>()
  for (const key of keys) {
    if (key.length <= MAX_SEARCH_KEY_LENGTH) collected.add(key.toLowerCase())
  }
  if (collected.size > MAX_SEARCH_KEYS) {
    throw new LogError(
      'invalid_request',
      `entry has ${collected.size} search keys, more than ${MAX_SEARCH_KEYS}`
    )
  }
  return [...collected]
}
