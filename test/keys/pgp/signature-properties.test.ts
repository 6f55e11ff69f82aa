import t from 'tap'
import type { SignaturePacket } from '../../../src/keys/pgp/signature-packet.js'
import { collectProperties } from '../../../src/keys/pgp/signature-properties.js'
import { parseSubpackets } from '../../../src/keys/pgp/subpackets.js'
import { bytes, subpacket, uint, utf8 } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'

const TIME = subpacket(2, uint(1000, 4))
const embedded = { type: 0x19 } as SignaturePacket // only handed through

interface Areas {
  readonly hashed?: readonly Uint8Array[]
  readonly unhashed?: readonly Uint8Array[]
  readonly version?: 4 | 6
}

function collect({ hashed = [], unhashed = [], version = 4 }: Areas) {
  return collectProperties(
    version,
    parseSubpackets(bytes(TIME, ...hashed)),
    parseSubpackets(bytes(...unhashed)),
    () => embedded
  )
}

const NOTHING = {
  createdSeconds: 1000,
  lifetimeSeconds: undefined,
  keyLifetimeSeconds: undefined,
  issuerKeyId: undefined,
  issuerFingerprint: undefined,
  keyFlags: undefined,
  isPrimaryUserId: false,
  revocationReason: undefined,
  criticalNotations: [],
  embedded: undefined
}

const fingerprint = Uint8Array.from({ length: 20 }, (_, i) => i)
const fingerprint6 = Uint8Array.from({ length: 32 }, (_, i) => i)
const keyId = bytes(1, 2, 3, 4, 5, 6, 7, 8)
const notation = (name: string, value: string) =>
  bytes(uint(0, 4), uint(name.length, 2), uint(value.length, 2), utf8(name), utf8(value))

t.test('what subpackets say', async (t) => {
  const cases: readonly (readonly [name: string, areas: Areas, expected: object])[] = [
    ['nothing but the time', {}, {}],
    ['a second time wins', { hashed: [subpacket(2, uint(2000, 4))] }, { createdSeconds: 2000 }],
    ['lifetime', { hashed: [subpacket(3, uint(7, 4))] }, { lifetimeSeconds: 7 }],
    [
      'largest lifetime',
      { hashed: [subpacket(3, uint(0xffffffff, 4))] },
      { lifetimeSeconds: 0xffffffff }
    ],
    ['key lifetime', { hashed: [subpacket(9, uint(7, 4))] }, { keyLifetimeSeconds: 7 }],
    ['exportable', { hashed: [subpacket(4, bytes(1))] }, {}],
    ['trust', { hashed: [subpacket(5, bytes(1, 60))] }, {}],
    ['regular expression', { hashed: [subpacket(6, bytes(65, 0))] }, {}],
    ['issuer', { hashed: [subpacket(16, keyId)] }, { issuerKeyId: '0102030405060708' }],
    ['issuer outside', { unhashed: [subpacket(16, keyId)] }, { issuerKeyId: '0102030405060708' }],
    ['v6 ignores an issuer outside', { unhashed: [subpacket(16, keyId)], version: 6 }, {}],
    [
      'issuer fingerprint',
      { hashed: [subpacket(33, bytes(4, fingerprint))] },
      { issuerKeyId: '0c0d0e0f10111213', issuerFingerprint: fingerprint }
    ],
    [
      'v6 issuer fingerprint',
      { unhashed: [subpacket(33, bytes(6, fingerprint6))], version: 6 },
      { issuerKeyId: '0001020304050607', issuerFingerprint: fingerprint6 }
    ],
    [
      'issuer after fingerprint',
      { hashed: [subpacket(33, bytes(4, fingerprint))], unhashed: [subpacket(16, keyId)] },
      { issuerKeyId: '0102030405060708', issuerFingerprint: fingerprint }
    ],
    ['notation', { hashed: [subpacket(20, notation('a@b', 'c'))] }, {}],
    [
      'critical notation',
      { hashed: [subpacket(20, notation('a@b', 'c'), true)] },
      { criticalNotations: ['a@b'] }
    ],
    ['primary user ID', { hashed: [subpacket(25, bytes(1))] }, { isPrimaryUserId: true }],
    ['not primary', { hashed: [subpacket(25, bytes(0))] }, {}],
    ['flags', { hashed: [subpacket(27, bytes(3))] }, { keyFlags: 3 }],
    ['no octet of flags', { hashed: [subpacket(27, bytes())] }, { keyFlags: 0 }],
    [
      'flags add up',
      { hashed: [subpacket(27, bytes(1)), subpacket(27, bytes(2, 0xff))] },
      { keyFlags: 3 }
    ],
    ['reason', { hashed: [subpacket(29, bytes(2, 65))] }, { revocationReason: 2 }],
    ['embedded', { hashed: [subpacket(32, bytes(1))] }, { embedded }],
    ['embedded outside', { unhashed: [subpacket(32, bytes(1))] }, { embedded }],
    ['recipient', { hashed: [subpacket(35, bytes(4, fingerprint))] }, {}],
    ['cipher suites', { hashed: [subpacket(39, bytes(9, 2))] }, {}],
    ['unknown', { hashed: [subpacket(99, bytes(1))] }, {}],
    [
      'known and critical',
      { hashed: [11, 21, 22, 23, 24, 26, 28, 30].map((type) => subpacket(type, bytes(1), true)) },
      {}
    ],
    [
      'outside nearly everything is ignored',
      {
        unhashed: [
          subpacket(2, uint(5, 4)),
          subpacket(3, bytes(1)),
          subpacket(27, bytes(2)),
          subpacket(99, bytes(1), true)
        ]
      },
      {}
    ]
  ]
  for (const [name, areas, expected] of cases)
    t.same(collect(areas), { ...NOTHING, ...expected }, name)
})

