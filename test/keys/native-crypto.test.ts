// The addon must answer as noble does: what one takes and the other refuses would be a leaf on one machine and none on the next.
// TEST_SEED repeats a run; TEST_ROUNDS=100 makes it that many times longer.
import { generateKeyPairSync, type KeyObject, sign as nodeSign } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import t, { type Test } from 'tap'
import { bytesToBigInt, encodeSequence, encodeUnsignedInteger } from '../../src/encoding/der.js'
import { decodeHex } from '../../src/encoding/hex.js'
import {
  type NativeAddon,
  nativeAddon,
  type NativeHandle,
  useNative
} from '../../src/keys/native-addon.js'
import {
  describeVerification,
  findNative,
  type NativeCheck,
  nativeCrypto,
  nativeProblem,
  type PreparedCheck,
  prepareCheck
} from '../../src/keys/native-crypto.js'
import { p224 } from '../../src/keys/p224.js'
import { hashData } from '../../src/keys/verify.js'
import { type CurveName, ecdsaPublicKey, ed25519PublicKey } from '../../src/keys/public-key.js'
import { mutate } from '../helpers/mutations.js'
import { addonUnderTest } from '../helpers/native.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'

const random = seededRandom()
t.comment(`TEST_SEED=${random.seed}`)

const rounds = Number(process.env['TEST_ROUNDS'] ?? 1)
const NOBLE = { 'P-224': p224, 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const
const CURVES = Object.keys(NOBLE) as readonly CurveName[] // its keys are these

const addon = addonUnderTest()
const withAddon = {
  skip: addon === undefined && 'TEST_WITHOUT_NATIVE=1: THE ADDON IS NOT TESTED ON THIS MACHINE'
}

/** RFC 8032 section 7.1, test 1. */
const ED25519_KEY = decodeHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')

interface KeyPair {
  readonly curve: CurveName
  /** The private key. */
  readonly d: bigint
  readonly spki: Uint8Array
  readonly point: Uint8Array
}

interface Case {
  readonly name: string
  readonly key: KeyPair
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

function keyOf(curve: CurveName, d = secret(curve)): KeyPair {
  const { Point } = NOBLE[curve]
  const point = Point.BASE.multiply(d).toBytes(false)
  return { curve, d, point, spki: ecdsaPublicKey(curve, point).spki }
}

function secret(curve: CurveName): bigint {
  const order = NOBLE[curve].Point.Fn.ORDER
  return (bytesToBigInt(random.bytes(72)) % (order - 1n)) + 1n
}

/** A signature over a digest of any length. The nonce is repeatable as well. */
function sign({ curve, d }: KeyPair, digest: Uint8Array): Uint8Array {
  const { Fn } = NOBLE[curve].Point
  return NOBLE[curve].sign(digest, Fn.toBytes(d), { prehash: false, lowS: false, format: 'der' })
}

const der = (r: bigint, s: bigint) =>
  encodeSequence(encodeUnsignedInteger(r), encodeUnsignedInteger(s))

/** SEQUENCE with these contents, header as given. */
const sequence = (header: readonly number[], ...contents: readonly Uint8Array[]) =>
  Uint8Array.from([...header, ...contents.flatMap((part) => [...part])])

const integer = (...bytes: readonly number[]) => Uint8Array.of(2, bytes.length, ...bytes)

/** What noble says; what it throws at is no good signature. */
function isGoodForNoble({ key, digest, signature }: Case): boolean {
  try {
    return NOBLE[key.curve].verify(signature, digest, key.point, {
      lowS: false,
      format: 'der',
      prehash: false
    })
  } catch {
    return false
  }
}

/** Compares both forms of the addon, without a table and with one, with noble. What a table says by itself must be right as well. @returns how many were good */
async function compare(t: Test, cases: readonly Case[]): Promise<number> {
  if (addon === undefined) throw new Error('the test was to be skipped')
  const handles = new Map<KeyPair, NativeHandle>()
  const handlesWithTable = new Map<KeyPair, NativeHandle>()
  for (const { key } of cases) {
    if (handles.has(key)) continue
    handles.set(key, addon.loadPublicKey(key.spki))
    const handle = addon.loadPublicKey(key.spki)
    if (addon.makeTable(handle) !== (key.curve === 'P-256')) throw new Error('a table for P-256')
    handlesWithTable.set(key, handle)
  }
  const expected = cases.map(isGoodForNoble)
  const handlesInOrder = cases.map(({ key }) => handles.get(key) as NativeHandle)
  const now = cases.map(({ digest, signature }, i) =>
    addon.verifyDigest(handlesInOrder[i] as NativeHandle, digest, signature)
  )
  const later = await addon.verifyDigests(
    handlesInOrder,
    cases.map(({ digest }) => digest),
    cases.map(({ signature }) => signature),
    2
  )
  const ofTable = cases.map(({ key, digest, signature }) => {
    const handle = handlesWithTable.get(key) as NativeHandle
    const whole = addon.verifyDigest(handle, digest, signature)
    const alone = addon.isGoodByTable(handle, digest, signature) ?? whole // other curves have none
    return whole === alone ? whole : 'table and verdict differ'
  })
  const laterOfTable = await addon.verifyDigests(
    cases.map(({ key }) => handlesWithTable.get(key) as NativeHandle),
    cases.map(({ digest }) => digest),
    cases.map(({ signature }) => signature),
    2
  )
  const differing = cases
    .map(({ name, key, digest, signature }, i) => ({
      name: `${key.curve} ${name}`,
      digest: Buffer.from(digest).toString('hex'),
      signature: Buffer.from(signature).toString('hex'),
      verdicts: [expected[i], now[i], later[i] === 1, ofTable[i], laterOfTable[i] === 1]
    }))
    .filter(({ verdicts }) => verdicts.some((verdict) => verdict !== verdicts[0]))
  t.same(differing, [], `${cases.length} cases`)
  return expected.filter((isGood) => isGood).length
}

/** Every n-th of them, from a random one on. A run of many rounds takes each. */
function sample<Item>(items: readonly Item[], step: number): readonly Item[] {
  const every = Math.max(1, Math.floor(step / rounds))
  const first = random.below(every)
  return items.filter((_, i) => i % every === first)
}

/** How much more a verification by noble takes than on P-256: what is done less often. */
const COST: Readonly<Record<CurveName, number>> = { 'P-224': 4, 'P-256': 1, 'P-384': 4, 'P-521': 8 }

t.test('good signatures, and each with one byte changed', withAddon, async (t) => {
  for (const curve of CURVES) {
    const key = keyOf(curve)
    const digest = random.bytes(28) // all of it counts on every curve
    const signature = sign(key, digest)
    const change = (bytes: Uint8Array, at: number) =>
      Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ (1 + random.below(255)) : byte))
    const good: Case = { name: 'good', key, digest, signature }
    const cases: Case[] = [
      good,
      { ...good, name: 'another key', key: keyOf(curve) },
      ...sample([...signature.keys()], COST[curve]).map((at) => ({
        ...good,
        name: `byte ${at} of the signature`,
        signature: change(signature, at)
      })),
      ...sample([...digest.keys()], 4 * COST[curve]).map((at) => ({
        ...good,
        name: `byte ${at} of the digest`,
        digest: change(digest, at)
      }))
    ]
    t.equal(await compare(t, cases), 1, `${curve}: only the first is good`)
  }
})

