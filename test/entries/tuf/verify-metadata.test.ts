import t from 'tap'
import type { JsonValue } from '../../../src/encoding/canonical-json.js'
import { olpcJson } from '../../../src/encoding/olpc-json.js'
import { parseMetadata, readMetadata } from '../../../src/entries/tuf/metadata.js'
import { readRoot } from '../../../src/entries/tuf/root.js'
import { verifyMetadata } from '../../../src/entries/tuf/verify-metadata.js'
import { refusalText } from '../../helpers/refusals.js'
import {
  newTufKey,
  rootMembers,
  signedBy,
  signTuf,
  TUF_EXPIRES,
  TUF_NOW_MS,
  timestampMembers,
  type TestMetadata
} from '../../helpers/tuf-entries.js'
import { rekorVector } from '../../helpers/vectors.js'

const [a, b, c] = [newTufKey('ed25519'), newTufKey('ecdsa'), newTufKey('rsa')]
const THRESHOLD = 'verification_failed: tuf: valid signatures did not meet threshold'
type Members = { readonly [member: string]: JsonValue }

/** A root with three keys of which `threshold` must sign timestamps. */
const rootOf = (threshold: number, changes: Members = {}) =>
  readRoot(
    readMetadata({
      signed: rootMembers(a, {
        keys: { [a.id]: a.object, [b.id]: b.object, [c.id]: c.object },
        roles: { timestamp: { keyids: [a.id, b.id, c.id, 'nobody'], threshold } },
        ...changes
      })
    })
  )

const check = (metadata: TestMetadata, { root = rootOf(1), role = 'timestamp' } = {}) =>
  verifyMetadata(root, role, readMetadata(metadata as unknown as JsonValue), TUF_NOW_MS)

t.test('fixtures of Rekor', async (t) => {
  const [root, other] = ['1.root.json', 'other_root.json'].map((file) =>
    readRoot(parseMetadata(rekorVector(`pki/tuf/${file}`)))
  ) as [ReturnType<typeof readRoot>, ReturnType<typeof readRoot>]
  const timestamp = parseMetadata(rekorVector('pki/tuf/timestamp.json'))
  const unsigned = parseMetadata(rekorVector('pki/tuf/unsigned_root.json'))
  t.doesNotThrow(() => verifyMetadata(root, 'root', root.metadata, undefined))
  t.doesNotThrow(() => verifyMetadata(other, 'root', other.metadata, Date.parse('2099-01-01')))
  t.doesNotThrow(() => verifyMetadata(root, 'timestamp', timestamp, undefined))
  t.equal(
    await refusalText(() => verifyMetadata(root, 'root', root.metadata, Date.parse('2023-05-01'))),
    'verification_failed: expired at 2023-04-18 18:13:43 +0000 UTC'
  )
  for (const [by, metadata] of [
    [other, timestamp],
    [other, root.metadata],
    [root, unsigned],
    [readRoot(unsigned), unsigned]
  ] as const) {
    t.equal(
      await refusalText(() => verifyMetadata(by, metadata.type, metadata, undefined)),
      THRESHOLD
    )
  }
})

t.test('how many must sign', async (t) => {
  const signed = timestampMembers()
  for (const threshold of [1, 2, 3, 4, 2 ** 53 - 1]) {
    const root = rootOf(threshold)
    for (const keys of [[], [a], [a, b], [c, b, a]]) {
      const metadata = signedBy(keys, signed)
      if (keys.length >= threshold) {
        t.doesNotThrow(() => check(metadata, { root }), `${keys.length} of ${threshold}`)
      } else {
        t.equal(
          await refusalText(() => check(metadata, { root })),
          keys.length === 0 ? 'verification_failed: tuf: data has no signatures' : THRESHOLD,
          `${keys.length} of ${threshold}`
        )
      }
    }
  }
})

