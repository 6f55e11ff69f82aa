import { createRecent } from '../encoding/recent.js'
import { parseHashedrekord } from '../entries/hashedrekord/parse.js'
import { keyHash } from '../entries/leaf.js'
import type { DerivedFromLeaf } from '../log/leaf-checks.js'
import { hashSearchKey } from '../store/search-key.js'

// A hashedrekord over SHA-256 as this log writes it, in pieces: one expression for all of it takes three times as long.
const BEFORE_VALUE =
  '{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"'
const VALUE_LENGTH = 64
const VALUE = /^[0-9a-f]{64}$/
const BEFORE_SIGNATURE = '"}},"signature":{"content":"'
/** Groups of four with nothing to ignore, so that the decoder has nothing to refuse. */
const SIGNATURE = /^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$/
const BEFORE_KEY = '","publicKey":{"content":"'
/** Nothing that JSON would read as something else. */
const KEY = /^[0-9A-Za-z+/=]*$/
const END = '"}}}}'

/** Keys that are remembered: a log of people who sign with keys sees the same ones again and again. */
const KEYS = 1024

/** Longer ones are certificates or worse, and never come again. In characters of base64. */
const MAX_KEY_LENGTH = 2048

/** What a leaf is found by because of its key alone. */
interface KnownKey {
  /** Hex SHA-256 of its canonical bytes; undefined where the key is found by more, as certificates are. */
  readonly searchKey: string | undefined
  /** hashSearchKey of it. */
  readonly keyHash: Uint8Array
}

export type DerivePlain = (leafValue: Uint8Array) => DerivedFromLeaf | undefined

/**
 * What a leaf of the plainest and commonest kind is found by, in a tenth of the time that reading its JSON and its key takes:
 * what findEntryType(…).storedSearchKeys gives for it, in the same order. The keys are read as always, each once.
 *
 * @returns what derives; it gives undefined for every leaf of another form, and for those with a key that is found by more
 *   than its hash or cannot be read
 */
export function createPlainDeriver(): DerivePlain {
  const keys = createRecent<KnownKey>(KEYS)
  return (leafValue) => {
    const { buffer, byteOffset, byteLength } = leafValue
    // One character for each byte, so that nothing but these very bytes matches.
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
    const valueEnd = BEFORE_VALUE.length + VALUE_LENGTH
    const signatureStart = valueEnd + BEFORE_SIGNATURE.length
    const signatureEnd = text.indexOf('"', signatureStart)
    const keyStart = signatureEnd + BEFORE_KEY.length
    const keyEnd = text.length - END.length
    if (
      keyEnd < keyStart ||
      keyEnd > keyStart + MAX_KEY_LENGTH ||
      !text.startsWith(BEFORE_VALUE) ||
      !text.startsWith(BEFORE_SIGNATURE, valueEnd) ||
      !text.startsWith(BEFORE_KEY, signatureEnd) ||
      !text.endsWith(END)
    ) {
      return undefined
    }
    const value = text.slice(BEFORE_VALUE.length, valueEnd)
    const signature = text.slice(signatureStart, signatureEnd)
    if (!VALUE.test(value) || !SIGNATURE.test(signature)) return undefined
    const content = text.slice(keyStart, keyEnd)
    const key = keys.get(content, () => readKey(content))
    if (key.searchKey === undefined) return undefined
    const artifact = `sha256:${value}`
    return {
      searchKeys: [key.searchKey, artifact],
      keyHashes: [key.keyHash, hashSearchKey(artifact)],
      attestationKey: undefined
    }
  }
}

const NONE: KnownKey = { searchKey: undefined, keyHash: new Uint8Array(0) }

/** Asks the entry type what an entry with this key is found by. */
function readKey(content: string): KnownKey {
  if (!KEY.test(content)) return NONE
  try {
    const { key } = parseHashedrekord({
      data: { hash: { algorithm: 'sha256', value: '0'.repeat(64) } },
      signature: { publicKey: { content } }
    })
    if (key.subjects.length > 0) return NONE
    const searchKey = keyHash(key)
    return { searchKey, keyHash: hashSearchKey(searchKey) }
  } catch {
    return NONE // the slow way says why
  }
}