t.test('digests of any length', withAddon, async (t) => {
  for (const curve of CURVES) {
    const key = keyOf(curve)
    const lengths = [
      ...sample(
        Array.from({ length: 65 }, (_, i) => i),
        3 * COST[curve]
      ),
      ...[0, 20, 28, 32, 48, 64, 65, 66, 67, 132, 8192]
    ]
    const cases = lengths.map((length): Case => {
      const digest = random.bytes(length)
      return { name: `${length} bytes`, key, digest, signature: sign(key, digest) }
    })
    t.equal(await compare(t, cases), cases.length, `${curve}: all are good`)
    // The bits of the order count, from the left: for P-521 the 66th byte counts with its first bit.
    const digest = random.bytes(80)
    const signature = sign(key, digest)
    const flips = [0, 27, 28, 31, 32, 47, 48, 64, 65, 66, 79].flatMap((at) =>
      [0x80, 0x40, 1].map((bit): Case => {
        const changed = Uint8Array.from(digest, (byte, i) => (i === at ? byte ^ bit : byte))
        return { name: `bit ${bit} of byte ${at}`, key, digest: changed, signature }
      })
    )
    t.not(
      await compare(t, sample(flips, Math.min(3, COST[curve]))),
      0,
      `${curve}: a tail is ignored`
    )
  }
  const key = keyOf('P-256')
  const digest = random.bytes(32)
  const signature = sign(key, digest)
  const long = sequence([], digest, new Uint8Array(8192 - 32))
  const tooLong = sequence([], digest, new Uint8Array(8193 - 32))
  t.equal(
    await compare(t, [
      { name: '8192 bytes', key, digest: long, signature },
      { name: '8193 bytes', key, digest: tooLong, signature }
    ]),
    1,
    'longer ones are refused by both'
  )
})

