// No Node has crypto.verifyDigest yet. These stand-ins do as its proposal says, on top of crypto.verify: they know what the
// digests they are asked about are digests of.
import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import type { NativeCheck } from '../../src/keys/native-crypto.js'
import { nodeVerification } from '../../src/keys/native-node.js'
import { type EcdsaPublicKey, parsePublicKey } from '../../src/keys/public-key.js'
import { refusalText } from '../helpers/refusals.js'

interface NamedKey {
  readonly key: KeyObject
  readonly dsaEncoding: 'der'
}
type Done = (err: Error | null, isGood?: boolean) => void

const messages = ['sample', 'what is signed'].map(encodeUtf8)

function verifyDigest(
  hashName: string,
  digest: Uint8Array,
  { key, dsaEncoding }: NamedKey,
  signature: Uint8Array,
  done?: Done
): boolean | undefined {
  const message = messages.find((known) =>
    createHash(hashName).update(known).digest().equals(digest)
  )
  const isGood = message !== undefined && verify(hashName, message, { key, dsaEncoding }, signature)
  if (done === undefined) return isGood
  setImmediate(done, null, isGood)
  return undefined
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const message = encodeUtf8('what is signed')
const good: NativeCheck = {
  // generated on a curve
  key: parsePublicKey(publicKey.export({ type: 'spki', format: 'der' })) as EcdsaPublicKey,
  hashName: 'sha384',
  digest: createHash('sha384').update(message).digest(),
  signature: sign('sha384', message, privateKey)
}
const bad: NativeCheck = { ...good, digest: createHash('sha384').update('other').digest() }

t.test('a Node that has it', async (t) => {
  const native = nodeVerification({ verifyDigest })
  if (native === undefined) throw new Error('it was not taken')
  t.equal(native.description, 'crypto.verifyDigest of Node')
  t.ok(native.verifies(good.key))
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  t.notOk(native.verifies(parsePublicKey(rsa.export({ type: 'spki', format: 'der' }))))
  t.equal(native.isGood(good), true)
  t.equal(native.isGood(bad), false)
  t.same(await native.areGood([bad, good, bad]), [false, true, false])
})

t.test('a Node that has it not, or something else of that name', async (t) => {
  const throwing = () => {
    throw new Error('not implemented')
  }
  for (const [name, node] of [
    ['none', {}],
    ['no function', { verifyDigest: true }],
    ['always good', { verifyDigest: () => true }],
    ['always bad', { verifyDigest: () => false }],
    [
      'good whatever the digest',
      {
        verifyDigest: (_: string, __: unknown, ___: unknown, signature: Uint8Array) =>
          signature[0] === 0x30
      }
    ],
    ['throws', { verifyDigest: throwing }]
  ] as const) {
    t.equal(nodeVerification(node), undefined, name)
  }
})

t.test('its failures are ours, not a bad signature', async (t) => {
  let isFailing = false
  const native = nodeVerification({
    verifyDigest: (...given: Parameters<typeof verifyDigest>) => {
      const [, , , , done] = given
      if (!isFailing) return verifyDigest(...given)
      if (done === undefined) throw new Error('no memory')
      setImmediate(done, new Error('no memory'))
      return undefined
    }
  })
  if (native === undefined) throw new Error('it was not taken')
  isFailing = true
  const text = 'internal: crypto.verifyDigest failed'
  t.equal(await refusalText(() => native.isGood(good)), text)
  t.equal(await refusalText(() => native.areGood([good])), text)
})
