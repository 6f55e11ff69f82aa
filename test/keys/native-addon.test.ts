// The addon itself, as JavaScript sees it. That its verdicts are right is held by native-crypto.test.ts.
import { createHook } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import t from 'tap'
import {
  batchLanes,
  findAddon,
  handleOf,
  isNativeWanted,
  loadAddon,
  type NativeAddon,
  nativeAddon,
  type NativeHandle,
  useNative
} from '../../src/keys/native-addon.js'
import { p224 } from '../../src/keys/p224.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { mutate } from '../helpers/mutations.js'
import { addonUnderTest } from '../helpers/native.js'
import { seededRandom } from '../helpers/random.js'

const random = seededRandom()
t.comment(`TEST_SEED=${random.seed}`)

const found = addonUnderTest()
const withAddon = {
  skip: found === undefined && 'TEST_WITHOUT_NATIVE=1: THE ADDON IS NOT TESTED ON THIS MACHINE'
}
const addon = found as NativeAddon // nothing with `withAddon` runs without it

const NOBLE = { secp224r1: p224, 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const
const CURVES = Object.keys(NOBLE) as readonly (keyof typeof NOBLE)[] // its keys are these

interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
  readonly pkcs8: Uint8Array
}

function pair(namedCurve: string): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
  return {
    publicKey,
    privateKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' })
  }
}

const digestOf = (data: Uint8Array) => createHash('sha256').update(data).digest()

/** Name and code of what `action` throws or rejects with. */
async function thrown(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (err) {
    const { name, code } = err as NodeJS.ErrnoException
    return `${name} ${code}`
  }
  return 'nothing'
}

t.test('an addon that is not there, or does not load', async (t) => {
  const failing = (message: string, code?: string) => () => {
    throw Object.assign(new Error(message), { code })
  }
  t.same(loadAddon(failing('Cannot find module', 'MODULE_NOT_FOUND')), {
    problem: 'the native addon was not built; npm run build:native says why'
  })
  t.same(loadAddon(failing('undefined symbol: EVP_PKEY_new\nand more', 'ERR_DLOPEN_FAILED')), {
    problem: 'the native addon does not load: undefined symbol: EVP_PKEY_new'
  })
  let path = ''
  const stub = {}
  t.equal(loadAddon((asked) => ((path = asked), stub)).addon, stub)
  t.equal(path, '../../native/build/Release/sigstead_crypto.node')
  t.equal(loadAddon().addon, found)
})

t.test('may be switched off', async (t) => {
  t.teardown(() => useNative(true))
  t.equal(isNativeWanted(), true)
  t.equal(nativeAddon(), found)
  useNative(false)
  t.equal(isNativeWanted(), false)
  t.equal(nativeAddon(), undefined)
  t.equal(findAddon().addon, found, 'it is there all the same')
})

t.test('a key has one handle per addon', async (t) => {
  const counting = () => {
    let loaded = 0
    const addon = {
      loadPublicKey: (spki: Uint8Array) => {
        if (spki.length === 0) throw new Error('no key')
        return ++loaded as unknown as NativeHandle
      }
    } as NativeAddon // all that is called
    return { addon, count: () => loaded }
  }
  const [one, other] = [counting(), counting()]
  const key = { spki: Uint8Array.of(1) }
  const handle = handleOf(one.addon, key)
  t.equal(handleOf(one.addon, key), handle)
  t.equal(one.count(), 1)
  handleOf(other.addon, key)
  handleOf(one.addon, { ...key })
  t.same([one.count(), other.count()], [2, 1])
  const bad = { spki: new Uint8Array(0) }
  t.throws(() => handleOf(one.addon, bad), { message: 'no key' })
  t.throws(() => handleOf(one.addon, bad), { message: 'no key' })
})

