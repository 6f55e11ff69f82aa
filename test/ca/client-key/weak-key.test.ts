import { generatePrimeSync } from 'node:crypto'
import t from 'tap'
import { parseClientKey } from '../../../src/ca/client-key/parse-key.js'
import { assertStrongKey } from '../../../src/ca/client-key/weak-key.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { rsaPublicKey } from '../../../src/keys/public-key.js'
import { fulcioVector } from '../../helpers/fulcio-vectors.js'
import { refusal } from '../../helpers/refusals.js'

interface WeakKeyVector {
  readonly name: string
  readonly publicKeyPem: string
  readonly accept: boolean
  readonly message?: string
}

const check = (pem: string): void => assertStrongKey(parseClientKey(encodeUtf8(pem)))

t.test('every vector', async (t) => {
  const { cases } = fulcioVector<{ cases: readonly WeakKeyVector[] }>('weak-keys.json')
  t.equal(cases.length, 14)
  for (const { name, publicKeyPem, accept, message } of cases) {
    if (accept) t.doesNotThrow(() => check(publicKeyPem), name)
    else t.equal((await refusal(() => check(publicKeyPem))).message, message, name)
  }
})

t.test('the reason is told beside the message', async (t) => {
  const { cases } = fulcioVector<{ cases: readonly WeakKeyVector[] }>('weak-keys.json')
  const reasons: Record<string, string> = {
    'RSA-1024': 'modulus of 1024 bits, not one of 2048, 3072, 4096',
    'RSA-2056': 'modulus of 2056 bits, not one of 2048, 3072, 4096',
    'RSA-2048 with e=3': 'exponent must be 65537',
    'RSA-2048 modulus divisible by 751': 'modulus divisible by 751',
    'RSA-2048 with close primes': 'primes too close to each other',
    'RSA-2048 ROCA fingerprint': 'ROCA (CVE-2017-15361) fingerprint',
    'EC P-224': 'curve P-224 not allowed',
    X25519: 'kind of key not allowed'
  }
  for (const [name, reason] of Object.entries(reasons)) {
    const pem = cases.find((vector) => vector.name === name)?.publicKeyPem ?? ''
    t.equal((await refusal(() => check(pem))).details['reason'], reason, name)
  }
})

t.test('moduli made for one rule each', async (t) => {
  const half = (): bigint => generatePrimeSync(1024, { bigint: true })
  const p = half()
  const reasonFor = async (modulus: bigint): Promise<unknown> =>
    (await refusal(() => assertStrongKey(rsaPublicKey(modulus, 65537n)))).details['reason']
  t.equal(await reasonFor(p * p), 'primes too close to each other', 'a square')
  t.equal(await reasonFor(2n ** 2048n - 2n), 'modulus divisible by 2', 'an even number')
  t.equal(await reasonFor(2n ** 2047n - 1n), 'modulus of 2047 bits, not one of 2048, 3072, 4096')
})
