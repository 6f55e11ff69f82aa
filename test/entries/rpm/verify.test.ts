import { createHash } from 'node:crypto'
import t from 'tap'
import { parseRpmSpec } from '../../../src/entries/rpm/parse.js'
import { verifyRpm } from '../../../src/entries/rpm/verify.js'
import { mutate } from '../../helpers/mutations.js'
import { bind, bytes, makeKey, packet, signData, simpleRing, utf8 } from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import {
  binary,
  hexDigest,
  joinRpm,
  makeHeader,
  makeRpm,
  NAMES,
  PAYLOAD,
  payloadDigest,
  signedBy,
  text
} from '../../helpers/rpm.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

const VECTOR = computedVector('rpm')
const FILE = rekorVector('rpm/test.rpm')
const KEY = rekorVector('rpm/test_rpm_public_key.key')

const leafHash = (leafValue: Uint8Array) =>
  createHash('sha256').update(Uint8Array.of(0)).update(leafValue).digest('hex')
const base64 = (input: Uint8Array) => Buffer.from(input).toString('base64')
const submit = (spec: unknown) => verifyRpm(parseRpmSpec(spec))
const send = (key: Uint8Array, content: Uint8Array, value?: string) =>
  submit({
    publicKey: { content: base64(key) },
    package: {
      content: base64(content),
      ...(value === undefined ? {} : { hash: { algorithm: 'sha256', value } })
    }
  })

const signer = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const subkey = makeKey('ed25519', 3)
const RING = simpleRing(signer)
const SIGNED = makeRpm({ signatures: signedBy(signer) })

t.test('computed vector', async (t) => {
  const verified = await submit(VECTOR.proposedEntry.spec)
  t.equal(Buffer.from(verified.leafValue).toString(), VECTOR.canonicalBody)
  t.equal(leafHash(verified.leafValue), VECTOR.leafHash)
  t.same(verified.searchKeys, VECTOR.indexKeys)
  t.equal(verified.attestation, undefined)
  t.equal(verified.clientAlgorithm, undefined, 'the policy is for hashedrekord')
})

t.test('the same, hash given', async (t) => {
  const digest = 'f5214798b9d78fac428fad6d70cffce0eee6512c27a9faee9112a68e9b5519c6'
  t.equal(leafHash((await send(KEY, FILE, digest)).leafValue), VECTOR.leafHash)
})

t.test('what is accepted', async (t) => {
  const md5 = (header: Uint8Array, payload: Uint8Array) =>
    binary(1004, bytes(Buffer.from(hexDigest('md5', header, payload), 'hex')))
  const cases: Readonly<Record<string, readonly [key: Uint8Array, file: Uint8Array]>> = {
    'signatures over header and payload': [RING, SIGNED],
    'a signature over the header alone': [
      RING,
      makeRpm({ signatures: (header) => [binary(268, signData(signer, header))] })
    ],
    'the tags of other algorithms': [
      RING,
      makeRpm({
        signatures: (header, payload) => [
          binary(267, signData(signer, header)),
          binary(1005, signData(signer, bytes(header, payload)))
        ]
      })
    ],
    'a subkey': [
      bytes(RING, packet(14, subkey.body), bind(signer, subkey)),
      makeRpm({ signatures: signedBy(subkey) })
    ],
    'two signers, both in the ring': [
      bytes(RING, simpleRing(other)),
      makeRpm({
        signatures: (header, payload) => [
          binary(268, signData(signer, header)),
          binary(1005, signData(other, bytes(header, payload)))
        ]
      })
    ],
    'a key that has expired': [simpleRing(signer, { keyLifetime: 1 }), SIGNED],
    'an old package, with an MD5 only': [
      RING,
      makeRpm({
        tags: NAMES,
        signatures: (header, payload) => [
          binary(267, signData(signer, header)),
          md5(header, payload)
        ]
      })
    ]
  }
  for (const [name, [key, file]] of Object.entries(cases)) {
    const { leafValue, searchKeys } = await send(key, file)
    const body = JSON.parse(Buffer.from(leafValue).toString()) as {
      spec: { package: { headers: Record<string, string> } }
    }
    t.equal(body.spec.package.headers['Name'], 'hello', name)
    t.equal(searchKeys.at(-1), `sha256:${hexDigest('sha256', file)}`)
  }
})