t.test('which public keys it loads', withAddon, async (t) => {
  const refused: string[] = []
  const accepts = (spki: Uint8Array) => {
    try {
      addon.loadPublicKey(spki)
      return true
    } catch (err) {
      refused.push((err as NodeJS.ErrnoException).code ?? 'without a code')
      return false
    }
  }
  for (const curve of CURVES) {
    const { spki } = pair(curve)
    const noble = NOBLE[curve]
    const pointBytes = 1 + 2 * noble.Point.Fp.BYTES
    const head = spki.subarray(0, spki.length - pointBytes)
    const point = spki.subarray(spki.length - pointBytes)
    const compressed = noble.Point.fromBytes(point).toBytes(true)
    const x = point.subarray(1, 1 + noble.Point.Fp.BYTES)
    const y = point.subarray(1 + noble.Point.Fp.BYTES)
    const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]))
    const withPoint = (...parts: readonly Uint8Array[]) => join(head, ...parts)
    t.ok(accepts(spki), curve)
    for (const [name, bytes] of [
      ['off the curve', withPoint(Uint8Array.of(4), x, x)],
      ['zeros', withPoint(Uint8Array.of(4), new Uint8Array(pointBytes - 1))],
      [
        'x not below the prime',
        withPoint(
          Uint8Array.of(4),
          y.map(() => 0xff),
          y
        )
      ],
      ['x + p', withPoint(Uint8Array.of(4), plusPrime(x, noble.Point.Fp.ORDER), y)],
      ['hybrid form', withPoint(Uint8Array.of(6 + ((y.at(-1) ?? 0) & 1)), x, y)],
      ['infinity in the place of a point', withPoint(new Uint8Array(pointBytes))],
      ['one byte less', spki.subarray(0, -1)],
      ['one byte more', join(spki, Uint8Array.of(0))],
      ['nothing', new Uint8Array(0)]
    ] as const) {
      t.notOk(accepts(bytes), `${curve}: ${name}`)
    }
    // The same with lengths that fit: what OpenSSL itself would read.
    for (const [name, bytes] of [
      ['compressed point', compressed],
      ['point at infinity', Uint8Array.of(0)]
    ] as const) {
      t.notOk(accepts(spkiWith(spki, bytes)), `${curve}: ${name}`)
    }
    let same = 0
    for (let i = 0; i < 150; i++) {
      const mutated = mutate(spki, random)
      if (accepts(mutated) === isParsed(mutated)) same++
      else t.fail(`${curve}: ${Buffer.from(mutated).toString('hex')}`)
    }
    t.equal(same, 150, `${curve}: as our own parser`)
  }
  const raw = ed25519.getPublicKey(random.bytes(32))
  const head = Uint8Array.from(Buffer.from('302a300506032b6570032100', 'hex'))
  t.ok(accepts(Uint8Array.of(...head, ...raw)), 'Ed25519')
  t.notOk(accepts(Uint8Array.of(...head, ...raw.subarray(1))), 'Ed25519, cut')
  for (const [type, options] of [
    ['rsa', { modulusLength: 2048 }],
    ['ec', { namedCurve: 'secp256k1' }],
    ['ed448', {}],
    ['x25519', {}]
  ] as const) {
    // The types want one call per kind of key.
    const { publicKey } = generateKeyPairSync(type as 'ec', options as { namedCurve: string })
    t.notOk(accepts(publicKey.export({ type: 'spki', format: 'der' })), type)
  }
  t.same([...new Set(refused)].toSorted(), ['invalid_request', 'unsupported'])
})

/** A number that is the same modulo p, where it fits. */
function plusPrime(coordinate: Uint8Array, prime: bigint): Uint8Array {
  const sum = BigInt(`0x${Buffer.from(coordinate).toString('hex')}`) + prime
  const hex = sum.toString(16).padStart(2 * coordinate.length, '0')
  return Uint8Array.from(Buffer.from(hex.slice(-2 * coordinate.length), 'hex'))
}

/** The same key info with another point, lengths as they must be. */
function spkiWith(spki: Uint8Array, point: Uint8Array): Uint8Array {
  const start = spki[1] === 0x81 ? 3 : 2
  const algorithm = spki.subarray(start, start + 2 + (spki[start + 1] ?? 0))
  const bits = [3, point.length + 1, 0, ...point]
  return Uint8Array.of(0x30, algorithm.length + bits.length, ...algorithm, ...bits)
}

