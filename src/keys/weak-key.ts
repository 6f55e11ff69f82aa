import type { PublicKey, RsaPublicKey } from './public-key.js'

const ALLOWED_MODULUS_BITS: readonly number[] = [2048, 3072, 4096]
const EXPONENT = 65537n

/** Largest prime a modulus is divided by. */
const MAX_SMALL_PRIME = 751

/** Rounds of Fermat's method: it finds primes that were picked one after the other in the first few. */
const FERMAT_ROUNDS = 100

/** Largest prime of the fingerprint that keys of one chip maker's faulty library (ROCA) have. */
const MAX_ROCA_PRIME = 167

/**
 * Why a key is not good enough to be certified or to issue: it is of another size or curve than those in use, or somebody
 * may have factored it.
 *
 * @returns a few words; undefined for a strong key
 * @see fulcio §11.1
 */
export function findWeakness(key: PublicKey): string | undefined {
  if (key.type === 'rsa') return findRsaWeakness(key)
  return key.type === 'ecdsa' && key.curve === 'P-224' ? 'curve P-224 not allowed' : undefined
}

function findRsaWeakness({ modulus, exponent }: RsaPublicKey): string | undefined {
  const bits = modulus.toString(2).length
  if (!ALLOWED_MODULUS_BITS.includes(bits)) {
    return `modulus of ${bits} bits, not one of ${ALLOWED_MODULUS_BITS.join(', ')}`
  }
  if (exponent !== EXPONENT) return `exponent must be ${EXPONENT}`
  const factor = primesUpTo(MAX_SMALL_PRIME).find((prime) => modulus % BigInt(prime) === 0n)
  if (factor !== undefined) return `modulus divisible by ${factor}`
  if (hasRocaFingerprint(modulus)) return 'ROCA (CVE-2017-15361) fingerprint'
  return hasClosePrimes(modulus) ? 'primes too close to each other' : undefined
}

function primesUpTo(limit: number): readonly number[] {
  const primes: number[] = []
  for (let candidate = 2; candidate <= limit; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return primes
}

/** Whether n mod p is a power of 65537 for every one of the primes. @see Nemec et al., "The Return of Coppersmith's Attack" */
function hasRocaFingerprint(modulus: bigint): boolean {
  return primesUpTo(MAX_ROCA_PRIME)
    .filter((prime) => prime > 2)
    .every((prime) => powersModulo(prime).has(Number(modulus % BigInt(prime))))
}

function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>()
  const base = Number(EXPONENT) % prime
  for (let power = 1; !powers.has(power); power = (power * base) % prime) powers.add(power)
  return powers
}

/** Fermat's method: with n = a² − b², a near the root of n, the factors are a − b and a + b. */
function hasClosePrimes(modulus: bigint): boolean {
  let a = integerRoot(modulus)
  if (a * a < modulus) a += 1n
  for (let round = 0; round < FERMAT_ROUNDS; round++, a += 1n) {
    if (isSquare(a * a - modulus)) return true
  }
  return false
}

// What a square leaves when divided by 64: twelve numbers. Spares five roots in six.
const SQUARES_MODULO_64 = new Set(Array.from({ length: 64 }, (_, i) => (i * i) % 64))

function isSquare(value: bigint): boolean {
  if (!SQUARES_MODULO_64.has(Number(BigInt.asUintN(6, value)))) return false
  const root = integerRoot(value)
  return root * root === value
}

/** Largest number whose square is at most `value`, by Newton's method from above. */
function integerRoot(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}
