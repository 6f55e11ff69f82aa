import { constants, generateKeyPairSync, type KeyObject, privateEncrypt, sign } from 'node:crypto'
import t from 'tap'
import { bytesToBigInt, parseDer, readInteger } from '../../src/encoding/der.js'
import { decodeSinglePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import type { LogError } from '../../src/errors.js'
import { encodeEcdsaSignature } from '../../src/keys/ecdsa-signature.js'
import { useNative } from '../../src/keys/native-addon.js'
import { parsePublicKey, type PublicKey, rsaPublicKey } from '../../src/keys/public-key.js'
import {
  hashData,
  type HashName,
  verifyData,
  verifyDigest,
  verifyDigests
} from '../../src/keys/verify.js'
import { addonUnderTest } from '../helpers/native.js'
import { refusalText } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const data = encodeUtf8('what is signed')
const HASHES: readonly HashName[] = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512']
const asn1 = 'verification_failed: invalid signature when validating ASN.1 encoded signature'
const rsaError = 'verification_failed: crypto/rsa: verification error'

interface Pair {
  readonly key: PublicKey
  readonly privateKey: KeyObject
}

function pair({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): Pair {
  return { key: parsePublicKey(publicKey.export({ type: 'spki', format: 'der' })), privateKey }
}

const ec = (namedCurve: string) => pair(generateKeyPairSync('ec', { namedCurve }))
const rsa = (modulusLength: number) => pair(generateKeyPairSync('rsa', { modulusLength }))

type Verify = (
  key: PublicKey,
  hash: HashName,
  message: Uint8Array,
  signature: Uint8Array
) => Promise<void>

const overDigest: Verify = (key, hash, message, signature) =>
  verifyDigest(key, hash, hashData(hash, message), signature)

/** As overDigest, as the middle one of three. */
const inBatch: Verify = async (key, hash, message, signature) => {
  const digest = hashData(hash, message)
  const one = { key, hashName: hash, digest, signature }
  const bad = { ...one, signature: new Uint8Array(3) }
  const refusals = await verifyDigests([bad, one, bad])
  t.match(refusals, { 0: { code: 'verification_failed' }, length: 3 })
  if (refusals[1] !== undefined) throw refusals[1]
}

const without = (verify: Verify): Verify => {
  return async (...given) => {
    useNative(false)
    try {
      await verify(...given)
    } finally {
      useNative(true)
    }
  }
}

addonUnderTest()

/** All ways of verifying, by what they are given and what they use. */
const WAYS: readonly (readonly [string, Verify])[] = [
  ['data', verifyData],
  ['digest', overDigest],
  ['digest in a batch', inBatch],
  ['digest without native verification', without(overDigest)],
  ['digest in a batch without native verification', without(inBatch)]
]

t.test('ECDSA on every curve with every hash, both encodings, over data and digest', async (t) => {
  for (const curve of ['secp224r1', 'P-256', 'P-384', 'P-521']) {
    const { key, privateKey } = ec(curve)
    const other = ec(curve).key
    for (const hash of ['sha224', 'sha256', 'sha384', 'sha512'] as const) {
      const der = sign(hash, data, { key: privateKey, dsaEncoding: 'der' })
      const p1363 = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
      for (const [way, verify] of WAYS) {
        await verify(key, hash, data, der)
        await verify(key, hash, data, p1363)
        if (hash !== 'sha256') continue
        t.equal(await refusalText(() => verify(other, hash, data, der)), asn1, `${curve} ${way}`)
        t.equal(
          await refusalText(() => verify(other, hash, data, p1363)),
          asn1.replace('ASN.1', 'IEEE_P1363')
        )
        t.equal(await refusalText(() => verify(key, hash, encodeUtf8('other'), der)), asn1)
      }
    }
  }
})

t.test('ECDSA: every one of many signatures, high s as well as low', async (t) => {
  const { key, privateKey } = ec('P-256')
  const half = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n
  let high = 0
  for (let i = 0; i < 24; i++) {
    const signature = sign('sha256', data, privateKey)
    if (readInteger(parseDer(signature).children[1], 's') > half) high++
    for (const [, verify] of WAYS) await verify(key, 'sha256', data, signature)
  }
  t.ok(high > 0, `${high} of 24 had a high s`)
})

t.test('ECDSA: numbers out of range, wide P1363, shapes that are neither', async (t) => {
  const { key, privateKey } = ec('P-256')
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const p1363 = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const r = bytesToBigInt(p1363.subarray(0, 32))
  const s = bytesToBigInt(p1363.subarray(32))
  const wide = Uint8Array.from([
    ...new Uint8Array(34),
    ...p1363.subarray(0, 32),
    ...new Uint8Array(34),
    ...p1363.subarray(32)
  ])
  for (const [way, verify] of WAYS) {
    await verify(key, 'sha256', data, wide)
    for (const [name, der] of [
      ['r = 0', encodeEcdsaSignature(0n, s)],
      ['s = 0', encodeEcdsaSignature(r, 0n)],
      ['r + order', encodeEcdsaSignature(r + order, s)],
      ['s + order', encodeEcdsaSignature(r, s + order)],
      ['huge', encodeEcdsaSignature(r << 4096n, s)],
      ['negative', Uint8Array.of(0x30, 6, 2, 1, 0xff, 2, 1, 0xff)],
      ['trailing byte', Uint8Array.from([...encodeEcdsaSignature(r, s), 0])]
    ] as const) {
      t.equal(await refusalText(() => verify(key, 'sha256', data, der)), asn1, `${name}, ${way}`)
    }
    t.equal(
      await refusalText(() => verify(key, 'sha256', data, new Uint8Array(64))),
      asn1.replace('ASN.1', 'IEEE_P1363'),
      'P1363 zeros'
    )
    t.equal(
      await refusalText(() => verify(key, 'sha256', data, new Uint8Array(0))),
      'verification_failed: ecdsa: Invalid IEEE_P1363 encoded bytes',
      'empty'
    )
  }
})

t.test('RSA PKCS#1 v1.5 with every hash', async (t) => {
  const { key, privateKey } = rsa(2048)
  const other = rsa(2048).key
  for (const hash of HASHES) {
    const signature = sign(hash, data, privateKey)
    for (const [way, verify] of WAYS) {
      await verify(key, hash, data, signature)
      t.equal(
        await refusalText(() => verify(other, hash, data, signature)),
        rsaError,
        `${hash} ${way}`
      )
    }
  }
  const signature = sign('sha256', data, privateKey)
  const cases: readonly (readonly [string, HashName, Uint8Array])[] = [
    ['another hash', 'sha384', signature],
    ['cut', 'sha256', signature.subarray(1)],
    ['longer', 'sha256', Uint8Array.from([0, ...signature])],
    ['empty', 'sha256', new Uint8Array(0)],
    ['above the modulus', 'sha256', new Uint8Array(256).fill(0xff)],
    ['zero', 'sha256', new Uint8Array(256)],
    [
      'PSS',
      'sha256',
      sign('sha256', data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING })
    ],
    [
      'bare digest without DigestInfo',
      'sha256',
      privateEncrypt(privateKey, hashData('sha256', data))
    ]
  ]
  for (const [name, hash, bytes] of cases) {
    t.equal(await refusalText(() => verifyData(key, hash, data, bytes)), rsaError, name)
  }
})

t.test('RSA sizes', async (t) => {
  const odd = rsa(1032)
  await verifyData(odd.key, 'sha256', data, sign('sha256', data, odd.privateKey))
  const short = rsa(1016)
  t.equal(
    await refusalText(() =>
      verifyData(short.key, 'sha256', data, sign('sha256', data, short.privateKey))
    ),
    'verification_failed: crypto/rsa: 1016-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)'
  )
  const even = rsaPublicKey(2n ** 1024n, 3n)
  t.equal(await refusalText(() => verifyData(even, 'sha256', data, new Uint8Array(129))), rsaError)
})

t.test('ECDSA over data without native code', async (t) => {
  t.teardown(() => useNative(true))
  useNative(false)
  const { key, privateKey } = pair(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const signature = sign('sha256', data, privateKey)
  await verifyData(key, 'sha256', data, signature)
  t.equal(await refusalText(() => verifyData(key, 'sha256', encodeUtf8('other'), signature)), asn1)
})

t.test('Ed25519 over data is pure', async (t) => {
  const { key, privateKey } = pair(generateKeyPairSync('ed25519'))
  const signature = sign(null, data, privateKey)
  await verifyData(key, 'sha256', data, signature)
  const failed = 'verification_failed: failed to verify signature'
  t.equal(
    await refusalText(() => verifyData(key, 'sha256', encodeUtf8('other'), signature)),
    failed
  )
  t.equal(await refusalText(() => verifyData(key, 'sha256', data, signature.subarray(1))), failed)
  t.equal(await refusalText(() => verifyData(key, 'sha256', data, new Uint8Array(0))), failed)
})

t.test('Ed25519 over a digest is Ed25519ph, with sha512 only', async (t) => {
  const key = parsePublicKey(
    decodeSinglePem(rekorVector('hashedrekord/ed25519_public.pem'), 'PUBLIC KEY')
  )
  const file = rekorVector('hashedrekord/file1')
  const digest = hashData('sha512', file)
  await verifyDigest(key, 'sha512', digest, rekorVector('hashedrekord/file1.ed25519ph.sig'))
  t.equal(
    await refusalText(() =>
      verifyDigest(key, 'sha512', digest, rekorVector('hashedrekord/file1.ed25519.sig'))
    ),
    'verification_failed: failed to verify signature: ed25519: invalid signature'
  )
  t.equal(
    await refusalText(() =>
      verifyDigest(
        key,
        'sha256',
        hashData('sha256', file),
        rekorVector('hashedrekord/file1.ed25519ph.sig')
      )
    ),
    'verification_failed: unsupported hash algorithm: "SHA-256" not in [SHA-512]'
  )
})

t.test('a digest of another length', async (t) => {
  const { key } = ec('P-256')
  t.equal(
    await refusalText(() => verifyDigest(key, 'sha256', new Uint8Array(20), new Uint8Array(64))),
    'verification_failed: unexpected length of digest for hash function specified'
  )
})

t.test('signatures of the vectors, and each with one bit changed', async (t) => {
  for (const [keyFile, signatureFile, dataFile, hash] of [
    ['ec_public.pem', 'file1.ec.sig', 'file1', 'sha256'],
    ['ec_public.pem', 'file2.ec.sig', 'file2', 'sha256'],
    ['rsa_public.pem', 'file1.rsa.sig', 'file1', 'sha256'],
    ['rsa_public.pem', 'file2.rsa.sig', 'file2', 'sha256'],
    ['rsa_public.pem', 'file2.rsa512.sig', 'file2', 'sha512']
  ] as const) {
    const key = parsePublicKey(
      decodeSinglePem(rekorVector(`hashedrekord/${keyFile}`), 'PUBLIC KEY')
    )
    const signature = rekorVector(`hashedrekord/${signatureFile}`)
    const file = rekorVector(`hashedrekord/${dataFile}`)
    for (const [way, verify] of WAYS) {
      await verify(key, hash, file, signature)
      for (const at of [0, 8, signature.length - 1]) {
        const changed = Uint8Array.from(signature, (byte, i) => (i === at ? byte ^ 1 : byte))
        t.match(
          await refusalText(() => verify(key, hash, file, changed)),
          /^verification_failed: /,
          `${signatureFile}, byte ${at}, ${way}`
        )
      }
    }
  }
})

t.test('a batch says of each what verifyDigest says', async (t) => {
  const { key, privateKey } = ec('P-384')
  const rsaPair = rsa(2048)
  const vector = (name: string) => rekorVector(`hashedrekord/${name}`)
  const ed25519 = parsePublicKey(decodeSinglePem(vector('ed25519_public.pem'), 'PUBLIC KEY'))
  const digest = hashData('sha256', data)
  const good = {
    key,
    hashName: 'sha256' as const,
    digest,
    signature: sign('sha256', data, privateKey)
  }
  const ed25519ph = {
    key: ed25519,
    hashName: 'sha512' as const,
    digest: hashData('sha512', vector('file1')),
    signature: vector('file1.ed25519ph.sig')
  }
  const batch = [
    good,
    { ...good, signature: new Uint8Array(0) },
    { ...good, digest: digest.subarray(1) },
    { ...good, digest: hashData('sha256', digest) },
    { ...good, key: rsaPair.key, signature: sign('sha256', data, rsaPair.privateKey) },
    { ...good, key: rsaPair.key },
    ed25519ph,
    { ...ed25519ph, signature: new Uint8Array(64) },
    { ...ed25519ph, hashName: 'sha256' as const },
    good
  ]
  const expected: string[] = []
  for (const { key, hashName, digest, signature } of batch) {
    expected.push(
      await verifyDigest(key, hashName, digest, signature).then(
        () => 'good',
        (err: LogError) => err.message
      )
    )
  }
  t.same(
    expected.map((text) => text === 'good'),
    [true, false, false, false, true, false, true, false, false, true]
  )
  const refusals = await verifyDigests(batch)
  t.same(
    refusals.map((refusal) => refusal?.message ?? 'good'),
    expected
  )
  t.same(await verifyDigests([]), [])
})