/** Whether our own parser takes it, which without native code leaves points to Node. */
function isParsed(spki: Uint8Array): boolean {
  useNative(false)
  try {
    return parsePublicKey(spki).type !== 'rsa'
  } catch {
    return false
  } finally {
    useNative(true)
  }
}

t.test('which private keys it loads', withAddon, async (t) => {
  const data = random.bytes(100)
  for (const curve of ['P-256', 'P-384', 'P-521']) {
    const { publicKey, privateKey, pkcs8 } = pair(curve)
    const copy = Uint8Array.from(pkcs8)
    const handle = addon.loadPrivateKey(copy)
    t.same(copy, Uint8Array.from(pkcs8), 'what it was given is as it was')
    copy.fill(0)
    for (const hash of ['sha256', 'sha384', 'sha512']) {
      t.ok(verify(hash, data, publicKey, addon.signMessage(handle, hash, data)), `${curve} ${hash}`)
    }
    // Without the public half, which SEC 1 makes optional: it is computed.
    const { d } = privateKey.export({ format: 'jwk' })
    const bare = pkcs8WithoutPublicHalf(pkcs8, Uint8Array.from(Buffer.from(d ?? '', 'base64url')))
    const other = addon.loadPrivateKey(bare)
    t.ok(verify('sha256', data, publicKey, addon.signMessage(other, 'sha256', data)), curve)
    // Two good halves that are no pair.
    const stranger = Buffer.from(pkcs8)
    const point = pair(curve).spki.subarray(
      -(d === undefined ? 0 : 2 * Buffer.from(d, 'base64url').length)
    )
    Buffer.from(point).copy(stranger, stranger.length - point.length)
    t.equal(await thrown(() => addon.loadPrivateKey(stranger)), 'Error invalid_request', 'no pair')
    for (const bytes of [
      pkcs8.subarray(1),
      pkcs8.subarray(0, -1),
      Buffer.concat([pkcs8, Buffer.of(0)])
    ]) {
      t.equal(await thrown(() => addon.loadPrivateKey(bytes)), 'Error unsupported', curve)
    }
  }
  for (const [name, bytes] of [
    ['nothing', new Uint8Array(0)],
    ['a public key', pair('P-256').spki],
    ['P-224', pair('secp224r1').pkcs8],
    ['secp256k1', pair('secp256k1').pkcs8],
    [
      'RSA',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        type: 'pkcs8',
        format: 'der'
      })
    ],
    ['Ed25519', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' })]
  ] as const) {
    t.equal(await thrown(() => addon.loadPrivateKey(bytes)), 'Error unsupported', name)
  }
  // Whatever is in it: an Error or a key, and the process lives on.
  const { pkcs8 } = pair('P-256')
  for (let i = 0; i < 300; i++) {
    const outcome = await thrown(() => addon.loadPrivateKey(mutate(pkcs8, random)))
    if (!/^nothing$|^Error (unsupported|invalid_request)$/.test(outcome)) t.fail(outcome)
  }
})

/** PKCS#8 around SEC 1 `SEQUENCE { 1, d }`. @see RFC 5915 */
function pkcs8WithoutPublicHalf(pkcs8: Uint8Array, d: Uint8Array): Uint8Array {
  const start = pkcs8[1] === 0x81 ? 3 : 2
  const algorithmEnd = start + 3 + 2 + (pkcs8[start + 4] ?? 0)
  const ecKey = [0x30, 5 + d.length, 2, 1, 1, 4, d.length, ...d]
  const rest = [...pkcs8.subarray(start, algorithmEnd), 4, ecKey.length, ...ecKey]
  return Uint8Array.of(0x30, rest.length, ...rest)
}

