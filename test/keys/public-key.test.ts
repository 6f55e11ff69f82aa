import { generateKeyPairSync } from 'node:crypto'
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import t, { type Test } from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  encodeBitString,
  encodeDer,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../../src/encoding/der.js'
import { decodeHex } from '../../src/encoding/hex.js'
import { decodeSinglePem } from '../../src/encoding/pem.js'
import { useNative } from '../../src/keys/native-addon.js'
import {
  ecdsaPublicKey,
  ed25519PublicKey,
  parsePublicKey,
  rsaPublicKey
} from '../../src/keys/public-key.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const spkiOf = (path: string) => decodeSinglePem(rekorVector(path), 'PUBLIC KEY')

t.test('keys of the vectors', (t) => {
  for (const [file, type, detail] of [
    ['pubKeyP256', 'ecdsa', 'P-256'],
    ['pubKeyP384', 'ecdsa', 'P-384'],
    ['pubKeyP521', 'ecdsa', 'P-521'],
    ['pubKeyRSA2048', 'rsa', 256],
    ['pubKeyEd25519', 'ed25519', 32],
    ['x509_ed25519Pub', 'ed25519', 32],
    ['x509_pkcs1v15Pub', 'rsa', 128],
    ['x509_pubStr', 'ecdsa', 'P-256']
  ] as const) {
    const spki = spkiOf(`inline/keys/${file}.pem`)
    const key = parsePublicKey(spki)
    t.equal(key.type, type, file)
    t.ok(equalBytes(key.spki, spki), 'canonical form is what was read')
    t.equal(detailOf(key), detail)
  }
  t.end()
})

function detailOf(key: ReturnType<typeof parsePublicKey>): string | number {
  if (key.type === 'rsa') return key.modulusBytes
  return key.type === 'ecdsa' ? key.curve : key.raw.length
}

const generated = {
  p224: () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  x25519: () => generateKeyPairSync('x25519'),
  pss: () => generateKeyPairSync('rsa-pss', { modulusLength: 1024 }),
  explicit: () => generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
}

const exported = (name: keyof typeof generated) =>
  Uint8Array.from(generated[name]().publicKey.export({ type: 'spki', format: 'der' }))

const OID = { rsa: '1.2.840.113549.1.1.1', ec: '1.2.840.10045.2.1', ed25519: '1.3.101.112' }
const P256 = encodeOid('1.2.840.10045.3.1.7')

function spki(
  algorithm: readonly Uint8Array[],
  bits: Uint8Array,
  ...more: Uint8Array[]
): Uint8Array {
  return encodeSequence(encodeSequence(...algorithm), encodeBitString(bits), ...more)
}

const rsaBits = (modulus: bigint, exponent = 65537n) =>
  encodeSequence(encodeUnsignedInteger(modulus), encodeUnsignedInteger(exponent))
const rsa = (bits: Uint8Array, ...parameters: Uint8Array[]) =>
  spki([encodeOid(OID.rsa), ...(parameters.length === 0 ? [encodeNull()] : parameters)], bits)

const point = exported('p256').subarray(-65)
const offCurve = Uint8Array.from(point, (byte, i) => (i === 64 ? byte ^ 1 : byte))
const compressed = Uint8Array.from([2 + ((point[64] ?? 0) & 1), ...point.subarray(1, 33)])
const goodRaw = spkiOf('inline/keys/pubKeyEd25519.pem').subarray(-32)

