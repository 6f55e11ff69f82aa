import { config } from 'openpgp'
import t from 'tap'
import {
  checkSignature,
  MAX_DSA_BITS,
  MAX_DSA_SUBGROUP_BITS,
  MAX_RSA_BITS,
  MIN_RSA_BITS
} from '../../../src/keys/pgp/check-signature.js'
import { parsePublicKeyPacket } from '../../../src/keys/pgp/public-key-packet.js'
import { parseSignaturePacket } from '../../../src/keys/pgp/signature-packet.js'
import {
  bytes,
  CREATED,
  describeKey,
  makeKey,
  makeSignature,
  mpi,
  subpacket,
  uint,
  utf8,
  type KeyKind,
  type SignatureOptions,
  type TestKey
} from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const DATA = utf8('some data')

function check(key: TestKey, signatureBody: Uint8Array, data: Uint8Array = DATA): Promise<void> {
  return checkSignature(parsePublicKeyPacket(key.body), parseSignaturePacket(signatureBody), data)
}

const NAMES: Readonly<Record<string, string>> = {
  ed25519: 'Ed25519',
  eddsa: 'EdDSA',
  p256: 'ECDSA',
  rsa: 'RSA',
  dsa: 'DSA'
}

t.test('good and bad signatures of every kind', async (t) => {
  for (const kind of Object.keys(NAMES) as KeyKind[]) {
    for (const version of [4, 6] as const) {
      // EdDSALegacy does not exist with v6 keys.
      if (kind === 'eddsa' && version === 6) continue
      const key = makeKey(kind, 1, { version })
      for (const hash of [8, 10]) {
        const body = makeSignature(key, 0x10, DATA, { hash })
        await t.resolves(check(key, body), `${kind} v${version} hash ${hash}`)
        const message = `verification_failed: openpgp: invalid signature: ${NAMES[kind]} verification failure`
        if (version === 4) t.equal(await refusalText(() => check(key, body, utf8('x'))), message)
        const last = Uint8Array.from(body)
        last[last.length - 1]! ^= 1
        t.equal(await refusalText(() => check(key, last)), message, 'last bit')
        t.equal(await refusalText(() => check(makeKey(kind, 2, { version }), body)), message, 'key')
      }
    }
  }
})

// What the library refuses unless it is told otherwise, and other things it would judge by itself.
t.test('signatures Rekor takes and the library alone would not', async (t) => {
  const revocationKey = subpacket(12, bytes(0x80, 1, new Uint8Array(20)))
  const notation = subpacket(20, bytes(uint(0, 4), 0, 1, 0, 1, 65, 66), true)
  const cases: readonly (readonly [name: string, kind: KeyKind, options: SignatureOptions])[] = [
    ['RSA of 1024 bits, SHA-1', 'rsa', { hash: 2 }],
    ['DSA, SHA-1', 'dsa', { hash: 2 }],
    ['ECDSA, SHA-1', 'p256', { hash: 2 }],
    ['no issuer', 'ed25519', { anonymous: true }],
    ['another issuer', 'ed25519', { unhashedSubpackets: [subpacket(16, new Uint8Array(8))] }],
    ['revocation key', 'ed25519', { hashedSubpackets: [revocationKey] }],
    ['critical notation', 'ed25519', { hashedSubpackets: [notation] }],
    ['text that is not UTF-8', 'ed25519', { hashedSubpackets: [subpacket(28, bytes(0xf6))] }],
    ['wrong hash tag', 'ed25519', { wrongTag: true }],
    ['from the future', 'ed25519', { created: 0xffffffff }],
    ['expired', 'ed25519', { lifetime: 1 }]
  ]
  for (const [name, kind, options] of cases) {
    const key = makeKey(kind)
    await t.resolves(check(key, makeSignature(key, 0, DATA, options)), name)
  }
  t.ok(config.rejectHashAlgorithms.size > 0, 'the library is not changed for others')
  t.equal(config.minRSABits, 2047)
})

t.test('the hash tag of v6 signatures', async (t) => {
  const key = makeKey('ed25519', 1, { version: 6 })
  t.equal(
    await refusalText(() => check(key, makeSignature(key, 0, DATA, { wrongTag: true }))),
    "verification_failed: openpgp: invalid signature: hash tag doesn't match"
  )
})