t.test('what does not count', async (t) => {
  const signed = timestampMembers()
  const root = rootOf(2)
  const message = Buffer.from(olpcJson(signed))
  const [ofA, ofB] = signedBy([a, b], signed).signatures as [
    { keyid: string; sig: string },
    { keyid: string; sig: string }
  ]
  const stranger = newTufKey('ed25519')
  const cases: Readonly<Record<string, TestMetadata['signatures']>> = {
    'one signature twice': [ofA, ofA],
    'two signatures of one key': [ofB, { keyid: b.id, sig: signTuf(b, message) }],
    'an empty signature': [ofA, { keyid: b.id, sig: '' }],
    'a signature over something else': [ofA, { keyid: b.id, sig: signTuf(b, Buffer.from('{}')) }],
    'the signature of another key': [ofA, { keyid: b.id, sig: ofA.sig }],
    'a stranger': [ofA, { keyid: stranger.id, sig: signTuf(stranger, message) }],
    'a stranger under the id of a key': [ofA, { keyid: b.id, sig: signTuf(stranger, message) }],
    'an id without a key': [ofA, { keyid: 'nobody', sig: ofB.sig }],
    'names that every object has': [ofA, { keyid: 'constructor', sig: ofB.sig }]
  }
  for (const [name, signatures] of Object.entries(cases)) {
    t.equal(await refusalText(() => check({ signatures, signed }, { root })), THRESHOLD, name)
  }
  t.doesNotThrow(() =>
    check({ signatures: [{ keyid: b.id, sig: '' }, ofA, ofB], signed }, { root })
  )
})

t.test('one key under several ids counts once', async (t) => {
  const keys = { x: a.object, y: a.object, z: b.object }
  const root = rootOf(2, { keys, roles: { timestamp: { keyids: ['x', 'y', 'z'], threshold: 2 } } })
  const signed = timestampMembers()
  const message = Buffer.from(olpcJson(signed))
  const twice = ['x', 'y'].map((keyid) => ({ keyid, sig: signTuf(a, message) }))
  t.equal(await refusalText(() => check({ signatures: twice, signed }, { root })), THRESHOLD)
  const signatures = [...twice, { keyid: 'z', sig: signTuf(b, message) }]
  t.doesNotThrow(() => check({ signatures, signed }, { root }), 'whatever the ids')
})

t.test('a key that the root has for another role', async (t) => {
  const root = rootOf(1, { roles: { timestamp: { keyids: [b.id], threshold: 1 } } })
  t.equal(await refusalText(() => check(signedBy([a], timestampMembers()), { root })), THRESHOLD)
})

t.test('roles', async (t) => {
  const everything = { keyids: [a.id], threshold: 1 }
  const names = ['root', 'targets', 'snapshot', 'timestamp', 'Targets', 'mirrors', '']
  const root = rootOf(1, { roles: Object.fromEntries(names.map((name) => [name, everything])) })
  const as = (role: string, type: JsonValue) =>
    check(signedBy([a], timestampMembers({ _type: type })), { root, role })
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    t.doesNotThrow(() => as(role, role), role)
    t.doesNotThrow(() => as(role, role.toUpperCase()), 'whatever the case')
  }
  t.doesNotThrow(() => as('Targets', 'Targets'), 'delegated roles sign targets')
  const wrong = 'verification_failed: tuf: meta file has wrong type'
  for (const [role, type] of [
    ['timestamp', 'snapshot'],
    ['root', 'targets'],
    ['root', ''],
    ['root', null],
    ['mirrors', 'mirrors'],
    ['', '']
  ] as const) {
    t.equal(await refusalText(() => as(role, type)), wrong, `${role} ${type}`)
  }
  for (const role of ['Timestamp', 'constructor', '__proto__']) {
    t.equal(
      await refusalText(() => as(role, role)),
      `verification_failed: tuf: unknown role "${role}"`
    )
  }
  t.equal(
    await refusalText(() => as('"'.repeat(1000), '')),
    `verification_failed: tuf: unknown role "${'\\"'.repeat(64)}"`
  )
})

t.test('versions and times', async (t) => {
  const of = (members: Members, nowMs?: number) => {
    const metadata = signedBy([a], timestampMembers(members)) as unknown as JsonValue
    verifyMetadata(rootOf(1), 'timestamp', readMetadata(metadata), nowMs)
  }
  for (const version of [0, 1, 2 ** 53 - 1, null]) t.doesNotThrow(() => of({ version }))
  t.equal(
    await refusalText(() => of({ version: -1 })),
    'verification_failed: version -1 is lower than current version 0'
  )
  const expiresMs = Date.parse(TUF_EXPIRES)
  t.doesNotThrow(() => of({}, expiresMs - 1))
  const expired = 'verification_failed: expired at 2030-01-01 00:00:00 +0000 UTC'
  for (const nowMs of [expiresMs, expiresMs + 1]) {
    t.equal(await refusalText(() => of({}, nowMs)), expired)
  }
  t.doesNotThrow(() => of({ expires: null }), 'without a clock')
  t.equal(
    await refusalText(() => of({ expires: null }, 0)),
    'verification_failed: expired at 0001-01-01 00:00:00 +0000 UTC'
  )
})