t.test('arguments of the wrong kind are refused', withAddon, async (t) => {
  const { spki, pkcs8, privateKey } = pair('P-256')
  const publicHandle = addon.loadPublicKey(spki)
  const privateHandle = addon.loadPrivateKey(pkcs8)
  const data = new Uint8Array(32)
  const signature = sign('sha256', data, privateKey)
  const detached = new Uint8Array(32)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const resized = new Uint8Array(resizable(64, 64), 32, 32)
  ;(resized.buffer as unknown as { resize(bytes: number): void }).resize(40)
  const notBytes: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a string', 'bytes'],
    ['an object', {}],
    ['an object like one', { length: 1, buffer: new ArrayBuffer(1) }],
    ['an array', [1, 2]],
    ['an ArrayBuffer', new ArrayBuffer(32)],
    ['a DataView', new DataView(new ArrayBuffer(32))],
    ['a Uint16Array', new Uint16Array(32)],
    ['an Int8Array', new Int8Array(32)],
    ['a Uint8ClampedArray', new Uint8ClampedArray(32)],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(32))],
    ['a detached one', detached],
    ['one that no longer fits its buffer', resized],
    ['a handle', publicHandle],
    ['a proxy', new Proxy(new Uint8Array(32), {})]
  ]
  const wrong = 'TypeError ERR_INVALID_ARG_TYPE'
  for (const [name, value] of notBytes) {
    const bytes = value as Uint8Array
    for (const [where, action] of [
      ['loadPublicKey', () => addon.loadPublicKey(bytes)],
      ['loadPrivateKey', () => addon.loadPrivateKey(bytes)],
      ['digest', () => addon.verifyDigest(publicHandle, bytes, signature)],
      ['signature', () => addon.verifyDigest(publicHandle, data, bytes)],
      ['digests', () => addon.verifyDigests([publicHandle], [bytes], [signature], 2)],
      ['signatures', () => addon.verifyDigests([publicHandle], [data], [bytes], 2)],
      ['message', () => addon.signMessage(privateHandle, 'sha256', bytes)],
      ['messages', () => addon.signMessages(privateHandle, 'sha256', [data, bytes], 2)]
    ] as const) {
      t.equal(await thrown(action), wrong, `${name} as ${where}`)
    }
  }
  for (const [name, value] of [
    ['undefined', undefined],
    ['an object', {}],
    ['bytes', spki],
    ['a handle of the other kind', undefined]
  ] as const) {
    const publicOne = (name.startsWith('a handle') ? privateHandle : value) as NativeHandle
    const privateOne = (name.startsWith('a handle') ? publicHandle : value) as NativeHandle
    t.equal(await thrown(() => addon.verifyDigest(publicOne, data, signature)), wrong, name)
    t.equal(await thrown(() => addon.verifyDigests([publicOne], [data], [signature], 1)), wrong)
    t.equal(await thrown(() => addon.signMessage(privateOne, 'sha256', data)), wrong, name)
    t.equal(await thrown(() => addon.signMessages(privateOne, 'sha256', [data], 1)), wrong, name)
  }
  const invalid = 'RangeError ERR_INVALID_ARG_VALUE'
  for (const hash of ['sha1', 'SHA256', '', 'sha256\0', 'sha2561234567890123456789']) {
    t.equal(
      await thrown(() => addon.signMessage(privateHandle, hash, data)),
      invalid,
      JSON.stringify(hash)
    )
  }
  t.equal(
    await thrown(() => addon.signMessage(privateHandle, 256 as unknown as string, data)),
    wrong
  )
  // An empty array of bytes is one.
  t.equal(addon.verifyDigest(publicHandle, data, new Uint8Array(0)), false)
  t.equal(addon.verifyDigest(publicHandle, data, new Uint8Array(new ArrayBuffer(8), 8)), false)
})

/** An ArrayBuffer that may change its size. Newer than the types. */
function resizable(bytes: number, maxByteLength: number): ArrayBuffer {
  type Constructor = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer
  return new (ArrayBuffer as unknown as Constructor)(bytes, { maxByteLength })
}

