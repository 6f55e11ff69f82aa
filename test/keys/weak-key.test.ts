import { createPublicKey, generatePrimeSync } from 'node:crypto'
import t from 'tap'
import { parsePublicKey, rsaPublicKey } from '../../src/keys/public-key.js'
import { findWeakness } from '../../src/keys/weak-key.js'
import { fulcioVector } from '../helpers/fulcio-vectors.js'

interface WeakKeyVector {
  readonly name: string
  readonly publicKeyPem: string
  readonly accept: boolean
}

const EXPONENT = 65537n

t.test('every vector of a kind of key that is read', (t) => {
  const { cases } = fulcioVector<{ cases: readonly WeakKeyVector[] }>('weak-keys.json')
  const unread = ['EC secp256k1', 'Ed448', 'X25519']
  const found: Record<string, string | undefined> = {}
  for (const { name, publicKeyPem, accept } of cases) {
    if (unread.includes(name)) continue
    const spki = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' })
    found[name] = findWeakness(parsePublicKey(Uint8Array.from(spki)))
    t.equal(found[name] === undefined, accept, name)
  }
  t.strictSame(found, {
    'RSA-1024': 'modulus of 1024 bits, not one of 2048, 3072, 4096',
    'RSA-2056': 'modulus of 2056 bits, not one of 2048, 3072, 4096',
    'RSA-2048 with e=3': 'exponent must be 65537',
    'RSA-2048 modulus divisible by 751': 'modulus divisible by 751',
    'RSA-2048 with close primes': 'primes too close to each other',
    'RSA-2048 ROCA fingerprint': 'ROCA (CVE-2017-15361) fingerprint',
    'EC P-224': 'curve P-224 not allowed',
    'RSA-2048 ordinary': undefined,
    'RSA-3072 ordinary': undefined,
    'P-521': undefined,
    Ed25519: undefined
  })
  t.end()
})

const prime = (bits: number): bigint => generatePrimeSync(bits, { bigint: true })
const weaknessOf = (modulus: bigint, exponent = EXPONENT): string | undefined =>
  findWeakness(rsaPublicKey(modulus, exponent))

t.test('moduli made for one rule each', (t) => {
  const p = prime(1024)
  const q = prime(1024)
  t.equal(weaknessOf(p * q), undefined, 'primes drawn independently')
  t.equal(weaknessOf(p * q, 3n), 'exponent must be 65537')
  t.equal(weaknessOf(p * p), 'primes too close to each other', 'a square')
  t.equal(weaknessOf(2n ** 2048n - 2n), 'modulus divisible by 2', 'an even number')
  t.equal(weaknessOf(2n ** 2047n - 1n), 'modulus of 2047 bits, not one of 2048, 3072, 4096')
  t.equal(weaknessOf(2n ** 2048n), 'modulus of 2049 bits, not one of 2048, 3072, 4096')
  t.end()
})

t.test('751 is the last prime that is tried', (t) => {
  const modulusWith = (factor: bigint): bigint => {
    for (;;) {
      const modulus = factor * prime(1020) * prime(1019)
      if (modulus.toString(2).length === 2048) return modulus
    }
  }
  t.equal(weaknessOf(modulusWith(751n)), 'modulus divisible by 751')
  t.equal(weaknessOf(modulusWith(757n)), undefined)
  t.end()
})

t.test("Fermat's method stops after a hundred rounds", (t) => {
  // n = a² − b² is found in the round that tries a. The first tries the root of n, rounded up: a − b²/2a, as good as.
  const a = 3n << 1022n
  const findAfter = (rounds: bigint): string | undefined => {
    // Half a round below, so that rounding up reaches it. b is odd because a is even: n must not be.
    let b = rootOf(a * (2n * rounds - 1n)) | 1n
    while (weaknessOf(a * a - b * b)?.startsWith('modulus divisible') === true) b += 2n
    return weaknessOf(a * a - b * b)
  }
  t.equal(findAfter(2n), 'primes too close to each other')
  t.equal(findAfter(100n), 'primes too close to each other')
  t.equal(findAfter(101n), undefined)
  t.end()
})

/** Square root by halving the interval: slow, and not how the code does it. */
function rootOf(value: bigint): bigint {
  let low = 0n
  for (let bit = BigInt(value.toString(2).length); bit >= 0n; bit--) {
    const next = low + (1n << bit)
    if (next * next <= value) low = next
  }
  return low
}
