import { createHash } from 'node:crypto'
import t from 'tap'
import type { JsonValue } from '../../../src/encoding/canonical-json.js'
import { parseTuf } from '../../../src/entries/tuf/parse.js'
import { verifyTuf } from '../../../src/entries/tuf/verify.js'
import { findFile } from '../../../src/tuf/serve-file.js'
import { refusalText } from '../../helpers/refusals.js'
import { newRepository, NOW } from '../../helpers/tuf.js'
import {
  newTufKey,
  rootMembers,
  signedBy,
  timestampMembers,
  TUF_EXPIRES,
  TUF_NOW_MS,
  type TestMetadata
} from '../../helpers/tuf-entries.js'
import { computedVector, rekorVector, rekorVectorText } from '../../helpers/vectors.js'

const leafHash = (leafValue: Uint8Array) =>
  createHash('sha256').update(Uint8Array.of(0)).update(leafValue).digest('hex')
const at = (nowMs: number) => ({ nowMs: () => nowMs })
const submit = (metadata: unknown, root: unknown, options = at(TUF_NOW_MS)) =>
  verifyTuf(parseTuf({ metadata: { content: metadata }, root: { content: root } }), options)

const vector = computedVector('tuf-timestamp')
const BEFORE_VECTOR_EXPIRED = Date.parse('2021-12-18T13:28:12-06:00')

t.test('the computed vector', async (t) => {
  const { spec: committed } = JSON.parse(vector.canonicalBody) as { spec: unknown }
  const base64 = (file: string) => Buffer.from(rekorVector(file)).toString('base64')
  for (const spec of [
    vector.proposedEntry.spec,
    committed,
    {
      metadata: { content: base64('tuf/test_timestamp.json') },
      root: { content: base64('tuf/test_root.json') }
    }
  ]) {
    const verified = await verifyTuf(parseTuf(spec), at(BEFORE_VECTOR_EXPIRED))
    t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)
    t.equal(leafHash(verified.leafValue), vector.leafHash)
    t.same(verified.searchKeys, vector.indexKeys)
    t.same(await verifyTuf(parseTuf(spec), {}), verified, 'nothing expires without a clock')
  }
  t.equal(
    await refusalText(() =>
      verifyTuf(parseTuf(vector.proposedEntry.spec), at(BEFORE_VECTOR_EXPIRED + 1000))
    ),
    'verification_failed: expired at 2021-12-18 19:28:12 +0000 UTC'
  )
})

t.test('metadata of a repository of ours', async (t) => {
  const { repository } = await newRepository()
  const file = (path: string) => {
    const bytes = findFile(repository, path)?.bytes
    if (bytes === undefined) throw new Error(`${path} is not there`)
    return Buffer.from(bytes).toString('base64')
  }
  const root = file('1.root.json')
  for (const [path, role] of [
    ['timestamp.json', 'timestamp'],
    ['1.snapshot.json', 'snapshot'],
    ['1.targets.json', 'targets'],
    ['1.root.json', 'root']
  ] as const) {
    const { searchKeys } = await submit(file(path), root, at(NOW * 1000))
    t.same(searchKeys.slice(1, 3), [role, '1'])
  }
})

const key = newTufKey('ecdsa')
const ROOT = signedBy([key], rootMembers(key))
const TIMESTAMP = signedBy([key], timestampMembers())

t.test('what must not have expired', async (t) => {
  const expired = (expires: string) => ({ expires })
  const early = '2029-12-31T23:59:59Z'
  const refused = 'verification_failed: expired at 2029-12-31 23:59:59 +0000 UTC'
  t.ok(await submit(TIMESTAMP, ROOT))
  const oldRoot = signedBy([key], rootMembers(key, expired(early)))
  const old = signedBy([key], timestampMembers(expired(early)))
  t.equal(await refusalText(() => submit(TIMESTAMP, oldRoot)), refused, 'the root')
  t.equal(await refusalText(() => submit(old, ROOT)), refused, 'the metadata')
  t.ok(await submit(old, oldRoot, at(TUF_NOW_MS - 1)))
  t.match(await refusalText(() => submit(TIMESTAMP, ROOT, at(Date.parse(TUF_EXPIRES)))), /expired/)
})