t.test('r and s at the edges', withAddon, async (t) => {
  for (const curve of CURVES) {
    const key = keyOf(curve)
    const { Point } = NOBLE[curve]
    const order = Point.Fn.ORDER
    const prime = Point.Fp.ORDER
    const digest = random.bytes(32)
    const [rBytes, sBytes] = readNumbers(sign(key, digest))
    const r = bytesToBigInt(rBytes)
    const s = bytesToBigInt(sBytes)
    const edges = [0n, 1n, order - 1n, order, order + 1n, prime, prime - 1n, 1n << 4096n]
    const pairs: (readonly [bigint, bigint])[] = [
      ...edges.flatMap((edge) => [[edge, s] as const, [r, edge] as const, [edge, edge] as const]),
      [order - r, s],
      [r, order - s], // as good as s: low and high are the same to all
      [r + order, s],
      [r, s + order],
      [s, r]
    ]
    const cases = pairs.map(([a, b]): Case => {
      return { name: `r ${a.toString(16)}, s ${b.toString(16)}`, key, digest, signature: der(a, b) }
    })
    t.equal(await compare(t, cases), 1, `${curve}: only order - s is good`)
  }
})

t.test('points that only the holder of a key can choose', withAddon, async (t) => {
  for (const curve of CURVES) {
    const { Point } = NOBLE[curve]
    const { Fn, Fp } = Point
    const digest = random.bytes(28) // shorter than every order: e is all of it
    const e = Fn.create(bytesToBigInt(digest))
    const key = keyOf(curve)
    // u1·G + u2·Q is infinity when e + r·d = 0.
    const r = Fn.neg(Fn.mul(e, Fn.inv(key.d)))
    t.equal(
      await compare(t, [
        { name: 'sum is infinity', key, digest, signature: der(r, secret(curve)) }
      ]),
      0
    )
    if (Fp.ORDER <= Fn.ORDER) continue
    // A point whose x is not below the order, so that r is x - order: found by trying, and a key for it computed.
    let x = Fn.ORDER
    let chosen: InstanceType<typeof Point> | undefined
    while (chosen === undefined) {
      x += 1n
      try {
        chosen = Point.fromBytes(Uint8Array.of(2, ...Fp.toBytes(x)))
      } catch {
        // no point with that x
      }
    }
    const small = x - Fn.ORDER
    const s = secret(curve)
    const inverse = Fn.inv(small)
    const q = chosen.multiply(Fn.mul(s, inverse)).subtract(Point.BASE.multiply(Fn.mul(e, inverse)))
    const point = q.toBytes(false)
    const madeUp: KeyPair = { curve, d: 0n, point, spki: ecdsaPublicKey(curve, point).spki }
    const cases = [
      { name: 'x above the order', key: madeUp, digest, signature: der(small, s) },
      { name: 'x above the order, not reduced', key: madeUp, digest, signature: der(x, s) }
    ]
    t.equal(await compare(t, cases), 1, `${curve}: r is x modulo the order`)
    // Doubling instead of adding: Q = G, and u1 = u2.
    const generator = keyOf(curve, 1n)
    t.equal(
      await compare(t, [
        {
          name: 'key is the generator',
          key: generator,
          digest,
          signature: sign(generator, digest)
        },
        { name: 'u1 = u2', key: generator, digest, signature: der(e, secret(curve)) }
      ]),
      1
    )
  }
})

