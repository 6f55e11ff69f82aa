import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import { PUBLIC_KEY_DETAILS } from '../../../src/entries/rekor-v2/key-details.js'
import {
  assertSigningAlgorithms,
  DEFAULT_SIGNING_ALGORITHMS,
  signingAlgorithmOf
} from '../../../src/entries/rekor-v2/signing-algorithms.js'
import { type PublicKey, parsePublicKey, rsaPublicKey } from '../../../src/keys/public-key.js'
import { refusalText } from '../../helpers/refusals.js'

const keyOf = ({ publicKey }: { readonly publicKey: KeyObject }): PublicKey =>
  parsePublicKey(publicKey.export({ type: 'spki', format: 'der' }))
const curve = (namedCurve: string) => keyOf(generateKeyPairSync('ec', { namedCurve }))
const rsa = (bits: number) => rsaPublicKey((1n << BigInt(bits - 1)) + 1n, 65537n)

const p224 = curve('P-224')
const p256 = curve('P-256')
const p384 = curve('P-384')
const p521 = curve('P-521')
const ed25519 = keyOf(generateKeyPairSync('ed25519'))

t.test('every kind of key under its own name', (t) => {
  for (const [keyDetails, key, name, hashName, algorithm, bytes] of [
    ['PKIX_ECDSA_P256_SHA_256', p256, 'ecdsa-sha2-256-nistp256', 'sha256', 'SHA2_256', 32],
    ['PKIX_ECDSA_P384_SHA_384', p384, 'ecdsa-sha2-384-nistp384', 'sha384', 'SHA2_384', 48],
    ['PKIX_ECDSA_P521_SHA_512', p521, 'ecdsa-sha2-512-nistp521', 'sha512', 'SHA2_512', 64],
    ['PKIX_ED25519_PH', ed25519, 'ed25519-ph', 'sha512', 'SHA2_512', 64],
    [
      'PKIX_RSA_PKCS1V15_2048_SHA256',
      rsa(2048),
      'rsa-sign-pkcs1-2048-sha256',
      'sha256',
      'SHA2_256',
      32
    ],
    // Bytes count, not bits.
    [
      'PKIX_RSA_PKCS1V15_2048_SHA256',
      rsa(2041),
      'rsa-sign-pkcs1-2048-sha256',
      'sha256',
      'SHA2_256',
      32
    ],
    [
      'PKIX_RSA_PKCS1V15_3072_SHA256',
      rsa(3072),
      'rsa-sign-pkcs1-3072-sha256',
      'sha256',
      'SHA2_256',
      32
    ],
    [
      'PKIX_RSA_PKCS1V15_4096_SHA256',
      rsa(4096),
      'rsa-sign-pkcs1-4096-sha256',
      'sha256',
      'SHA2_256',
      32
    ]
  ] as const) {
    const number = PUBLIC_KEY_DETAILS[keyDetails]
    t.match(signingAlgorithmOf(number, key, [name]), {
      keyDetails,
      name,
      hash: { hashName, algorithm, bytes }
    })
    t.ok(DEFAULT_SIGNING_ALGORITHMS.includes(name))
  }
  t.equal(DEFAULT_SIGNING_ALGORITHMS.length, 7)
  t.end()
})

t.test('refused', async (t) => {
  const all = DEFAULT_SIGNING_ALGORITHMS
  const unknown =
    'unsupported: getting key algorithm details: could not find algorithm details for known signature algorithm: '
  const entry = 'unsupported: unsupported entry algorithm for '
  for (const [number, key, allowed, message] of [
    [0, p256, all, `${unknown}PUBLIC_KEY_DETAILS_UNSPECIFIED`],
    [3, rsa(2048), all, `${unknown}PKIX_RSA_PKCS1V5`],
    [23, p256, all, `${unknown}ML_DSA_44`],
    [99, p256, all, `${unknown}99`],
    [-5, p256, all, `${unknown}-5`],
    [5, p224, all, `${entry}ECDSA key, curve P-224, digest SHA-256`],
    [9, rsa(1024), all, `${entry}RSA key, size 1024, digest SHA-256`],
    [9, rsa(2049), all, `${entry}RSA key, size 2056, digest SHA-256`],
    [7, ed25519, all, `${entry}Ed25519 key, digest unknown hash value 0`],
    [19, p384, all, `${entry}ECDSA key, curve P-384, digest SHA-256`],
    [20, p521, all, `${entry}ECDSA key, curve P-521, digest SHA-256`],
    [5, p384, all, `${entry}ECDSA key, curve P-384, digest SHA-256`],
    [8, p256, all, `${entry}ECDSA key, curve P-256, digest SHA-512`],
    [5, p256, ['ed25519-ph'], `${entry}ECDSA key, curve P-256, digest SHA-256`],
    [5, p256, [], `${entry}ECDSA key, curve P-256, digest SHA-256`],
    [
      9,
      p256,
      all,
      'invalid_request: key details PKIX_RSA_PKCS1V15_2048_SHA256 do not fit the key, which is PKIX_ECDSA_P256_SHA_256'
    ],
    [
      16,
      rsa(2048),
      all,
      'invalid_request: key details PKIX_RSA_PSS_2048_SHA256 do not fit the key, which is PKIX_RSA_PKCS1V15_2048_SHA256'
    ],
    [
      10,
      rsa(2048),
      all,
      'invalid_request: key details PKIX_RSA_PKCS1V15_3072_SHA256 do not fit the key, which is PKIX_RSA_PKCS1V15_2048_SHA256'
    ],
    [
      13,
      ed25519,
      all,
      'invalid_request: key details PKIX_ECDSA_P521_SHA_512 do not fit the key, which is PKIX_ED25519_PH'
    ]
  ] as const) {
    t.equal(await refusalText(() => signingAlgorithmOf(number, key, allowed)), message)
  }
})

t.test('an allow list only takes away', async (t) => {
  assertSigningAlgorithms(DEFAULT_SIGNING_ALGORITHMS)
  assertSigningAlgorithms(['ed25519-ph'])
  assertSigningAlgorithms([])
  t.match(
    await refusalText(() =>
      assertSigningAlgorithms(['ed25519', 'ed25519-ph', 'rsa-sign-pss-2048-sha256'])
    ),
    /^invalid_request: a Rekor v2 log takes no "ed25519", "rsa-sign-pss-2048-sha256", only rsa-sign-pkcs1-2048-sha256, /
  )
})
