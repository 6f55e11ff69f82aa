// Leaves of hashedrekord entries with good signatures, tens of thousands a second: signing for real would take the longest part of
// building a log of 10 million. ECDSA takes its time for the point of a fresh nonce; here each key has a few nonces and uses them
// again and again. The signatures are as good as any, the keys are worth nothing, which nobody needs to know of random data.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { encodeEcdsaSignature } from '../dist/keys/ecdsa-signature.js'
import {
  hashedrekordLeafValue,
  hashedrekordSearchKeys
} from '../dist/entries/hashedrekord/canonical.js'
import { parseHashedrekord } from '../dist/entries/hashedrekord/parse.js'
import { hashLeaf } from '../dist/merkle/hash.js'
import { sha256 } from '../dist/store/sha256.js'

const KEYS = 64
const NONCES_PER_KEY = 16
const DATA_BYTES = 32
const N = p256.Point.CURVE().n

/** @returns what makes one leaf, another each time: { leafValue, leafHash, searchKeys } */
export function createLeafMaker() {
  const signers = Array.from({ length: KEYS }, makeSigner)
  for (const signer of signers) assertAsTheServer(signer)
  let turn = 0
  return () => {
    const { leafValue, searchKeys } = makeParts(signers[turn++ % KEYS])
    return { leafValue, leafHash: hashLeaf(leafValue, sha256), searchKeys }
  }
}

function makeSigner() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const d = toBigInt(Buffer.from(privateKey.export({ format: 'jwk' }).d, 'base64url'))
  const nonces = Array.from({ length: NONCES_PER_KEY }, () => {
    const k = (toBigInt(randomBytes(40)) % (N - 1n)) + 1n
    const r = p256.Point.BASE.multiply(k).toAffine().x % N
    return { r, inverse: p256.Point.Fn.inv(k), rd: (r * d) % N }
  })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const pemBase64 = Buffer.from(pem).toString('base64')
  return {
    nonces,
    publicKey,
    pem,
    pemBase64,
    keyHash: createHash('sha256').update(pem).digest('hex'),
    turn: 0
  }
}

/** Leaf value and search keys by hand, which is faster; `assertAsTheServer` holds them against the server's own. */
function makeParts(signer) {
  const data = randomBytes(DATA_BYTES)
  const digest = createHash('sha256').update(data).digest()
  const { r, inverse, rd } = signer.nonces[signer.turn++ % NONCES_PER_KEY]
  const s = (inverse * (toBigInt(digest) + rd)) % N
  const signature = encodeEcdsaSignature(r, s)
  const value = digest.toString('hex')
  const content = Buffer.from(signature).toString('base64')
  const text =
    `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"${value}"}},` +
    `"signature":{"content":"${content}","publicKey":{"content":"${signer.pemBase64}"}}}}`
  return {
    data,
    signature,
    leafValue: Buffer.from(text),
    searchKeys: [signer.keyHash, `sha256:${value}`]
  }
}

function toBigInt(bytes) {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function assertAsTheServer(signer) {
  const { data, signature, leafValue, searchKeys } = makeParts(signer)
  const entry = parseHashedrekord(JSON.parse(leafValue.toString()).spec)
  const isSame =
    leafValue.equals(hashedrekordLeafValue(entry)) &&
    searchKeys.toSorted().join() === hashedrekordSearchKeys(entry).toSorted().join() &&
    verify('sha256', data, createPublicKey(signer.pem), signature)
  if (!isSame) throw new Error('the server makes other leaves of the same entry')
}
