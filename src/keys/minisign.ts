import { createHash } from 'node:crypto'
import { decodeBase64Loose, encodeBase64 } from '../encoding/base64.js'
import { concatBytes } from '../encoding/bytes.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { ed25519PublicKey, type Ed25519PublicKey } from './public-key.js'
import type { FormatKey, FormatSignature, SignatureFormat } from './signature-format.js'
import { verifyData } from './verify.js'

//   key        algorithm[2] "Ed"           key id[8]  Ed25519 public key[32]
//   signature  algorithm[2] "Ed" or "ED"   key id[8]  Ed25519 signature[64]
const HEADER_BYTES = 10
const KEY_BYTES = 42
const SIGNATURE_BYTES = 74
const GLOBAL_SIGNATURE_BYTES = 64

/** Longest input read. Comments are a line of text; minisign itself stops at 8 kB. */
const MAX_INPUT_BYTES = 65_536

/** Second algorithm byte of a signature over BLAKE2b-512 of the data. */
const PREHASHED = 0x44

export interface MinisignKey extends FormatKey {
  readonly publicKey: Ed25519PublicKey
}

export interface MinisignSignature extends FormatSignature {
  readonly prehashed: boolean
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/**
 * minisign and OpenBSD's signify. Comments and the global signature over them are dropped and never checked, key ids
 * never compared: the leaf holds neither.
 *
 * @see rekor-v1 §7.3
 */
export const minisignFormat: SignatureFormat<MinisignKey, MinisignSignature> = {
  name: 'minisign',

  async parseKey(bytes) {
    const encoded = readKeyBytes(bytes)
    return {
      canonical: encodeUtf8(encodeBase64(encoded)),
      subjects: [],
      publicKey: ed25519PublicKey(encoded.subarray(HEADER_BYTES))
    }
  },

  async parseSignature(bytes) {
    const lines = readText(bytes, 'signature').split('\n')
    const encoded = readMinisignSignature(lines) ?? readSignifySignature(lines)
    return {
      canonical: encodeUtf8(`untrusted comment:\n${encodeBase64(encoded)}`),
      prehashed: encoded[1] === PREHASHED,
      signature: encoded.subarray(HEADER_BYTES)
    }
  },

  async verify(key, { prehashed, signature }, data) {
    const message = prehashed ? createHash('blake2b512').update(data).digest() : data
    await verifyData(key.publicKey, 'sha512', message, signature)
  }
}

/** The 42 bytes of a key: comment line and base64, or base64 alone, or the bare 32 bytes Rekor once stored. */
function readKeyBytes(bytes: Uint8Array): Uint8Array {
  const text = readText(bytes, 'public key')
  const newline = text.indexOf('\n')
  const encoded =
    (newline < 0 ? undefined : decodeSized(text.slice(newline + 1), KEY_BYTES)) ??
    decodeSized(text, KEY_BYTES)
  if (encoded !== undefined) return encoded
  if (bytes.length === KEY_BYTES - HEADER_BYTES) {
    return concatBytes(encodeUtf8('Ed'), new Uint8Array(8), bytes)
  }
  throw new LogError(
    'invalid_request',
    'unable to read minisign public key: Invalid encoded public key'
  )
}

/** Four lines: comment, signature, trusted comment, global signature (in which line ends do not count). */
function readMinisignSignature(lines: readonly string[]): Uint8Array | undefined {
  const [, signature = '', , ...globalSignature] = lines
  if (decodeSized(globalSignature.join(''), GLOBAL_SIGNATURE_BYTES) === undefined) return undefined
  return decodeSized(signature, SIGNATURE_BYTES)
}

/** Two lines: comment, signature. */
function readSignifySignature(lines: readonly string[]): Uint8Array {
  const count = lines.findLastIndex((line) => line !== '') + 1
  if (count !== 2) throw invalid(`${Math.max(1, count)} lines detected`)
  const [, encoded = ''] = lines
  const signature = tryDecode(encoded)
  if (signature === undefined) throw invalid('base64 decoding failed')
  if (signature.length !== SIGNATURE_BYTES) {
    throw invalid(`incorrect size ${signature.length} detected`)
  }
  return signature
}

function decodeSized(text: string, length: number): Uint8Array | undefined {
  const bytes = tryDecode(text)
  return bytes?.length === length ? bytes : undefined
}

function tryDecode(text: string): Uint8Array | undefined {
  try {
    return decodeBase64Loose(text)
  } catch {
    return undefined
  }
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', `invalid signature provided: ${problem}`)
}

// Comments may be in any encoding and are dropped; one character a byte keeps every input readable.
function readText(bytes: Uint8Array, what: string): string {
  if (bytes.length > MAX_INPUT_BYTES) {
    throw new LogError('invalid_request', `minisign ${what} longer than ${MAX_INPUT_BYTES} bytes`)
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
