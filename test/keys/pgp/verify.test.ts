import t from 'tap'
import { parseKeyRing } from '../../../src/keys/pgp/key-ring.js'
import { parseDetachedSignature } from '../../../src/keys/pgp/signature.js'
import { verifyDetachedSignature } from '../../../src/keys/pgp/verify.js'
import {
  bind,
  bytes,
  certify,
  CREATED,
  makeKey,
  makeSignature,
  packet,
  signData,
  simpleRing,
  subpacket,
  uint,
  USER_ID,
  utf8,
  type BindOptions,
  type SignatureOptions
} from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const key = makeKey('ed25519', 1)
const other = makeKey('ed25519', 2)
const subkey = makeKey('ed25519', 3)
const v6 = makeKey('ed25519', 1, { version: 6 })
const DATA = utf8('line one\nline two\r\n')
const LATER = CREATED + 1000

async function verify(
  ring: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array = DATA
): Promise<void> {
  const entities = await parseKeyRing(ring)
  await verifyDetachedSignature(entities, parseDetachedSignature(signature), data)
}

const ringOf = (...packets: Uint8Array[]) =>
  bytes(packet(6, key.body), ...packets, packet(13, USER_ID), certify(key, key, USER_ID))
const revocation = (options: SignatureOptions = {}) =>
  packet(2, makeSignature(key, 0x20, key.hashed, options))
const withSubkey = (...options: BindOptions[]) =>
  bytes(simpleRing(key), packet(14, subkey.body), ...options.map((each) => bind(key, subkey, each)))
const notation = subpacket(20, bytes(uint(0, 4), 0, 3, 0, 1, utf8('a@bc')), true)
const reason = (code: number) => ({ hashedSubpackets: [subpacket(29, bytes(code))] })
const at = (created: number) => signData(key, DATA, { created })
const subkeyAt = (created: number) => signData(subkey, DATA, { created })
const revokedUserId = certify(key, key, USER_ID, { type: 0x30 })
const SECOND = utf8('Second <second@example.com>')

t.test('what verifies', async (t) => {
  const v6Ring = bytes(
    packet(6, v6.body),
    packet(2, makeSignature(v6, 0x1f, v6.hashed, { flags: 2 }))
  )
  const cases: Readonly<Record<string, readonly [ring: Uint8Array, signature: Uint8Array]>> = {
    'a primary key': [simpleRing(key), at(CREATED)],
    'a subkey': [withSubkey({}), subkeyAt(CREATED)],
    'a v6 key': [v6Ring, signData(v6, DATA)],
    'the right one of several keys': [bytes(simpleRing(other), simpleRing(key)), at(CREATED)],
    'a second signature': [simpleRing(key), bytes(signData(other, DATA), at(CREATED))],
    'anything after the signature that counts': [
      simpleRing(key),
      bytes(at(CREATED), packet(13, USER_ID))
    ],
    'the last second of a key': [simpleRing(key, { keyLifetime: 1000 }), at(LATER)],
    'a lifetime of 0': [simpleRing(key, { keyLifetime: 0, lifetime: 0 }), at(LATER)],
    'a signature that is to expire': [simpleRing(key), signData(key, DATA, { lifetime: 1 })],
    'revoked later': [ringOf(revocation({ created: LATER })), at(CREATED)],
    'retired later': [ringOf(revocation({ created: LATER, ...reason(3) })), at(CREATED)],
    'the revocation had expired': [ringOf(revocation({ lifetime: 1 })), at(LATER)],
    'subkey revoked later': [
      withSubkey({}, { type: 0x28, flags: 0, created: LATER }),
      subkeyAt(CREATED)
    ],
    'another user ID is revoked': [
      bytes(
        packet(6, key.body),
        packet(13, USER_ID),
        certify(key, key, USER_ID),
        revokedUserId,
        packet(13, SECOND),
        certify(key, key, SECOND)
      ),
      at(CREATED)
    ],
    'an older binding had expired': [
      withSubkey({ lifetime: 1 }, { created: CREATED + 1 }),
      subkeyAt(LATER)
    ]
  }
  for (const [name, [ring, signature]] of Object.entries(cases))
    await t.resolves(verify(ring, signature), name)
})