t.test('batches of the wrong shape are refused', withAddon, async (t) => {
  const { spki, pkcs8 } = pair('P-256')
  const key = addon.loadPublicKey(spki)
  const privateHandle = addon.loadPrivateKey(pkcs8)
  const data = new Uint8Array(32)
  const invalid = 'RangeError ERR_INVALID_ARG_VALUE'
  const wrong = 'TypeError ERR_INVALID_ARG_TYPE'
  const many = <Item>(item: Item, length: number) => new Array<Item>(length).fill(item)
  for (const [name, expected, action] of [
    ['nothing', invalid, () => addon.verifyDigests([], [], [], 1)],
    ['no message', invalid, () => addon.signMessages(privateHandle, 'sha256', [], 1)],
    ['fewer keys', invalid, () => addon.verifyDigests([key], [data, data], [data, data], 1)],
    ['fewer digests', invalid, () => addon.verifyDigests([key, key], [data], [data, data], 1)],
    ['fewer signatures', invalid, () => addon.verifyDigests([key, key], [data, data], [data], 1)],
    [
      'too many',
      invalid,
      () => addon.verifyDigests(many(key, 4097), many(data, 4097), many(data, 4097), 1)
    ],
    [
      'too many messages',
      invalid,
      () => addon.signMessages(privateHandle, 'sha256', many(data, 4097), 1)
    ],
    ['no lane', invalid, () => addon.verifyDigests([key], [data], [data], 0)],
    ['too many lanes', invalid, () => addon.verifyDigests([key], [data], [data], 65)],
    ['no number of lanes', invalid, () => addon.verifyDigests([key], [data], [data], NaN)],
    ['lanes are text', wrong, () => addon.verifyDigests([key], [data], [data], '2' as never)],
    ['no arrays', wrong, () => addon.verifyDigests({ length: 1 } as never, [data], [data], 1)],
    ['holes', wrong, () => addon.verifyDigests([key], new Array(1) as never, [data], 1)],
    ['no arguments', wrong, () => (addon.verifyDigests as () => unknown)()],
    ['no arguments to sign', wrong, () => (addon.signMessages as () => unknown)()]
  ] as const) {
    t.equal(await thrown(action), expected, name)
  }
  // Getters see, and may spoil, what was read before them; what they throw comes through.
  const digests = [data, data]
  Object.defineProperty(digests, 1, {
    get: () => {
      throw Object.assign(new Error('getter'), { code: 'getter' })
    }
  })
  t.equal(
    await thrown(() => addon.verifyDigests([key, key], digests, [data, data], 1)),
    'Error getter'
  )
  const shrinking = [new Uint8Array(32), new Uint8Array(32)]
  Object.defineProperty(shrinking, 0, {
    get: () => {
      shrinking.length = 1
      return data
    }
  })
  t.equal(await thrown(() => addon.verifyDigests([key, key], shrinking, [data, data], 1)), wrong)
})

t.test('batches keep their order and look at nothing after the call', withAddon, async (t) => {
  const pairs = ['P-256', 'P-384', 'P-521', 'secp224r1'].map(pair)
  const items = Array.from({ length: 300 }, (_, i) => {
    const { spki, privateKey } = random.pick(pairs)
    const data = random.bytes(20)
    const isGood = i % 7 !== 3
    const digest = digestOf(isGood ? data : random.bytes(20))
    return { spki, digest, signature: sign('sha256', data, privateKey), isGood }
  })
  for (const lanes of [1, 2, 5, 64]) {
    const digests = items.map(({ digest }) => Uint8Array.from(digest))
    const signatures = items.map(({ signature }) => Uint8Array.from(signature))
    const verdicts = addon.verifyDigests(
      items.map(({ spki }) => addon.loadPublicKey(spki)), // nobody holds these any longer
      digests,
      signatures,
      lanes
    )
    for (const bytes of [...digests, ...signatures]) bytes.fill(0)
    t.same(
      [...(await verdicts)],
      items.map(({ isGood }) => (isGood ? 1 : 0)),
      `${lanes} lanes`
    )
  }
})

t.test('signatures in batches', withAddon, async (t) => {
  const { publicKey, pkcs8 } = pair('P-256')
  const handle = addon.loadPrivateKey(pkcs8)
  const messages = Array.from({ length: 100 }, (_, i) => random.bytes(i === 0 ? 0 : 1 << (i % 14)))
  const signing = addon.signMessages(
    handle,
    'sha256',
    messages.map((bytes) => Uint8Array.from(bytes)),
    2
  )
  const signatures = await signing
  t.equal(signatures.length, messages.length)
  for (const [i, message] of messages.entries()) {
    const signature = signatures[i] as Uint8Array
    t.ok(signature instanceof Uint8Array && signature.length <= 72)
    t.ok(verify('sha256', message, publicKey, signature), `message ${i}`)
  }
  t.equal(new Set(signatures.map((bytes) => Buffer.from(bytes).toString('hex'))).size, 100)
})