/** A signature that leads to u1·G + u2·Q with just these two; undefined when that is infinity or of x 0. */
function lead(name: string, key: KeyPair, u1: bigint, u2: bigint): Case | undefined {
  const { Point } = NOBLE[key.curve]
  const { Fn } = Point
  const sum = [[Point.BASE, u1] as const, [Point.fromBytes(key.point), u2] as const].reduce(
    (sum, [of, times]) => (times === 0n ? sum : sum.add(of.multiply(times))),
    Point.ZERO
  )
  const r = sum.is0() ? 0n : Fn.create(sum.toAffine().x)
  if (r === 0n || u2 === 0n) return undefined
  const s = Fn.mul(r, Fn.inv(u2))
  return { name, key, digest: Fn.toBytes(Fn.mul(u1, s)), signature: der(r, s) }
}

t.test('multiples at the edges of a table', withAddon, async (t) => {
  const { Fn } = p256.Point
  const order = Fn.ORDER
  // Digits of windows of 6 and of 8 bits: the least, the largest, those that carry and those that are negative.
  const scalars = [0n, 1n, 2n, 31n, 32n, 33n, 63n, 64n, 127n, 128n, 129n, 255n, 256n]
  const near = [1n << 252n, 1n << 255n, 1n << 128n, order >> 1n]
  const all = [
    ...scalars,
    ...scalars.filter((one) => one > 0n).map((one) => order - one),
    ...near.flatMap((one) => [one - 1n, one, one + 1n]),
    ...[6n, 8n].map((bits) => {
      let digits = 0n
      for (let at = 0n; at < 250n; at += bits) digits |= (1n << (bits - 1n)) << at
      return digits
    })
  ]
  const keys = [1n, 2n, 3n, 64n, order - 1n, order - 2n, (order + 1n) / 2n].map((d) =>
    keyOf('P-256', d)
  )
  /** Every n-th, however long the run: all with all would be more than one batch. */
  const some = (step: number) => {
    const first = random.below(step)
    return all.filter((_, i) => i % step === first)
  }
  for (let round = 0; round < Math.min(rounds, 10); round++) {
    const cases: Case[] = []
    let infinite = 0
    for (const key of [...keys, keyOf('P-256')]) {
      for (const u1 of [0n, 1n, ...some(5)]) {
        // Among them the same point twice, and a point and its negative.
        const same = Fn.mul(u1, Fn.inv(key.d))
        for (const u2 of [...some(6), same, Fn.neg(same)]) {
          const made = lead(`d ${key.d}, u1 ${u1}, u2 ${u2}`, key, u1, u2)
          if (made === undefined) infinite++
          else cases.push(made)
        }
      }
    }
    t.ok(infinite > 0 && cases.length > 100)
    t.equal(await compare(t, cases), cases.length, 'all are good')
    const changed = cases.map((one) => {
      const digest = Uint8Array.from(one.digest)
      digest[31] = (digest[31] as number) ^ 1
      return { ...one, digest }
    })
    await compare(t, sample(changed, 4))
  }
})