t.test('what is refused, in the order of Rekor', async (t) => {
  const other = newTufKey('ecdsa')
  const withSigned = (metadata: TestMetadata, changes: { readonly [name: string]: JsonValue }) => ({
    ...metadata,
    signed: { ...metadata.signed, ...changes }
  })
  const threshold = 'verification_failed: tuf: valid signatures did not meet threshold'
  const base64 = 'illegal base64 data at input byte 0'
  const any = JSON.parse(rekorVectorText('tuf/test_any.json')) as object
  const notSigned = 'invalid_request: tuf: signed must be an object'
  const notObject = 'invalid_request: tuf: metadata must be an object'
  const cases: Readonly<
    Record<string, readonly [metadata: unknown, root: unknown, message: string | RegExp]>
  > = {
    'metadata of another root': [signedBy([other], timestampMembers()), ROOT, threshold],
    'metadata that were changed': [withSigned(TIMESTAMP, { version: 8 }), ROOT, threshold],
    'a root that was changed': [TIMESTAMP, withSigned(ROOT, { version: 2 }), threshold],
    'a root that signed itself with a stranger': [
      TIMESTAMP,
      signedBy([other], rootMembers(key)),
      threshold
    ],
    'no signatures': [
      { ...TIMESTAMP, signatures: [] },
      ROOT,
      'verification_failed: tuf: data has no signatures'
    ],
    'null signatures': [
      { ...TIMESTAMP, signatures: null },
      ROOT,
      'verification_failed: tuf: data has no signatures'
    ],
    'null for a signature': [
      { ...TIMESTAMP, signatures: [null] },
      ROOT,
      'invalid_request: tuf: a signature must be an object'
    ],
    'null for a key': [
      TIMESTAMP,
      signedBy([key], rootMembers(key, { keys: { x: null } })),
      'invalid_request: tuf root contains nil key'
    ],
    'no role': [
      signedBy([key], timestampMembers({ _type: 'mirrors' })),
      ROOT,
      'verification_failed: tuf: unknown role "mirrors"'
    ],
    'a timestamp for a root': [
      TIMESTAMP,
      TIMESTAMP,
      'verification_failed: tuf: unknown role "root"'
    ],
    'metadata of another kind': [any, ROOT, notSigned],
    'a root of another kind': [TIMESTAMP, any, notSigned],
    'metadata are read before the root': [
      '!',
      '!',
      `invalid_request: base64 decoding TUF metadata content: ${base64}`
    ],
    'a root that is not base64': [
      TIMESTAMP,
      '!',
      `invalid_request: base64 decoding TUF root content: ${base64}`
    ],
    'an empty text': ['', ROOT, /^invalid_request: not valid JSON/],
    'a number': [0, ROOT, notObject],
    'a list': [TIMESTAMP, [], notObject],
    'base64 of null': ['bnVsbA==', ROOT, notObject]
  }
  for (const [name, [metadata, root, message]] of Object.entries(cases)) {
    t.match(await refusalText(() => submit(metadata, root)), message, name)
  }
})

t.test('a root that is logged with the key of somebody else', async (t) => {
  const victim = newTufKey('ecdsa')
  const threshold = 'verification_failed: tuf: valid signatures did not meet threshold'
  // In the leaf both ids are one, and the later key is the one that it has.
  const role = { keyids: ['\ud800'], threshold: 1 }
  const signed = rootMembers(key, {
    keys: { '\ud800': key.object, '\ud801': victim.object },
    roles: { root: role, timestamp: role }
  })
  const withId = ({ signatures, signed }: TestMetadata) => ({
    signatures: signatures.map(({ sig }) => ({ keyid: '\ud800', sig })),
    signed
  })
  const root = withId(signedBy([key], signed))
  t.equal(await refusalText(() => submit(withId(TIMESTAMP), root)), threshold)
  const base64 = Buffer.from(JSON.stringify(root)).toString('base64')
  t.equal(await refusalText(() => submit(withId(TIMESTAMP), base64)), threshold)

  const keys = { [victim.id]: victim.object }
  const Keys = { [key.id]: key.object }
  const twofold = signedBy([key], rootMembers(key, { keys, Keys }))
  t.equal(
    await refusalText(() => submit(TIMESTAMP, twofold)),
    'invalid_request: tuf: more than one member is keys'
  )
})