t.test('Ed25519ph where OpenSSL has it, and a plain refusal where not', withAddon, async (t) => {
  const spki = Uint8Array.of(
    ...Buffer.from('302a300506032b6570032100', 'hex'),
    ...Buffer.from('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf', 'hex')
  )
  // RFC 8032 section 7.3
  const digest = createHash('sha512').update('abc').digest()
  const signature = Buffer.from(
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
      '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
    'hex'
  )
  const key = addon.loadPublicKey(spki)
  const [major = 0, minor = 0] = addon.openssl.split('.').map(Number)
  t.equal(addon.hasEd25519ph, major > 3 || (major === 3 && minor >= 4), addon.openssl)
  if (!addon.hasEd25519ph) {
    t.equal(await thrown(() => addon.verifyDigest(key, digest, signature)), 'Error unsupported')
    t.equal(
      await thrown(() => addon.verifyDigests([key], [digest], [signature], 1)),
      'Error unsupported'
    )
    return
  }
  const changed = Buffer.from(signature)
  changed[63] = 0x16
  const cases = [
    [digest, signature, true],
    [digest, changed, false],
    [digest.subarray(1), signature, false],
    [digest, signature.subarray(1), false],
    [digestOf(digest), signature, false],
    [digest, Buffer.alloc(0), false]
  ] as const
  for (const [about, bytes, expected] of cases) {
    t.equal(addon.verifyDigest(key, about, bytes), expected)
  }
  const verdicts = await addon.verifyDigests(
    cases.map(() => key),
    cases.map(([about]) => about),
    cases.map(([, bytes]) => bytes),
    2
  )
  t.same([...verdicts], [1, 0, 0, 0, 0, 0])
})

/** Key with a signature that it made. */
function signedOnce() {
  const { spki, privateKey } = pair('P-256')
  const data = random.bytes(9)
  return { spki, digest: digestOf(data), signature: sign('sha256', data, privateKey) }
}

const hasTable = (handle: NativeHandle) =>
  addon.isGoodByTable(handle, new Uint8Array(32), new Uint8Array(0)) !== undefined

/** Waits for what is done on the pool. */
async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds() && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

t.test('a key that is used much gets a table, beside this thread', withAddon, async (t) => {
  const { spki, digest, signature } = signedOnce()
  const handle = addon.loadPublicKey(spki)
  for (let i = 0; i < 63; i++) t.ok(addon.verifyDigest(handle, digest, signature))
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.notOk(hasTable(handle), '63 times are not enough')
  t.ok(addon.verifyDigest(handle, digest, signature))
  t.notOk(hasTable(handle), 'not made at once')
  await until(() => hasTable(handle))
  t.equal(addon.isGoodByTable(handle, digest, signature), true)
  t.equal(addon.isGoodByTable(handle, digest, signature.subarray(1)), false)
  t.ok(addon.verifyDigest(handle, digest, signature))
  // By batches as well; each item counts.
  const other = addon.loadPublicKey(spki)
  const many = <Item>(item: Item) => new Array<Item>(64).fill(item)
  const verdicts = await addon.verifyDigests(many(other), many(digest), many(signature), 2)
  t.ok(verdicts.every((verdict) => verdict === 1))
  await until(() => hasTable(other))
  t.ok(hasTable(other))
  const again = await addon.verifyDigests(many(other), many(digest), many(signature), 2)
  t.ok(again.every((verdict) => verdict === 1))
})