t.test('numbers that a digest may be', withAddon, async (t) => {
  const { Fn, Fp } = p256.Point
  const numbers = [0n, 1n, Fn.ORDER - 1n, Fn.ORDER, Fn.ORDER + 1n, Fp.ORDER, (1n << 256n) - 1n]
  const key = keyOf('P-256')
  const cases = numbers.map((number): Case => {
    const hex = number.toString(16).padStart(64, '0')
    const digest = decodeHex(hex)
    return { name: `digest ${hex}`, key, digest, signature: sign(key, digest) }
  })
  t.equal(await compare(t, cases), cases.length)
})

t.test('a table says what OpenSSL says', withAddon, async (t) => {
  if (addon === undefined) throw new Error('the test was to be skipped')
  // Without noble, so that there may be many of them.
  for (let i = 0; i < 8 * rounds; i++) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    const [cold, hot] = [addon.loadPublicKey(spki), addon.loadPublicKey(spki)]
    addon.makeTable(hot)
    for (let j = 0; j < 50; j++) {
      const data = random.bytes(8)
      const digest = hashData('sha256', data)
      const signature = nodeSign('sha256', data, privateKey)
      const changed = mutate(signature, random)
      const verdicts = [
        addon.isGoodByTable(hot, digest, signature),
        !addon.isGoodByTable(hot, random.bytes(32), signature),
        addon.isGoodByTable(hot, digest, changed) === addon.verifyDigest(cold, digest, changed)
      ]
      if (verdicts.includes(false)) {
        t.fail(`${verdicts.join()}: ${Buffer.from(signature).toString('hex')}`)
      }
    }
  }
})

t.test('shapes that are not DER', withAddon, async (t) => {
  for (const curve of CURVES) {
    const key = keyOf(curve)
    const digest = random.bytes(32)
    const signature = sign(key, digest)
    const [r, s] = readNumbers(signature)
    const body = sequence([], integer(...r), integer(...s))
    const long = (...header: readonly number[]) => sequence([0x30, ...header], body)
    const shapes: readonly (readonly [string, Uint8Array])[] = [
      ['nothing', new Uint8Array(0)],
      ['a tag', Uint8Array.of(0x30)],
      ['an empty sequence', Uint8Array.of(0x30, 0)],
      ['one number', sequence([0x30, r.length + 2], integer(...r))],
      ['three numbers', sequence([0x30, body.length + 3], body, integer(1))],
      ['a number of no bytes', sequence([0x30, s.length + 4], integer(), integer(...s))],
      ['zeros in front of r', sequence([0x30, body.length + 1], integer(0, ...r), integer(...s))],
      ['zeros in front of s', sequence([0x30, body.length + 1], integer(...r), integer(0, ...s))],
      ['r negative', sequence([0x30, s.length + 5], integer(0x80), integer(...s))],
      ['both negative', Uint8Array.of(0x30, 6, 2, 1, 0xff, 2, 1, 0xff)],
      ['a byte behind', sequence([], signature, Uint8Array.of(0))],
      ['a byte behind, counted', sequence([0x30, body.length + 1], body, Uint8Array.of(0))],
      ['cut', signature.subarray(0, -1)],
      ['length of two bytes', long(0x82, 0, body.length)],
      ['length of five bytes', long(0x85, 0, 0, 0, 0, body.length)],
      ['length in the long form', long(0x81, body.length)],
      ['length in the short form', long(body.length)],
      ['indefinite length', sequence([0x30, 0x80], body, Uint8Array.of(0, 0))],
      ['a set', sequence([0x31, body.length], body)],
      ['a bit string in it', Uint8Array.from(signature, (byte) => (byte === 2 ? 3 : byte))],
      [
        'a number with a long length',
        sequence([0x30, body.length + 1, 2, 0x81, r.length], r, integer(...s))
      ],
      ['constructed integer', sequence([0x30, body.length, 0x22, r.length], r, integer(...s))],
      ['r and s side by side', sequence([], r, s)],
      ['a mebibyte', new Uint8Array(1 << 20).fill(0x30)],
      ['a good one and a mebibyte', sequence([], signature, new Uint8Array(1 << 16))]
    ]
    const cases = shapes.map(([name, bytes]): Case => ({ name, key, digest, signature: bytes }))
    // One of the two spellings of the length is the right one.
    t.equal(await compare(t, cases), 1, curve)
  }
})

