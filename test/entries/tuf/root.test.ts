import t from 'tap'
import type { JsonValue } from '../../../src/encoding/canonical-json.js'
import { parseMetadata, readMetadata } from '../../../src/entries/tuf/metadata.js'
import { MAX_KEYS, readRoot } from '../../../src/entries/tuf/root.js'
import { refusalText } from '../../helpers/refusals.js'
import { newTufKey, rootMembers } from '../../helpers/tuf-entries.js'
import { rekorVector } from '../../helpers/vectors.js'

const key = newTufKey('ed25519')
const read = (changes: { readonly [member: string]: JsonValue }) =>
  readRoot(readMetadata({ signed: rootMembers(key, changes) }))

t.test('a root', async (t) => {
  const root = readRoot(parseMetadata(rekorVector('pki/tuf/1.root.json')))
  t.equal(root.metadata.version, 5)
  t.equal(root.keys.size, 7)
  t.same([...root.roles.keys()].sort(), ['root', 'snapshot', 'targets', 'timestamp'])
  t.equal(root.roles.get('root')?.threshold, 3)
  t.equal(root.roles.get('root')?.keyIds.size, 5)
})

t.test('what else is taken', async (t) => {
  const empty = read({ keys: null, roles: null, consistent_snapshot: null })
  t.same([empty.keys.size, empty.roles.size], [0, 0])
  const { roles } = read({
    roles: {
      '': { threshold: 1 },
      __proto__: null,
      a: { KEYIDS: ['x', 'x', 'y'], Threshold: 2 ** 53 - 1, more: [] }
    }
  })
  t.same([...(roles.get('a')?.keyIds ?? [])], ['x', 'y'])
  t.equal(roles.get('a')?.threshold, 2 ** 53 - 1, 'never met')
  t.equal(roles.get('')?.keyIds.size, 0)
})

t.test('what is refused', async (t) => {
  const role = (members: { readonly [member: string]: JsonValue }) => ({ roles: { root: members } })
  const keyIds = 'invalid_request: tuf: keyids must be '
  const threshold = 'invalid_request: tuf: threshold must be an integer below 2^53'
  const noThreshold = 'invalid_request: tuf: invalid role threshold'
  const cases: Readonly<
    Record<string, readonly [changes: { readonly [member: string]: JsonValue }, message: string]>
  > = {
    'a snapshot that is neither': [
      { consistent_snapshot: 1 },
      'invalid_request: tuf: consistent_snapshot must be true or false'
    ],
    'a list of keys': [{ keys: [] }, 'invalid_request: tuf: keys must be an object'],
    'null for a key': [{ keys: { a: null } }, 'invalid_request: tuf root contains nil key'],
    'one bad key among good ones': [
      { keys: { [key.id]: key.object, b: { keytype: 'x' } } },
      'unsupported: invalid key'
    ],
    'too many keys': [
      { keys: Object.fromEntries(Array.from({ length: MAX_KEYS + 1 }, (_, i) => [`k${i}`, null])) },
      'invalid_request: tuf root contains more than 1024 keys'
    ],
    'a list of roles': [{ roles: [] }, 'invalid_request: tuf: roles must be an object'],
    'null for a role': [{ roles: { a: null } }, 'invalid_request: tuf root contains nil role'],
    'a text for a role': [{ roles: { a: 'x' } }, 'invalid_request: tuf: a role must be an object'],
    'key ids that are no list': [role({ keyids: {}, threshold: 1 }), `${keyIds}a list`],
    'a number for a key id': [role({ keyids: ['a', 1], threshold: 1 }), `${keyIds}strings`],
    'null for a key id': [role({ keyids: [null], threshold: 1 }), `${keyIds}strings`],
    'too many key ids': [
      role({ keyids: Array<string>(1025).fill('a'), threshold: 1 }),
      `${keyIds}a list of at most 1024`
    ],
    'no threshold': [role({ keyids: [] }), noThreshold],
    'null for a threshold': [role({ threshold: null }), noThreshold],
    'threshold 0': [role({ threshold: 0 }), noThreshold],
    'a negative threshold': [role({ threshold: -1 }), noThreshold],
    'a threshold in words': [role({ threshold: '1' }), threshold]
  }
  for (const [name, [changes, message]] of Object.entries(cases)) {
    t.equal(await refusalText(() => read(changes)), message, name)
  }
  for (const number of [0.5, 2 ** 53]) {
    t.match(
      await refusalText(() => read(role({ threshold: number }))),
      /^invalid_request: canonical JSON holds integers/,
      `threshold ${number}`
    )
  }
})