t.test('a table is begun once, whatever hooks do meanwhile', withAddon, async (t) => {
  const { spki, digest, signature } = signedOnce()
  const handle = addon.loadPublicKey(spki)
  let begun = 0
  const hook = createHook({
    init(_id, type) {
      if (type !== 'sigstead:table') return
      begun++
      if (begun < 5) addon.verifyDigest(handle, digest, signature)
    }
  }).enable()
  t.teardown(() => hook.disable())
  for (let i = 0; i < 64; i++) addon.verifyDigest(handle, digest, signature)
  await until(() => hasTable(handle))
  t.ok(hasTable(handle))
  t.equal(begun, 1)
})

t.test('lanes: no more than the addon takes, however large the machine', withAddon, async (t) => {
  t.equal(batchLanes(3), 3)
  t.equal(batchLanes(192), 64)
  const { spki, digest, signature } = signedOnce()
  const handle = addon.loadPublicKey(spki)
  const verify = (lanes: number) => addon.verifyDigests([handle], [digest], [signature], lanes)
  t.same([...(await verify(batchLanes(192)))], [1])
  t.equal(await thrown(() => verify(65)), 'RangeError ERR_INVALID_ARG_VALUE')
})

t.test('only keys on P-256 have tables', withAddon, async (t) => {
  for (const curve of ['secp224r1', 'P-384', 'P-521']) {
    const { spki, privateKey } = pair(curve)
    const handle = addon.loadPublicKey(spki)
    t.equal(addon.makeTable(handle), false, curve)
    const data = random.bytes(9)
    const signature = sign('sha256', data, privateKey)
    for (let i = 0; i < 70; i++) addon.verifyDigest(handle, digestOf(data), signature)
    t.notOk(hasTable(handle))
  }
  const { spki, pkcs8 } = pair('P-256')
  const wrong = 'TypeError ERR_INVALID_ARG_TYPE'
  const privateHandle = addon.loadPrivateKey(pkcs8)
  t.equal(await thrown(() => addon.makeTable(privateHandle)), wrong)
  t.equal(await thrown(() => addon.makeTable(spki as never)), wrong)
  const bytes = new Uint8Array(1)
  t.equal(await thrown(() => addon.isGoodByTable(privateHandle, bytes, bytes)), wrong)
  const handle = addon.loadPublicKey(spki)
  t.equal(addon.makeTable(handle), true)
  t.equal(addon.makeTable(handle), true, 'it is there already')
  t.equal(await thrown(() => addon.isGoodByTable(handle, bytes, undefined as never)), wrong)
})

t.test('tables are bounded: who was not used for long gives up its own', withAddon, async (t) => {
  const keys = Array.from({ length: 256 }, signedOnce)
  const handles = keys.map(({ spki }) => addon.loadPublicKey(spki))
  for (const handle of handles) t.ok(addon.makeTable(handle))
  const [first, second, third] = handles as [NativeHandle, NativeHandle, NativeHandle]
  const [one] = keys as [ReturnType<typeof signedOnce>]
  t.ok(hasTable(first) && hasTable(second))
  t.ok(addon.verifyDigest(first, one.digest, one.signature)) // not the oldest any more
  // A batch on its way keeps what it began with.
  const many = <Item>(items: readonly Item[]) => [...items, ...items, ...items, ...items]
  const batch = addon.verifyDigests(
    many(handles.slice(1)),
    many(keys.slice(1).map(({ digest }) => digest)),
    many(keys.slice(1).map(({ signature }) => signature)),
    2
  )
  const others = [signedOnce(), signedOnce()].map(({ spki }) => addon.loadPublicKey(spki))
  for (const handle of others) t.ok(addon.makeTable(handle))
  t.ok((await batch).every((verdict) => verdict === 1))
  t.ok(hasTable(third) && others.every(hasTable))
  t.notOk(hasTable(first) && hasTable(second))
  for (const [i, { digest, signature }] of keys.entries()) {
    t.ok(addon.verifyDigest(handles[i] as NativeHandle, digest, signature))
  }
})