t.test('what is refused', async (t) => {
  const id = Buffer.from(signer.keyId).toString('hex')
  const wrong = 'verification_failed: openpgp: invalid signature: Ed25519 verification failure'
  const trailing = 'invalid_request: trailing garbage after PGP signature packet'
  const unsigned = makeRpm()
  const digest = hexDigest('sha256', SIGNED)
  // Bytes of the file changed after it was signed.
  const at = (offset: number) => {
    const file = SIGNED.slice()
    file[offset < 0 ? file.length + offset : offset]! ^= 1
    return file
  }
  const inHeader = Buffer.from(SIGNED).indexOf('2.12')
  const v3 = packet(2, bytes(3, 5, 0, new Uint8Array(12), 1, 2, 0, 0, 0, 8, 0xff))
  const header = makeHeader([...NAMES, ...payloadDigest(PAYLOAD)])

  const cases: readonly (readonly [
    name: string,
    key: Uint8Array,
    file: Uint8Array,
    message: string | RegExp,
    hash?: string
  ])[] = [
    [
      'hash of something else',
      RING,
      SIGNED,
      `verification_failed: SHA mismatch: ${digest} != ${'0'.repeat(64)}`,
      '0'.repeat(64)
    ],
    [
      'upper-case hash',
      RING,
      SIGNED,
      `verification_failed: SHA mismatch: ${digest} != ${digest.toUpperCase()}`,
      digest.toUpperCase()
    ],
    ['no key', utf8('not a key ring at all'), SIGNED, /^invalid_request: error reading binary PGP/],
    ['the key is read before the package', utf8('not a key at all'), utf8('x'), /PGP public key/],
    ['no package', RING, utf8('x'), 'invalid_request: error reading RPM lead: unexpected EOF'],
    [
      'negative header size',
      RING,
      joinRpm(makeHeader([]), makeHeader(NAMES, { dataBytes: -1 })),
      'invalid_request: RPM header with -1 bytes of data'
    ],
    ['unsigned', RING, unsigned, 'verification_failed: no supported PGP signature found in RPM'],
    [
      'unsigned but for a tag that Rekor does not know',
      RING,
      makeRpm({ signatures: (bytesOfHeader) => [binary(278, signData(signer, bytesOfHeader))] }),
      'verification_failed: no supported PGP signature found in RPM'
    ],
    ['wrong key', simpleRing(other), SIGNED, `verification_failed: keyid ${id} not found`],
    [
      'wrong key for the fixture',
      RING,
      FILE,
      /^verification_failed: keyid [0-9a-f]{8,16} not found$/
    ],
    [
      'one signer of two',
      RING,
      makeRpm({
        signatures: (part, payload) => [
          binary(268, signData(signer, part)),
          binary(1005, signData(other, bytes(part, payload)))
        ]
      }),
      /^verification_failed: keyid [0-9a-f]{16} not found$/
    ],
    [
      'version 3',
      RING,
      makeRpm({ signatures: () => [binary(268, v3)] }),
      'unsupported: openpgp: unsupported feature: signature packet version 3'
    ],
    [
      'version 3 beside a good signature',
      RING,
      makeRpm({
        signatures: (part) => [binary(268, signData(signer, part)), binary(1002, v3)]
      }),
      'unsupported: openpgp: unsupported feature: signature packet version 3'
    ],
    [
      'garbage after a signature',
      RING,
      makeRpm({ signatures: (part) => [binary(268, bytes(signData(signer, part), 0))] }),
      trailing
    ],
    [
      'two signatures in one tag',
      RING,
      makeRpm({
        signatures: (part) => [binary(268, bytes(signData(signer, part), signData(signer, part)))]
      }),
      trailing
    ],
    [
      'garbage after the payload',
      RING,
      bytes(SIGNED, 0),
      'verification_failed: payload SHA-256 digest mismatch'
    ],
    [
      'garbage after the payload of the fixture',
      KEY,
      bytes(FILE, 0),
      'verification_failed: payload SHA-256 digest mismatch'
    ],
    ['another payload', RING, at(-1), 'verification_failed: payload SHA-256 digest mismatch'],
    [
      'another version in the header',
      RING,
      at(inHeader),
      'verification_failed: SHA-256 mismatch in signature header'
    ],
    [
      'another version in the header, digests made to fit',
      RING,
      makeRpm({
        tags: [text(1000, 'other'), ...NAMES.slice(1), ...payloadDigest(PAYLOAD)],
        signatures: () => signedBy(signer)(header, PAYLOAD).filter(({ tag }) => tag !== 273)
      }),
      wrong
    ],
    [
      'signature over the header where header and payload are signed',
      RING,
      makeRpm({ signatures: (part) => [binary(1002, signData(signer, part))] }),
      wrong
    ],
    [
      'no digest of the payload',
      RING,
      makeRpm({ tags: NAMES, signatures: signedBy(signer) }),
      'verification_failed: no usable payload digest found'
    ],
    [
      'no version',
      RING,
      makeRpm({
        tags: [...NAMES.filter(({ tag }) => tag !== 1001), ...payloadDigest(PAYLOAD)],
        signatures: signedBy(signer)
      }),
      'invalid_request: No such entry 1001'
    ]
  ]
  for (const [name, key, file, message, hash] of cases)
    t.match(await refusalText(() => send(key, file, hash)), message, name)
})

t.test('a committed form looked up without its package', async (t) => {
  const { spec } = JSON.parse(VECTOR.canonicalBody) as { spec: unknown }
  t.match(await refusalText(() => submit(spec)), /^verification_failed: SHA mismatch: e3b0c442/)
})

t.test('fuzz: of a mutated package only what nobody signs may differ', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  // Header and payload must be as they were; lead and signature header are not signed.
  const header = makeHeader([...NAMES, ...payloadDigest(PAYLOAD)])
  const signed = bytes(header, PAYLOAD)
  const wrong: string[] = []
  let accepted = 0
  for (let i = 0; i < 600; i++) {
    const mutated = mutate(SIGNED, random)
    const verified = await unlessRefused(() => send(RING, mutated))
    if (verified === undefined) continue
    accepted++
    if (!Buffer.from(mutated.subarray(-signed.length)).equals(signed)) wrong.push(base64(mutated))
  }
  t.same(wrong, [])
  t.comment(`${accepted} of 600 accepted`)
  t.equal(leafHash((await send(KEY, FILE)).leafValue), VECTOR.leafHash, 'nothing stays behind')
})
