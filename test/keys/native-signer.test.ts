import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import t, { type Test } from 'tap'
import { type NativeAddon, type NativeHandle, useNative } from '../../src/keys/native-addon.js'
import { type BatchSigner, createBatchSigner } from '../../src/keys/native-signer.js'
import { addonUnderTest } from '../helpers/native.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'

const random = seededRandom()
t.comment(`TEST_SEED=${random.seed}`)
addonUnderTest()
const messages = Array.from({ length: 70 }, (_, i) => random.bytes(i))

const CURVES = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** Checks a batch, in order, an empty one, and a single message. */
async function checkSigner(t: Test, signer: BatchSigner, privateKey: KeyObject, hash: string) {
  const publicKey = createPublicKey(privateKey)
  t.same(signer.publicKey, Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })))
  const signatures = await signer.signAll(messages)
  t.equal(signatures.length, messages.length)
  for (const [i, message] of messages.entries()) {
    const signature = signatures[i] ?? new Uint8Array(0)
    if (!verify(hash, message, publicKey, signature)) t.fail(`message ${i}`)
  }
  t.same(await signer.signAll([]), [])
  const [message = new Uint8Array(0)] = messages
  t.ok(verify(hash, message, publicKey, await signer.sign(message)))
}

t.test('with and without native code', async (t) => {
  t.teardown(() => useNative(true))
  for (const isNative of [true, false]) {
    useNative(isNative)
    for (const [curve, hash] of Object.entries(CURVES)) {
      const privateKey = ec(curve)
      await checkSigner(t, createBatchSigner(privateKey), privateKey, hash)
    }
    const privateKey = rsa()
    await checkSigner(t, createBatchSigner(privateKey), privateKey, 'sha256')
  }
  useNative(true)
  t.equal(
    await refusalText(() => createBatchSigner(ec('secp224r1'))),
    await refusalText(() => createBatchSigner(ec('secp256k1')))
  )
})

/** As the addon; keeps what it was given. */
function standIn(changes: Partial<NativeAddon>): NativeAddon {
  const unused = () => {
    throw new Error('not to be called')
  }
  return {
    loadPublicKey: unused,
    loadPrivateKey: (pkcs8) => pkcs8 as unknown as NativeHandle,
    verifyDigest: unused,
    verifyDigests: unused,
    signMessage: unused,
    signMessages: unused,
    makeTable: unused,
    isGoodByTable: unused,
    sha256: unused,
    hashLeaf: unused,
    hashSubtree: unused,
    hashChain: unused,
    hasEd25519ph: false,
    openssl: '3.0.0',
    ...changes
  }
}

t.test('batches larger than the addon takes, in order; RSA is not for it', async (t) => {
  const sizes: number[] = []
  const addon = standIn({
    signMessages: async (_, hashName, batch, lanes) => {
      t.equal(hashName, 'sha256')
      t.ok(lanes >= 1)
      sizes.push(batch.length)
      return [...batch]
    }
  })
  const many = Array.from({ length: 5000 }, (_, i) => Uint8Array.of(i % 256, i >> 8))
  t.same(await createBatchSigner(ec('P-256'), addon).signAll(many), many)
  t.same(sizes, [4096, 904])
  const privateKey = rsa()
  await checkSigner(t, createBatchSigner(privateKey, addon), privateKey, 'sha256')
})

t.test('the copy of the private key is overwritten, whether it was taken or not', async (t) => {
  for (const isTaken of [true, false]) {
    let copy = new Uint8Array(0)
    let wasKey = false
    const addon = standIn({
      loadPrivateKey: (pkcs8) => {
        copy = pkcs8 as Uint8Array<ArrayBuffer>
        wasKey = copy[0] === 0x30
        if (!isTaken) throw new Error('not a key')
        return copy as unknown as NativeHandle
      }
    })
    const outcome = await refusalText(() => createBatchSigner(ec('P-256'), addon)).catch(() => '')
    t.equal(outcome, isTaken ? '' : 'internal: the private key did not sign')
    t.ok(wasKey && copy.length > 0)
    t.ok(copy.every((byte) => byte === 0))
  }
})

t.test('one or two are signed here, more on the pool', async (t) => {
  const crossings: number[] = []
  const addon = standIn({
    signMessage: (_, hashName, message) => Uint8Array.of(hashName === 'sha256' ? 1 : 0, ...message),
    signMessages: async (_, _hashName, batch) => {
      crossings.push(batch.length)
      return batch.map((message) => Uint8Array.of(1, ...message))
    }
  })
  const signer = createBatchSigner(ec('P-256'), addon)
  t.same(await signer.sign(Uint8Array.of(7)), Uint8Array.of(1, 7))
  for (const length of [0, 1, 2, 3]) {
    const batch = Array.from({ length }, (_, i) => Uint8Array.of(i))
    t.same(
      await signer.signAll(batch),
      batch.map((message) => Uint8Array.of(1, ...message))
    )
  }
  t.strictSame(crossings, [3])
})

t.test('a failure of OpenSSL', async (t) => {
  const failing = () => {
    throw new Error('no memory')
  }
  const signer = createBatchSigner(
    ec('P-256'),
    standIn({ signMessage: failing, signMessages: failing })
  )
  const text = 'internal: the private key did not sign'
  t.equal(await refusalText(() => signer.sign(Uint8Array.of(1))), text)
  for (const length of [1, 2, 3]) {
    const batch = Array.from({ length }, () => Uint8Array.of(1))
    t.equal(await refusalText(() => signer.signAll(batch)), text, `${length}`)
  }
})
