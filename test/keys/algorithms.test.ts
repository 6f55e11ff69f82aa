import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import {
  assertKnownClientAlgorithms,
  DEFAULT_CLIENT_ALGORITHMS,
  isClientAlgorithmAllowed,
  KNOWN_CLIENT_ALGORITHMS,
  nameClientAlgorithm
} from '../../src/keys/algorithms.js'
import { ed25519PublicKey, parsePublicKey, rsaPublicKey } from '../../src/keys/public-key.js'
import type { HashName } from '../../src/keys/verify.js'
import { refusalText } from '../helpers/refusals.js'

function ec(namedCurve: string) {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve })
  return parsePublicKey(publicKey.export({ type: 'spki', format: 'der' }))
}

const { publicKey: ed } = generateKeyPairSync('ed25519')
const KEYS = {
  p224: ec('secp224r1'),
  p256: ec('P-256'),
  p384: ec('P-384'),
  p521: ec('P-521'),
  ed25519: ed25519PublicKey(ed.export({ type: 'spki', format: 'der' }).subarray(-32)),
  rsa1024: rsaPublicKey(2n ** 1024n - 1n, 3n),
  rsa2041: rsaPublicKey(2n ** 2041n - 1n, 3n),
  rsa2048: rsaPublicKey(2n ** 2048n - 1n, 3n),
  rsa2056: rsaPublicKey(2n ** 2056n - 1n, 3n),
  rsa3072: rsaPublicKey(2n ** 3072n - 1n, 3n),
  rsa4096: rsaPublicKey(2n ** 4096n - 1n, 3n)
}

const CASES: readonly (readonly [keyof typeof KEYS, HashName, string, boolean])[] = [
  ['p256', 'sha256', 'ecdsa-sha2-256-nistp256', true],
  ['p256', 'sha512', 'ecdsa P-256 with sha512', false],
  ['p384', 'sha384', 'ecdsa-sha2-384-nistp384', true],
  ['p384', 'sha256', 'ecdsa-sha2-256-nistp384', false],
  ['p521', 'sha512', 'ecdsa-sha2-512-nistp521', true],
  ['p521', 'sha256', 'ecdsa-sha2-256-nistp521', false],
  ['p224', 'sha256', 'ecdsa P-224 with sha256', false],
  ['ed25519', 'sha512', 'ed25519-ph', true],
  ['ed25519', 'sha256', 'ed25519 ed25519 with sha256', false],
  ['rsa1024', 'sha256', 'rsa 1024 with sha256', false],
  ['rsa2041', 'sha256', 'rsa-sign-pkcs1-2048-sha256', true],
  ['rsa2048', 'sha256', 'rsa-sign-pkcs1-2048-sha256', true],
  ['rsa2048', 'sha512', 'rsa 2048 with sha512', false],
  ['rsa2056', 'sha256', 'rsa 2056 with sha256', false],
  ['rsa3072', 'sha256', 'rsa-sign-pkcs1-3072-sha256', true],
  ['rsa4096', 'sha256', 'rsa-sign-pkcs1-4096-sha256', true]
]

t.test('names, and what the default list allows', (t) => {
  for (const [key, hash, name, allowed] of CASES) {
    t.equal(nameClientAlgorithm(KEYS[key], hash), name)
    t.equal(isClientAlgorithmAllowed(name, DEFAULT_CLIENT_ALGORITHMS), allowed, name)
    t.notOk(isClientAlgorithmAllowed(name, []))
  }
  t.end()
})

t.test('a list allows what it names', (t) => {
  t.ok(isClientAlgorithmAllowed('ecdsa-sha2-256-nistp384', ['ecdsa-sha2-256-nistp384']))
  t.notOk(isClientAlgorithmAllowed('ecdsa-sha2-256-nistp256', ['ecdsa-sha2-256-nistp384']))
  t.ok(isClientAlgorithmAllowed('rsa-sign-pkcs1-2048-sha256', ['rsa-sign-pss-2048-sha256']))
  t.notOk(isClientAlgorithmAllowed('rsa-sign-pkcs1-2048-sha256', ['rsa-sign-pss-3072-sha256']))
  t.notOk(isClientAlgorithmAllowed('ed25519-ph', ['ed25519']))
  t.end()
})

t.test('unknown names stop the start', async (t) => {
  assertKnownClientAlgorithms(KNOWN_CLIENT_ALGORITHMS)
  assertKnownClientAlgorithms(DEFAULT_CLIENT_ALGORITHMS)
  t.equal(KNOWN_CLIENT_ALGORITHMS.length, 13)
  const text = await refusalText(() => assertKnownClientAlgorithms(['ed25519', 'dsa', 'rsa']))
  t.match(
    text,
    /^invalid_request: unknown client signing algorithm "dsa", "rsa"; known are rsa-sign/
  )
})
