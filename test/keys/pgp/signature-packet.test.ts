import t from 'tap'
import { parseSignaturePacket } from '../../../src/keys/pgp/signature-packet.js'
import { mutate } from '../../helpers/mutations.js'
import {
  bytes,
  CREATED,
  makeKey,
  makeSignature,
  mpi,
  subpacket,
  uint,
  utf8,
  wideSubpacket,
  type KeyKind
} from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'

const DATA = utf8('data')
const KINDS: readonly KeyKind[] = ['ed25519', 'eddsa', 'p256', 'rsa', 'dsa']

t.test('signatures of every kind, in both versions', async (t) => {
  for (const kind of KINDS) {
    for (const version of [4, 6] as const) {
      const key = makeKey(kind, 1, { version })
      const body = makeSignature(key, 0x10, DATA, { hash: 10, flags: 3 })
      const signature = parseSignaturePacket(body)
      t.match(signature, {
        version,
        type: 0x10,
        keyAlgorithm: key.algorithm,
        hashAlgorithm: 10,
        hashName: 'sha512',
        createdSeconds: CREATED,
        keyFlags: 3,
        issuerKeyId: Buffer.from(key.keyId).toString('hex')
      })
      t.equal(signature.salt.length, version === 6 ? 32 : 0)
      t.same(signature.canonicalBody, body, `${kind} v${version}`)
      const tail = bytes(
        signature.hashTag,
        version === 6 ? bytes(32, signature.salt) : bytes(),
        signature.fields
      )
      t.same(bytes(signature.hashedPart, uint(0, version === 6 ? 4 : 2), tail), body)
    }
  }
})

t.test('only lengths outside of the signed area become canonical', async (t) => {
  const key = makeKey('ed25519')
  const wide = [wideSubpacket(100, bytes(1, 2)), wideSubpacket(16, key.keyId)]
  const minimal = [subpacket(100, bytes(1, 2)), subpacket(16, key.keyId)]
  const read = parseSignaturePacket(makeSignature(key, 0, DATA, { unhashedSubpackets: wide }))
  t.same(read.canonicalBody, makeSignature(key, 0, DATA, { unhashedSubpackets: minimal }))
  const signed = makeSignature(key, 0, DATA, { hashedSubpackets: wide })
  t.same(parseSignaturePacket(signed).canonicalBody, signed)
})

t.test('an embedded signature is read, one level deep', async (t) => {
  const key = makeKey('ed25519')
  const inner = makeSignature(key, 0x19, DATA)
  const outer = (embedded: Uint8Array) =>
    makeSignature(key, 0x18, DATA, { hashedSubpackets: [subpacket(32, embedded)] })
  t.same(parseSignaturePacket(outer(inner)).embedded?.canonicalBody, inner)
  const structural = 'invalid_request: openpgp: invalid data: '
  t.equal(
    await refusalText(() => parseSignaturePacket(outer(makeSignature(key, 0x18, DATA)))),
    `${structural}cross-signature has unexpected type 24`
  )
  const nested = makeSignature(key, 0x19, DATA, { hashedSubpackets: [subpacket(32, inner)] })
  t.equal(
    await refusalText(() => parseSignaturePacket(outer(nested))),
    `${structural}embedded signature in a cross-signature`
  )
  // Thousands of levels, each a few bytes: refused at the second, not by an overflow of the stack.
  let deep: Uint8Array = bytes()
  let levels = 0
  for (; deep.length < 65_000; levels++) {
    const time = subpacket(2, uint(CREATED, 4))
    const prefix = bytes(255, uint(deep.length + 1, 4), 32)
    const length = uint(time.length + prefix.length + deep.length, 2)
    const head = bytes(4, 0x19, 1, 8, length, time, prefix)
    deep = Buffer.concat([head, deep, bytes(0, 0, 0, 0, 0, 0)])
  }
  t.ok(levels > 1000, `${levels} levels`)
  t.match(await refusalText(() => parseSignaturePacket(deep)), structural)
})

