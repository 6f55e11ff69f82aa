import { generateKeyPairSync, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { checkDataHere, createCheckQueue } from '../../src/keys/check-queue.js'
import { nativeProblem, useNative } from '../../src/keys/native-crypto.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { hashData } from '../../src/keys/verify.js'
import { isLogError } from '../../src/errors.js'

const pairs = Array.from({ length: 3 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const ed25519 = generateKeyPairSync('ed25519')
const keyOf = ({ publicKey }: { readonly publicKey: (typeof ed25519)['publicKey'] }) =>
  parsePublicKey(publicKey.export({ type: 'spki', format: 'der' }))
const keys = pairs.map(keyOf)
const REFUSED = 'verification_failed: invalid signature when validating ASN.1 encoded signature'

/** `accepted`, or `code: message`. */
async function refusalText(check: () => Promise<void>): Promise<string> {
  try {
    await check()
    return 'accepted'
  } catch (err) {
    if (isLogError(err)) return `${err.code}: ${err.message}`
    throw err
  }
}

/** A signature by one of the keys. */
function signed(i: number) {
  const pair = pairs[i % pairs.length] as (typeof pairs)[number]
  const key = keys[i % keys.length] as (typeof keys)[number]
  const data = encodeUtf8(`text ${i}`)
  return { key, data, signature: sign('sha256', data, pair.privateKey) }
}

async function checkMany(t: Test, count: number): Promise<void> {
  const queue = createCheckQueue()
  const outcomes = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const { key, data, signature } = signed(i)
      const text = i % 5 === 0 ? encodeUtf8('another text') : data
      const digest = hashData('sha256', text)
      const check =
        i % 2 === 0
          ? () => queue.digest({ key, hashName: 'sha256', digest, signature })
          : () => queue.data({ key, hashName: 'sha256', data: text, signature })
      return refusalText(check)
    })
  )
  t.strictSame(
    outcomes,
    outcomes.map((_, i) => (i % 5 === 0 ? REFUSED : 'accepted'))
  )
}

t.test('many at once, each with its own answer', async (t) => {
  t.equal(nativeProblem(), undefined, 'the addon was built')
  await checkMany(t, 700)
  await checkMany(t, 1)
})

t.test('the same without native verification', async (t) => {
  useNative(false)
  t.teardown(() => useNative(true))
  await checkMany(t, 10)
})

t.test('what cannot be asked at all is refused alone', async (t) => {
  const queue = createCheckQueue()
  const { key, data, signature } = signed(1)
  const good = { key, hashName: 'sha256', data, signature } as const
  const [first, short, last] = await Promise.all([
    refusalText(() => queue.data(good)),
    refusalText(() =>
      queue.digest({ key, hashName: 'sha256', digest: new Uint8Array(31), signature })
    ),
    refusalText(() => queue.data(good))
  ])
  t.strictSame(
    [first, short, last],
    [
      'accepted',
      'verification_failed: unexpected length of digest for hash function specified',
      'accepted'
    ]
  )
})

t.test('Ed25519 over data is pure, whatever the hash', async (t) => {
  const queue = createCheckQueue()
  const key = keyOf(ed25519)
  const data = encodeUtf8('text')
  const signature = sign(null, data, ed25519.privateKey)
  await queue.data({ key, hashName: 'sha256', data, signature })
  t.match(
    await refusalText(() => queue.data({ key, hashName: 'sha256', data: signature, signature })),
    /^verification_failed/
  )
})

t.test('when OpenSSL itself fails everybody who waits is told', async (t) => {
  const queue = createCheckQueue()
  const { key, data, signature } = signed(2)
  // No key of any curve: the addon refuses to load it.
  const broken = { ...key, spki: new Uint8Array(3) } as typeof key
  const outcomes = await Promise.all([
    refusalText(() => queue.data({ key, hashName: 'sha256', data, signature })),
    refusalText(() => queue.data({ key: broken, hashName: 'sha256', data, signature }))
  ])
  t.ok(
    outcomes.every((text) => text.startsWith('internal: ')),
    outcomes.join()
  )
  t.equal(
    await refusalText(() => queue.data({ key, hashName: 'sha256', data, signature })),
    'accepted',
    'the next ones are checked'
  )
})

t.test('here and at once: the same answers', async (t) => {
  const { key, data, signature } = signed(0)
  await checkDataHere({ key, hashName: 'sha256', data, signature })
  t.equal(
    await refusalText(() => checkDataHere({ key, hashName: 'sha256', data: signature, signature })),
    REFUSED
  )
})