t.test('malformed and unsupported subpackets', async (t) => {
  const structural = 'invalid_request: openpgp: invalid data: '
  const unsupported = 'unsupported: openpgp: unsupported feature: '
  const bad = (type: number, ...contents: number[]): Areas => ({
    hashed: [subpacket(type, bytes(...contents))]
  })
  const badNotation = `${structural}notation data subpacket with bad length`
  const badFingerprint = `${structural}bad fingerprint length`
  const cases: readonly (readonly [name: string, areas: Areas, message: string])[] = [
    ['time', bad(2, 1, 2, 3), `${structural}signature creation time not four bytes`],
    ['lifetime', bad(3, 1), `${structural}expiration subpacket with bad length`],
    ['key lifetime', bad(9), `${structural}key expiration subpacket with bad length`],
    ['exportable', bad(4), `${structural}exportable subpacket with bad length`],
    ['not exportable', bad(4, 0), `${unsupported}signature with non-exportable certification`],
    ['trust', bad(5, 1), `${structural}trust subpacket with bad length`],
    [
      'regular expression',
      bad(6, 65),
      `${structural}expected regular expression to be null-terminated`
    ],
    [
      'no regular expression',
      bad(6),
      `${structural}expected regular expression to be null-terminated`
    ],
    ['issuer', bad(16, 1, 2), `${structural}issuer subpacket with bad length`],
    [
      'v6 issuer',
      { hashed: [subpacket(16, keyId)], version: 6 },
      `${structural}issuer subpacket found in v6 key`
    ],
    ['fingerprint', bad(33, 4, 1), badFingerprint],
    ['no fingerprint', bad(33), badFingerprint],
    ['v6 fingerprint', { hashed: [subpacket(33, bytes(6, fingerprint))] }, badFingerprint],
    ['fingerprint outside', { unhashed: [subpacket(33, bytes(4))] }, badFingerprint],
    ['recipient', bad(35, 4, 1), badFingerprint],
    ['notation', bad(20, 0, 0, 0, 0, 0, 0, 0), badNotation],
    ['notation cut off', bad(20, 0, 0, 0, 0, 0, 1, 0, 0), badNotation],
    ['notation too long', bad(20, 0, 0, 0, 0, 0, 0, 0, 0, 65), badNotation],
    ['primary user ID', bad(25), `${structural}primary user id subpacket with bad length`],
    ['reason', bad(29), `${structural}empty revocation reason subpacket`],
    ['cipher suites', bad(39, 1), `${structural}invalid aead cipher suite length`],
    [
      'two embedded',
      { hashed: [subpacket(32, bytes(1))], unhashed: [subpacket(32, bytes(1))] },
      `${structural}Cannot have multiple embedded signatures`
    ],
    [
      'critical',
      { hashed: [subpacket(99, bytes(), true)] },
      `${unsupported}unknown critical signature subpacket type 99`
    ]
  ]
  for (const [name, areas, message] of cases)
    t.equal(await refusalText(() => collect(areas)), message, name)
  t.equal(
    await refusalText(() => collectProperties(4, [], parseSubpackets(TIME), () => embedded)),
    `${structural}no creation time in signature`,
    'a time outside does not count'
  )
})