t.test('what chance brings', withAddon, async (t) => {
  for (const curve of CURVES) {
    const key = keyOf(curve)
    const cases = Array.from(
      { length: Math.ceil((120 * Math.min(rounds, 30)) / COST[curve]) },
      (): Case => {
        const digest = random.bytes(random.pick([20, 28, 32, 48, 64]))
        const signature = mutate(sign(key, digest), random)
        return { name: 'mutated', key, digest, signature }
      }
    )
    await compare(t, cases)
  }
})

t.test('what it says of itself', async (t) => {
  t.teardown(() => useNative(true))
  useNative(false)
  t.equal(nativeCrypto(), undefined)
  t.equal(nativeAddon(), undefined)
  t.equal(nativeProblem(), 'native verification is switched off')
  t.equal(
    describeVerification(),
    'JavaScript, about 20 times slower than native: native verification is switched off'
  )
  useNative(true)
  t.equal(nativeAddon(), addon)
  t.equal(nativeProblem() === undefined, nativeCrypto() !== undefined)
  t.same(findNative({ problem: 'why not' }, {}), { problem: 'why not' })
  t.equal(findNative({ problem: 'why not' }, { verifyDigest }).problem, undefined, 'what Node has')
  t.match(
    describeVerification(),
    addon === undefined ? /^JavaScript/ : /^native addon over OpenSSL \d/
  )
})

/** As Node may have it one day, for P-256. */
function verifyDigest(
  _hashName: string,
  digest: Uint8Array,
  { key }: { readonly key: KeyObject },
  signature: Uint8Array
): boolean {
  const point = key.export({ type: 'spki', format: 'der' }).subarray(-65)
  return p256.verify(signature, digest, point, { lowS: false, format: 'der', prehash: false })
}

t.test('what is asked of OpenSSL', async (t) => {
  const { key } = checkOf('P-256')
  const ed25519 = ed25519PublicKey(ED25519_KEY)
  const digest = random.bytes(64)
  const numbers = [random.bytes(32), random.bytes(32)] as const
  const written = der(bytesToBigInt(numbers[0]), bytesToBigInt(numbers[1]))
  const text = (check: PreparedCheck) => check.refusal().message
  const asDer = prepareCheck(key, 'sha512', digest, written)
  t.match(asDer, { key, hashName: 'sha512', digest, signature: written })
  t.equal(text(asDer), 'invalid signature when validating ASN.1 encoded signature')
  const asPair = prepareCheck(key, 'sha256', digest, sequence([], ...numbers))
  t.match(asPair, { signature: written })
  t.equal(text(asPair), 'invalid signature when validating IEEE_P1363 encoded signature')
  const signature = random.bytes(64)
  const asEd25519 = prepareCheck(ed25519, 'sha512', digest, signature)
  t.match(asEd25519, { key: ed25519, hashName: 'sha512', digest, signature })
  t.equal(text(asEd25519), 'failed to verify signature: ed25519: invalid signature')
  t.equal(
    await refusalText(() => prepareCheck(key, 'sha256', digest, new Uint8Array(3))),
    'verification_failed: ecdsa: Invalid IEEE_P1363 encoded bytes'
  )
})