t.test('malformed and unsupported signatures', async (t) => {
  const structural = 'invalid_request: openpgp: invalid data: '
  const unsupported = 'unsupported: openpgp: unsupported feature: '
  const short = 'invalid_request: unexpected EOF'
  const time = subpacket(2, uint(CREATED, 4))
  const v4 = (algorithm: number, hash: number, ...rest: (number | Uint8Array)[]) =>
    bytes(4, 0, algorithm, hash, 0, time.length, time, 0, 0, 1, 2, ...rest)
  const v6 = (hash: number, ...rest: (number | Uint8Array)[]) =>
    bytes(6, 0, 27, hash, uint(time.length, 4), time, uint(0, 4), 1, 2, ...rest)
  const cases: readonly (readonly [name: string, body: Uint8Array, message: string])[] = [
    ['nothing', bytes(), short],
    ['version 3', bytes(3, 5), `${unsupported}signature packet version 3`],
    ['version 5', bytes(5, 0, 1, 8), `${unsupported}signature packet version 5`],
    ['only a version', bytes(4), short],
    ['Elgamal', v4(16, 8), `${unsupported}public key algorithm 16`],
    ['RSA for encryption', v4(2, 8), `${unsupported}public key algorithm 2`],
    ['MD5', v4(1, 1), `${unsupported}hash function 1`],
    ['v6 with SHA-1', v6(2), `${unsupported}hash function 2`],
    ['area cut off', bytes(4, 0, 27, 8, 0, 9, 1), short],
    ['v6 area of 4 GiB', bytes(6, 0, 27, 8, 255, 255, 255, 255), short],
    ['no outer area', bytes(4, 0, 27, 8, 0, time.length, time), short],
    ['no tag', bytes(4, 0, 27, 8, 0, time.length, time, 0, 0, 1), short],
    ['no fields', v4(27, 8), short],
    ['Ed448 cut off', v4(28, 8, new Uint8Array(113)), short],
    ['RSA without integer', v4(3, 8, 0, 9, 1), short],
    ['DSA with one integer', v4(17, 8, mpi(bytes(1))), short],
    [
      'v6 salt length',
      v6(8, 15, new Uint8Array(15 + 64)),
      `${structural}unexpected salt size for the given hash algorithm`
    ],
    ['v6 salt cut off', v6(8, 16, 1), short],
    ['trailing byte', v4(27, 8, new Uint8Array(65)), `${structural}data after the signature`],
    ['no time', bytes(4, 0, 27, 8, 0, 0, 0, 0), `${structural}no creation time in signature`]
  ]
  for (const [name, body, message] of cases) {
    t.equal(await refusalText(() => parseSignaturePacket(body)), message, name)
  }
  t.equal(parseSignaturePacket(v4(28, 8, new Uint8Array(114))).fields.length, 114, 'Ed448')
})

t.test('the canonical form of what parses is its own canonical form', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const seeds = KINDS.flatMap((kind) =>
    ([4, 6] as const).map((version) =>
      makeSignature(makeKey(kind, 1, { version }), 0x18, DATA, {
        flags: 2,
        hashedSubpackets: [subpacket(32, makeSignature(makeKey('ed25519'), 0x19, DATA))],
        unhashedSubpackets: [wideSubpacket(100, bytes(1))]
      })
    )
  )
  let read = 0
  for (let i = 0; i < 3000; i++) {
    const mutated = mutate(random.pick(seeds), random)
    const signature = await unlessRefused(() => parseSignaturePacket(mutated))
    if (signature === undefined) continue
    read++
    const { canonicalBody } = signature
    if (!Buffer.from(parseSignaturePacket(canonicalBody).canonicalBody).equals(canonicalBody)) {
      t.fail(`not stable: ${Buffer.from(mutated).toString('hex')}`)
    }
  }
  t.ok(read > 10, `${read} of 3000 were read`)
})
