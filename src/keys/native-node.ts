import type { KeyObject } from 'node:crypto'
import { decodeHex } from '../encoding/hex.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { encodeEcdsaSignature } from './ecdsa-signature.js'
import type { NativeCheck, NativeCrypto } from './native-crypto.js'
import { ecdsaPublicKey } from './public-key.js'

/** As proposed for Node (nodejs/node, pull request 62345). No release has it yet; 26.10 does not. */
interface NodeDigests {
  verifyDigest(
    hashName: string,
    digest: Uint8Array,
    key: { readonly key: KeyObject; readonly dsaEncoding: 'der' },
    signature: Uint8Array
  ): boolean
  verifyDigest(
    hashName: string,
    digest: Uint8Array,
    key: { readonly key: KeyObject; readonly dsaEncoding: 'der' },
    signature: Uint8Array,
    done: (err: Error | null, isGood: boolean) => void
  ): void
}

/**
 * ECDSA over a digest by `crypto.verifyDigest`, where Node has it and it answers a known signature as it must.
 *
 * @param node the module `node:crypto`
 */
export function nodeVerification(node: object): NativeCrypto | undefined {
  if (!hasVerifyDigest(node)) return undefined
  const verification: NativeCrypto = {
    description: 'crypto.verifyDigest of Node',
    verifies: (key): key is NativeCheck['key'] => key.type === 'ecdsa',
    isGood({ key, hashName, digest, signature }) {
      try {
        const named = { key: key.keyObject, dsaEncoding: 'der' } as const
        return node.verifyDigest(hashName, digest, named, signature)
      } catch (err) {
        throw verifyFailed(err)
      }
    },
    areGood: (checks) => Promise.all(checks.map((check) => isGoodOnPool(node, check)))
  }
  return keepsPromise(verification) ? verification : undefined
}

function hasVerifyDigest(node: object): node is NodeDigests {
  return 'verifyDigest' in node && typeof node.verifyDigest === 'function'
}

function isGoodOnPool(
  node: NodeDigests,
  { key, hashName, digest, signature }: NativeCheck
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const named = { key: key.keyObject, dsaEncoding: 'der' } as const
    node.verifyDigest(hashName, digest, named, signature, (err, isGood) => {
      if (err === null) resolve(isGood)
      else reject(verifyFailed(err))
    })
  })
}

// RFC 6979 section A.2.5: ECDSA on P-256 over SHA-256 of "sample".
const TEST_POINT =
  '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' +
  '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299'
const TEST_DIGEST = 'af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf'
const TEST_R = 0xefd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716n
const TEST_S = 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n

/** One good signature, one over another digest, one that is none. */
function keepsPromise({ isGood }: NativeCrypto): boolean {
  const key = ecdsaPublicKey('P-256', decodeHex(TEST_POINT))
  const digest = decodeHex(TEST_DIGEST)
  const signature = encodeEcdsaSignature(TEST_R, TEST_S)
  const good: NativeCheck = { key, hashName: 'sha256', digest, signature }
  try {
    return (
      isGood(good) &&
      !isGood({ ...good, digest: new Uint8Array(digest.length) }) &&
      !isGood({ ...good, signature: encodeUtf8('no signature') })
    )
  } catch {
    return false
  }
}

/** Not about the signature: never to be told to a client as one that is bad. */
function verifyFailed(err: unknown): LogError {
  return new LogError('internal', 'crypto.verifyDigest failed', { cause: err })
}