t.test('EdDSA over short digests', async (t) => {
  for (const kind of ['ed25519', 'eddsa'] as const) {
    for (const hash of [2, 11]) {
      const key = makeKey(kind)
      t.match(
        await refusalText(() => check(key, makeSignature(key, 0, DATA, { hash }))),
        'verification failure'
      )
    }
  }
})

t.test('keys that do not fit', async (t) => {
  const ed25519 = makeKey('ed25519')
  const x25519 = describeKey(
    'ed25519',
    4,
    25,
    ed25519.secret,
    bytes(4, uint(CREATED, 4), 25, new Uint8Array(32))
  )
  t.equal(
    await refusalText(() => check(x25519, makeSignature(ed25519, 0, DATA))),
    'verification_failed: openpgp: invalid argument: public key cannot generate signatures'
  )
  t.equal(
    await refusalText(() => check(makeKey('rsa'), makeSignature(ed25519, 0, DATA))),
    'verification_failed: openpgp: invalid argument: public key and signature use different algorithms'
  )
})

const filled = (bits: number) => mpi(new Uint8Array(bits / 8).fill(0xff))

t.test('sizes', async (t) => {
  const short = makeKey('rsa512')
  const err = await t.rejects(check(short, makeSignature(short, 0, DATA)))
  t.match(err, { message: /RSA verification failure/, cause: { message: 'number of 512 bits' } })
  t.equal(MIN_RSA_BITS, 1024)

  const signature = (algorithm: number, ...fields: Uint8Array[]) => {
    const time = subpacket(2, uint(CREATED, 4))
    return bytes(4, 0, algorithm, 8, 0, time.length, time, 0, 0, 0, 0, ...fields)
  }
  const cases: readonly (readonly [
    name: string,
    key: Uint8Array,
    signature: Uint8Array,
    problem: string
  ])[] = [
    [
      'RSA',
      bytes(1, filled(MAX_RSA_BITS + 8), mpi(bytes(3))),
      signature(1, filled(64)),
      `number of ${MAX_RSA_BITS + 8} bits`
    ],
    [
      'RSA for signing',
      bytes(3, filled(1016), mpi(bytes(3))),
      signature(3, filled(64)),
      'number of 1016 bits'
    ],
    [
      'no modulus',
      bytes(1, mpi(bytes()), mpi(bytes(3))),
      signature(1, filled(64)),
      'number of 0 bits'
    ],
    [
      'DSA',
      bytes(17, filled(MAX_DSA_BITS + 8), filled(256), filled(8), filled(8)),
      signature(17, filled(8), filled(8)),
      `number of ${MAX_DSA_BITS + 8} bits`
    ],
    [
      'DSA subgroup',
      bytes(17, filled(MAX_DSA_BITS), filled(MAX_DSA_SUBGROUP_BITS + 8), filled(8), filled(8)),
      signature(17, filled(8), filled(8)),
      `number of ${MAX_DSA_SUBGROUP_BITS + 8} bits`
    ]
  ]
  for (const [name, fields, signatureBody, problem] of cases) {
    const key = parsePublicKeyPacket(bytes(4, uint(CREATED, 4), fields))
    const err = await t.rejects(checkSignature(key, parseSignaturePacket(signatureBody), DATA))
    t.match(err, { code: 'verification_failed', cause: { message: problem } }, name)
  }
})

t.test('the largest keys are checked in bounded time', async (t) => {
  const time = subpacket(2, uint(CREATED, 4))
  const head = (algorithm: number) => bytes(4, 0, algorithm, 8, 0, time.length, time, 0, 0, 0, 0)
  const rsa = parsePublicKeyPacket(
    bytes(4, uint(CREATED, 4), 1, filled(MAX_RSA_BITS), mpi(bytes(255, 255, 255)))
  )
  const rsaSignature = parseSignaturePacket(bytes(head(1), mpi(new Uint8Array(2048).fill(0x77))))
  const start = performance.now()
  for (let i = 0; i < 10; i++) {
    t.match(
      await refusalText(() => checkSignature(rsa, rsaSignature, DATA)),
      'RSA verification failure'
    )
  }
  t.ok(performance.now() - start < 5000, 'ten checks of RSA')
})