const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ['curve secp256k1', exported('secp256k1'), 'unsupported: x509: unsupported elliptic curve'],
  ['X25519', exported('x25519'), 'unsupported: x509: unknown public key algorithm'],
  ['RSA-PSS key', exported('pss'), 'unsupported: x509: unknown public key algorithm'],
  [
    'explicit curve parameters',
    exported('explicit'),
    'invalid_request: x509: invalid ECDSA parameters: expected tag 0x6, found tag 0x30'
  ],
  [
    'trailing byte',
    Uint8Array.from([...exported('p256'), 0]),
    'invalid_request: x509: public key: trailing data'
  ],
  [
    'point off the curve',
    spki([encodeOid(OID.ec), P256], offCurve),
    'invalid_request: x509: failed to unmarshal elliptic curve point'
  ],
  [
    'compressed point',
    spki([encodeOid(OID.ec), P256], compressed),
    'invalid_request: x509: failed to unmarshal elliptic curve point'
  ],
  [
    'point too short',
    spki([encodeOid(OID.ec), P256], point.subarray(0, 64)),
    'invalid_request: x509: failed to unmarshal elliptic curve point'
  ],
  [
    'empty point',
    spki([encodeOid(OID.ec), P256], new Uint8Array(0)),
    'invalid_request: x509: failed to unmarshal elliptic curve point'
  ],
  [
    'no curve',
    spki([encodeOid(OID.ec)], point),
    'invalid_request: x509: invalid ECDSA parameters: expected tag 0x6, found nothing'
  ],
  [
    'more after the curve',
    spki([encodeOid(OID.ec), P256, encodeNull()], point),
    'invalid_request: x509: public key not in canonical form'
  ],
  [
    'more after the bits',
    spki([encodeOid(OID.ec), P256], point, encodeNull()),
    'invalid_request: x509: trailing data after ASN.1 of public-key'
  ],
  [
    'RSA without parameters',
    spki([encodeOid(OID.rsa)], rsaBits(2n ** 1023n)),
    'invalid_request: x509: RSA key missing NULL parameters'
  ],
  [
    'RSA with other parameters',
    rsa(rsaBits(2n ** 1023n), P256),
    'invalid_request: x509: RSA key missing NULL parameters'
  ],
  [
    'RSA with a NULL of one byte',
    rsa(rsaBits(2n ** 1023n), encodeDer(5, Uint8Array.of(0))),
    'invalid_request: x509: public key not in canonical form'
  ],
  [
    'RSA modulus zero',
    rsa(rsaBits(0n)),
    'invalid_request: x509: RSA modulus is not a positive number'
  ],
  [
    'RSA modulus negative',
    rsa(encodeSequence(encodeDer(2, Uint8Array.of(0x80)), encodeUnsignedInteger(3n))),
    'invalid_request: x509: RSA modulus is not a positive number'
  ],
  [
    'RSA exponent zero',
    rsa(rsaBits(15n, 0n)),
    'invalid_request: x509: RSA public exponent is not a positive number'
  ],
  [
    'RSA exponent of 64 bits',
    rsa(rsaBits(15n, 2n ** 63n)),
    'invalid_request: x509: invalid RSA public exponent'
  ],
  [
    'RSA modulus too long',
    rsa(rsaBits(2n ** 16_384n)),
    'invalid_request: x509: RSA modulus longer than 16384 bits'
  ],
  [
    'RSA without exponent',
    rsa(encodeSequence(encodeUnsignedInteger(15n))),
    'invalid_request: x509: invalid RSA public exponent: expected tag 0x2, found nothing'
  ],
  [
    'RSA with a third number',
    rsa(encodeSequence(...[15n, 3n, 1n].map(encodeUnsignedInteger))),
    'invalid_request: x509: public key not in canonical form'
  ],
  [
    'Ed25519 with parameters',
    spki([encodeOid(OID.ed25519), encodeNull()], goodRaw),
    'invalid_request: x509: Ed25519 key encoded with illegal parameters'
  ],
  [
    'Ed25519 too short',
    spki([encodeOid(OID.ed25519)], goodRaw.subarray(1)),
    'invalid_request: x509: wrong Ed25519 public key size'
  ],
  [
    'no sequence',
    encodeNull(),
    'invalid_request: x509: public key: expected tag 0x30, found tag 0x5'
  ],
  [
    'empty sequence',
    encodeSequence(),
    'invalid_request: x509: public key: expected tag 0x30, found nothing'
  ]
]

/** Runs a test with what the addon checks, and with what Node does where there is none. */
function bothWays(name: string, test: (t: Test) => Promise<void>): void {
  for (const isNative of [true, false]) {
    t.test(`${name}${isNative ? '' : ', without native code'}`, async (t) => {
      useNative(isNative)
      t.teardown(() => useNative(true))
      await test(t)
    })
  }
}

bothWays('refuses what Go refuses, and a second spelling', async (t) => {
  for (const [name, bytes, message] of REFUSED) {
    t.equal(await refusalText(() => parsePublicKey(bytes)), message, name)
  }
  t.equal(parsePublicKey(exported('p224')).type, 'ecdsa')
})

t.test('Ed25519 points of small order and none at all', async (t) => {
  const message = 'invalid_request: x509: Ed25519 public key is not a point of large order'
  for (const hex of ED25519_TORSION_SUBGROUP) {
    t.equal(await refusalText(() => ed25519PublicKey(decodeHex(hex))), message, hex)
  }
  // y = p + 1, another spelling of the neutral element.
  const p1 = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xee : i === 31 ? 0x7f : 0xff))
  t.equal(await refusalText(() => ed25519PublicKey(p1)), message)
  const noPoint = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 2 : 0))
  t.equal(await refusalText(() => ed25519PublicKey(noPoint)), message)
})

bothWays('building from parts gives what parsing gives', async (t) => {
  for (const path of ['pubKeyRSA2048', 'pubKeyP384', 'pubKeyEd25519']) {
    const key = parsePublicKey(spkiOf(`inline/keys/${path}.pem`))
    const built =
      key.type === 'rsa'
        ? rsaPublicKey(key.modulus, key.exponent)
        : key.type === 'ecdsa'
          ? ecdsaPublicKey(key.curve, key.point)
          : ed25519PublicKey(key.raw)
    t.ok(equalBytes(built.spki, key.spki), path)
    t.ok(built.keyObject.equals(key.keyObject))
  }
})

bothWays('mutated keys: a LogError, or a key that is written as it was read', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const originals = ['pubKeyP256', 'pubKeyRSA2048', 'pubKeyEd25519'].map((name) =>
    spkiOf(`inline/keys/${name}.pem`)
  )
  let parsed = 0
  for (let i = 0; i < 1500; i++) {
    const bytes = mutate(random.pick(originals), random)
    const key = await unlessRefused(() => parsePublicKey(bytes))
    if (key === undefined) continue
    parsed++
    if (!equalBytes(key.spki, bytes)) t.fail(Buffer.from(bytes).toString('hex'))
    t.equal(key.keyObject, key.keyObject, 'the same whenever it is asked for')
  }
  t.ok(parsed > 0, `${parsed} of 1500 were keys`)
})