const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads')
  const addon = require(workerData.path)
  const keys = Array.from({ length: 64 }, () => addon.loadPublicKey(workerData.spki))
  const batch = () =>
    addon.verifyDigests(keys, keys.map(() => workerData.digest), keys.map(() => workerData.signature), 4)
  if (workerData.isEndless) {
    const again = () => batch().then(again)
    again(), again(), again()
    parentPort.postMessage('running')
  } else {
    batch().then((verdicts) => {
      const now = addon.verifyDigest(keys[0], workerData.digest, workerData.signature)
      parentPort.postMessage([now, verdicts.reduce((sum, one) => sum + one, 0)])
    })
  }
`

t.test('threads have their own, and may be ended while batches run', withAddon, async (t) => {
  const { spki, privateKey } = pair('P-256')
  const data = random.bytes(10)
  const start = (isEndless: boolean) =>
    new Worker(WORKER, {
      eval: true,
      execArgv: [],
      workerData: {
        isEndless,
        path: `${process.cwd()}/native/build/Release/sigstead_crypto.node`,
        spki,
        digest: Uint8Array.from(digestOf(data)),
        signature: Uint8Array.from(sign('sha256', data, privateKey))
      }
    })
  const workers = [start(false), start(false), start(false)]
  const answers = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message')) as unknown[])
  )
  for (const [answer] of answers) t.same(answer, [true, 64])
  await Promise.all(workers.map((worker) => worker.terminate()))
  for (let i = 0; i < 5; i++) {
    const worker = start(true)
    await once(worker, 'message')
    await worker.terminate()
  }
  t.ok(
    addon.verifyDigest(addon.loadPublicKey(spki), digestOf(data), sign('sha256', data, privateKey))
  )
})

t.test('tables that nobody holds are freed', withAddon, async (t) => {
  const { spki, digest, signature } = signedOnce()
  const script = `
    const addon = require(process.argv[1])
    const [spki, digest, signature] = process.argv.slice(2).map((hex) => Buffer.from(hex, 'hex'))
    const settle = async () => { for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate) } }
    const run = async () => {
      for (let i = 0; i < 60; i++) addon.makeTable(addon.loadPublicKey(spki))
      await settle()
      const before = process.memoryUsage().rss
      for (let round = 0; round < 15; round++) {
        for (let i = 0; i < 50; i++) addon.makeTable(addon.loadPublicKey(spki))
        await settle()
        // One that is gone before its table is made.
        const keys = new Array(64).fill(addon.loadPublicKey(spki))
        addon.verifyDigests(keys, keys.map(() => digest), keys.map(() => signature), 1)
      }
      await settle()
      console.log(Math.round((process.memoryUsage().rss - before) / 2 ** 20))
    }
    run()
  `
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '-e',
      script,
      `${process.cwd()}/native/build/Release/sigstead_crypto.node`,
      ...[spki, digest, signature].map((bytes) => Buffer.from(bytes).toString('hex'))
    ],
    { encoding: 'utf8', env: {} }
  )
  t.equal(status, 0, stderr)
  // 256 are the bound, 22 MB; without it 750 would be 66.
  t.ok(Number(stdout) < 15, `${stdout.trim()} MiB more after 750 tables`)
})

t.test('keys that nobody holds are freed', withAddon, async (t) => {
  const { spki } = pair('P-256')
  const script = `
    const addon = require(process.argv[1])
    const spki = Buffer.from(process.argv[2], 'hex')
    const load = (count) => { for (let i = 0; i < count; i++) addon.loadPublicKey(spki) }
    const settle = async () => { for (let i = 0; i < 3; i++) { gc(); await new Promise(setImmediate) } }
    const run = async () => {
      load(20000); await settle()
      const before = process.memoryUsage().rss
      for (let i = 0; i < 5; i++) { load(20000); await settle() }
      console.log(Math.round((process.memoryUsage().rss - before) / 2 ** 20))
    }
    run()
  `
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '-e',
      script,
      `${process.cwd()}/native/build/Release/sigstead_crypto.node`,
      Buffer.from(spki).toString('hex')
    ],
    { encoding: 'utf8', env: {} }
  )
  t.equal(status, 0, stderr)
  // 100,000 keys of more than a kilobyte each would be over 100 MB.
  t.ok(Number(stdout) < 40, `${stdout.trim()} MiB more after 100,000 keys`)
})