t.test('what does not', async (t) => {
  const unknown = 'verification_failed: openpgp: signature made by unknown entity'
  const revoked = 'verification_failed: openpgp: signature made by revoked key'
  const keyExpired = 'verification_failed: openpgp: key expired'
  const expired = 'verification_failed: openpgp: signature expired'
  const criticalNotation =
    'verification_failed: openpgp: invalid signature: unknown critical notation: a@b'
  const wrong = 'verification_failed: openpgp: invalid signature: Ed25519 verification failure'
  const structural = 'invalid_request: openpgp: invalid data: '
  const cases: Readonly<
    Record<string, readonly [ring: Uint8Array, signature: Uint8Array, message: string]>
  > = {
    'somebody else': [simpleRing(other), at(CREATED), unknown],
    'no flags': [
      bytes(
        packet(6, key.body),
        packet(13, USER_ID),
        certify(key, key, USER_ID, {
          hashedArea: bytes(
            subpacket(2, uint(CREATED, 4)),
            subpacket(33, bytes(4, key.fingerprint))
          )
        })
      ),
      at(CREATED),
      unknown
    ],
    'flags without signing': [simpleRing(key, { flags: 0xfd }), at(CREATED), unknown],
    'subkey not for signing': [withSubkey({ flags: 12 }), subkeyAt(CREATED), unknown],
    'newest binding not for signing': [
      withSubkey({}, { flags: 12, created: LATER }),
      subkeyAt(LATER),
      unknown
    ],
    'only revoked user ID': [
      bytes(packet(6, key.body), packet(13, USER_ID), revokedUserId),
      at(CREATED),
      unknown
    ],
    'subkey of a key with only a revoked user ID': [
      bytes(
        packet(6, key.body),
        packet(13, USER_ID),
        revokedUserId,
        packet(14, subkey.body),
        bind(key, subkey)
      ),
      subkeyAt(CREATED),
      unknown
    ],
    'no issuer': [
      simpleRing(key),
      signData(key, DATA, { anonymous: true }),
      `${structural}signature doesn't have an issuer`
    ],
    'user ID after a foreign signature': [
      simpleRing(key),
      bytes(signData(other, DATA), packet(13, USER_ID)),
      `${structural}non signature packet found`
    ],
    'bad packet after a foreign signature': [
      simpleRing(key),
      bytes(signData(other, DATA), packet(2, bytes(4))),
      'invalid_request: unexpected EOF'
    ],
    'type of signature': [
      simpleRing(key),
      signData(key, DATA, { type: 2 }),
      'unsupported: openpgp: unsupported feature: unsupported signature type: 2'
    ],
    certification: [
      simpleRing(key),
      certify(key, key, USER_ID),
      'unsupported: openpgp: unsupported feature: unsupported signature type: 19'
    ],
    'other data': [simpleRing(key), signData(key, utf8('other')), wrong],
    'critical notation': [
      simpleRing(key),
      signData(key, DATA, { hashedSubpackets: [notation] }),
      criticalNotation
    ],
    'critical notation of the user ID': [
      simpleRing(key, { hashedSubpackets: [notation] }),
      at(CREATED),
      criticalNotation
    ],
    'critical notation of the binding': [
      withSubkey({ hashedSubpackets: [notation] }),
      subkeyAt(CREATED),
      criticalNotation
    ],
    'critical notation of the cross-signature': [
      withSubkey({ cross: { hashedSubpackets: [notation] } }),
      subkeyAt(CREATED),
      criticalNotation
    ],
    revoked: [ringOf(revocation()), at(CREATED), revoked],
    'revoked, subkey': [
      bytes(ringOf(revocation()), packet(14, subkey.body), bind(key, subkey)),
      subkeyAt(CREATED),
      revoked
    ],
    'compromised later': [
      ringOf(revocation({ created: LATER, ...reason(2) })),
      at(CREATED),
      revoked
    ],
    'user ID revoked': [bytes(simpleRing(key), revokedUserId), at(CREATED), revoked],
    'subkey revoked': [withSubkey({}, { type: 0x28, flags: 0 }), subkeyAt(CREATED), revoked],
    'key expired': [simpleRing(key, { keyLifetime: 999 }), at(LATER), keyExpired],
    'key not made yet': [simpleRing(key), at(CREATED - 1), keyExpired],
    'primary key expired': [
      bytes(simpleRing(key, { keyLifetime: 999 }), packet(14, subkey.body), bind(key, subkey)),
      subkeyAt(LATER),
      keyExpired
    ],
    'subkey expired': [withSubkey({ keyLifetime: 999 }), subkeyAt(LATER), keyExpired],
    'certification expired': [simpleRing(key, { lifetime: 999 }), at(LATER), expired],
    'certification not made yet': [simpleRing(key, { created: LATER }), at(CREATED), expired],
    'binding expired': [withSubkey({ lifetime: 999 }), subkeyAt(LATER), expired],
    'cross-signature expired': [withSubkey({ cross: { lifetime: 999 } }), subkeyAt(LATER), expired],
    'later than the signature before it': [
      simpleRing(key),
      bytes(signData(other, DATA), at(LATER)),
      expired
    ]
  }
  for (const [name, [ring, signature, message]] of Object.entries(cases)) {
    t.equal(await refusalText(() => verify(ring, signature)), message, name)
  }
})

t.test('text signatures', async (t) => {
  const cases: readonly (readonly [data: string, signed: string])[] = [
    ['', ''],
    ['a', 'a'],
    ['a\nb\r\nc\n', 'a\r\nb\r\nc\r\n'],
    ['\n\n', '\r\n\r\n'],
    ['a\rb', 'a\rb'],
    // Every second CR in a row does not count as one.
    ['a\r\r\nb', 'a\r\r\r\nb'],
    ['a\r\r\r\nb', 'a\r\r\r\nb']
  ]
  for (const [data, signed] of cases) {
    const signature = signData(key, utf8(signed), { type: 1 })
    await t.resolves(verify(simpleRing(key), signature, utf8(data)), JSON.stringify(data))
  }
  t.match(
    await refusalText(() =>
      verify(simpleRing(key), signData(key, utf8('a\n'), { type: 1 }), utf8('a\n'))
    ),
    'verification failure'
  )
})

t.test('one key many times in a ring is tried once', async (t) => {
  const many = bytes(
    simpleRing(key),
    ...Array.from({ length: 300 }, () => bytes(packet(14, subkey.body), bind(key, subkey)))
  )
  const data = new Uint8Array(8 * 1024 * 1024)
  const signature = signData(subkey, utf8('other'))
  const entities = await parseKeyRing(many)
  const start = performance.now()
  t.match(
    await refusalText(() =>
      verifyDetachedSignature(entities, parseDetachedSignature(signature), data)
    ),
    'Ed25519 verification failure'
  )
  t.ok(performance.now() - start < 5000)
})
