import { decodePem, encodePem } from '../encoding/pem.js'
import { createRecent } from '../encoding/recent.js'
import { encodeUtf8, excerpt } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { parsePublicKey, type PublicKey } from '../keys/public-key.js'
import type { FormatKey, FormatSignature, SignatureFormat } from '../keys/signature-format.js'
import { type SignedDigest, verifyData, verifyDigest } from '../keys/verify.js'
import { type Certificate, parseCertificate } from './certificate.js'
import { verifyChain } from './chain.js'

/** Longest chain read, as in Rekor. */
const MAX_CHAIN_LENGTH = 10

/** Most entries are signed with few keys, and reading one costs as much as verifying with it. */
const RECENT_KEYS = createRecent<X509Key>(1024)

/** A key of RSA 4096 takes 800 bytes. Certificates are mostly used once. */
const MAX_KEPT_BYTES = 1024

export interface X509Key extends FormatKey {
  readonly publicKey: PublicKey
  /** Leaf first; empty when the key came without a certificate. */
  readonly chain: readonly Certificate[]
}

/** Keys, certificates and chains in PEM, with raw signatures. @see rekor-v1 §7.1 */
export const x509Format: SignatureFormat<X509Key, FormatSignature> = {
  name: 'x509',
  parseKey: async (bytes) => parseX509Key(bytes),
  parseSignature: async (bytes) => ({ canonical: bytes }),
  async verify(key, { canonical }, data) {
    assertSignaturePresent(canonical)
    await verifyChain(key.chain)
    await verifyData(key.publicKey, 'sha256', data, canonical)
  }
}

/**
 * Reads PEM of a public key (PKIX), a certificate or a chain of up to ten. The canonical form is that PEM written anew; a
 * chain keeps its order. Subjects are the SANs of the first certificate.
 *
 * @throws LogError `invalid_request`, `unsupported`
 */
export function parseX509Key(bytes: Uint8Array): X509Key {
  const trimmed = trimWhiteSpace(bytes)
  if (trimmed.length > MAX_KEPT_BYTES) return readX509Key(trimmed)
  const { buffer, byteOffset, length } = trimmed
  // Latin-1: every byte is one character, so no two texts become one.
  const key = Buffer.from(buffer, byteOffset, length).toString('latin1')
  return RECENT_KEYS.get(key, () => readX509Key(trimmed))
}

function readX509Key(trimmed: Uint8Array): X509Key {
  const first = decodePem(trimmed)
  if (first === undefined) {
    throw new LogError('invalid_request', 'invalid public key: failure decoding PEM')
  }
  if (first.rest.length > 0) return certificateKey(parseChain(trimmed))
  if (first.block.type === 'CERTIFICATE')
    return certificateKey([parseCertificate(first.block.bytes)])
  if (first.block.type !== 'PUBLIC KEY') {
    throw new LogError(
      'unsupported',
      `invalid public key: cannot handle type ${excerpt(first.block.type)}`
    )
  }
  const publicKey = parsePublicKey(first.block.bytes)
  return {
    canonical: encodeUtf8(encodePem('PUBLIC KEY', publicKey.spki)).slice(), // kept for long
    subjects: [],
    publicKey,
    chain: []
  }
}

/**
 * Checks a signature over a digest: with the chain, if there is one, and Ed25519ph for Ed25519 keys.
 *
 * @param checkDigest what checks the signature itself; on this thread unless it says otherwise
 * @throws LogError `verification_failed`, `unsupported`
 */
export async function verifyX509Digest(
  { chain, publicKey }: X509Key,
  { hashName, digest, signature }: Omit<SignedDigest, 'key'>,
  checkDigest: (signed: SignedDigest) => Promise<void> = checkDigestHere
): Promise<void> {
  assertSignaturePresent(signature)
  await verifyChain(chain)
  await checkDigest({ key: publicKey, hashName, digest, signature })
}

function checkDigestHere({ key, hashName, digest, signature }: SignedDigest): Promise<void> {
  return verifyDigest(key, hashName, digest, signature)
}

function assertSignaturePresent(signature: Uint8Array): void {
  if (signature.length === 0) {
    throw new LogError('verification_failed', 'X509 signature has not been initialized')
  }
}

function parseChain(bytes: Uint8Array): readonly Certificate[] {
  const chain: Certificate[] = []
  for (let rest = bytes; rest.length > 0;) {
    if (chain.length === MAX_CHAIN_LENGTH) {
      throw new LogError('invalid_request', 'too many certificates specified in PEM block')
    }
    const next = decodePem(rest)
    if (next === undefined) throw new LogError('invalid_request', 'error during PEM decoding')
    if (next.block.type !== 'CERTIFICATE') {
      throw new LogError(
        'invalid_request',
        `invalid certificate chain: cannot handle type ${excerpt(next.block.type)}`
      )
    }
    chain.push(parseCertificate(next.block.bytes))
    rest = next.rest
  }
  return chain
}

function certificateKey(chain: readonly Certificate[]): X509Key {
  const [leaf] = chain as readonly [Certificate, ...Certificate[]] // both callers bring one
  const pem = chain.map(({ der }) => encodePem('CERTIFICATE', der)).join('')
  return {
    canonical: encodeUtf8(pem),
    subjects: leaf.subjectAltName.names,
    publicKey: leaf.publicKey,
    chain
  }
}

const WHITE_SPACE: readonly number[] = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20]

function trimWhiteSpace(bytes: Uint8Array): Uint8Array {
  let start = 0
  let end = bytes.length
  // Both indexes are within.
  while (start < end && WHITE_SPACE.includes(bytes[start] as number)) start++
  while (end > start && WHITE_SPACE.includes(bytes[end - 1] as number)) end--
  return bytes.subarray(start, end)
}