/** As the addon, with answers of its own. Handles are the keys' bytes. */
function standIn(changes: Partial<NativeAddon>): NativeAddon {
  const unused = () => {
    throw new Error('not to be called')
  }
  return {
    loadPublicKey: (spki) => spki as unknown as NativeHandle,
    loadPrivateKey: unused,
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

function nativeOver(changes: Partial<NativeAddon>) {
  const { native } = findNative({ addon: standIn(changes) }, {})
  if (native === undefined) throw new Error('no native verification over the stand-in')
  return native
}

function checkOf(curve: CurveName, mark = 0): NativeCheck {
  const key = ecdsaPublicKey(curve, keyOf(curve).point)
  return { key, hashName: 'sha256', digest: new Uint8Array(32), signature: Uint8Array.of(mark) }
}

t.test('over an addon: which keys, and that each is loaded once', async (t) => {
  const ed25519 = ed25519PublicKey(ED25519_KEY)
  const loaded: Uint8Array[] = []
  const verified: Uint8Array[] = []
  const native = nativeOver({
    loadPublicKey: (spki) => {
      loaded.push(spki)
      return spki as unknown as NativeHandle
    },
    verifyDigest: (handle, digest, signature) => {
      verified.push(handle as unknown as Uint8Array, digest, signature)
      return signature[0] === 1
    }
  })
  const check = checkOf('P-256', 1)
  t.ok(native.verifies(check.key))
  t.notOk(native.verifies(ed25519))
  t.ok(nativeOver({ hasEd25519ph: true }).verifies(ed25519))
  t.equal(native.description, 'native addon over OpenSSL 3.0.0')
  t.equal(native.isGood(check), true)
  t.equal(native.isGood({ ...check, signature: Uint8Array.of(0) }), false)
  t.same(verified.slice(0, 3), [check.key.spki, check.digest, check.signature])
  t.equal(loaded.length, 1)
})

t.test('over an addon: batches larger than it takes, in order', async (t) => {
  const sizes: number[] = []
  const native = nativeOver({
    verifyDigests: async (keys, digests, signatures, lanes) => {
      t.ok(lanes >= 1)
      t.same([digests.length, signatures.length], [keys.length, keys.length])
      sizes.push(keys.length)
      return Uint8Array.from(signatures, ([mark]) => mark ?? 0)
    }
  })
  const check = checkOf('P-256')
  const checks = Array.from({ length: 5000 }, (_, i) => {
    return { ...check, signature: Uint8Array.of(i % 3 === 0 ? 1 : 0) }
  })
  const verdicts = await native.areGood(checks)
  t.same(sizes, [4096, 904])
  t.same(
    verdicts,
    checks.map((_, i) => i % 3 === 0)
  )
})

t.test('over an addon: a failure of OpenSSL is ours, not a bad signature', async (t) => {
  const failing = () => {
    throw new Error('no memory')
  }
  const native = nativeOver({ verifyDigest: failing, verifyDigests: failing })
  const text = 'internal: OpenSSL failed to verify a signature'
  t.equal(await refusalText(() => native.isGood(checkOf('P-256'))), text)
  for (const length of [1, 2, 3]) {
    const checks = Array.from({ length }, () => checkOf('P-256'))
    t.equal(await refusalText(() => native.areGood(checks)), text, `${length}`)
  }
})

t.test('over an addon: one or two are checked here, more on the pool', async (t) => {
  const crossings: number[] = []
  const native = nativeOver({
    verifyDigest: (_key, _digest, [mark]) => mark === 1,
    verifyDigests: async (keys, _digests, signatures) => {
      crossings.push(keys.length)
      return Uint8Array.from(signatures, ([mark]) => mark ?? 0)
    }
  })
  for (const marks of [[], [1], [0], [1, 0], [0, 1], [1, 0, 1]]) {
    const checks = marks.map((mark) => ({ ...checkOf('P-256'), signature: Uint8Array.of(mark) }))
    t.strictSame(
      await native.areGood(checks),
      marks.map((mark) => mark === 1)
    )
  }
  t.strictSame(crossings, [3])
})

/** Bytes of both numbers of a good signature. */
function readNumbers(signature: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const start = signature[1] === 0x81 ? 3 : 2
  const rLength = signature[start + 1] ?? 0
  const r = signature.subarray(start + 2, start + 2 + rLength)
  const s = signature.subarray(start + 2 + rLength + 2)
  return [r, s]
}
