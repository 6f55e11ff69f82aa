import t from 'tap'
import type { TufSigners } from '../../src/tuf/contract.js'
import { createRepository } from '../../src/tuf/create-repository.js'
import { encodeRepository, readRepository } from '../../src/tuf/read-repository.js'
import { readRoot } from '../../src/tuf/roles.js'
import { generateSigningKey, createLocalSigner } from '../../src/keys/local-signer.js'
import { refusalText } from '../helpers/refusals.js'
import {
  FILES,
  LIFETIMES,
  newClient,
  newRepository,
  newSigners,
  NOW,
  rolesOf,
  startMirror,
  textTarget
} from '../helpers/tuf.js'

t.test('a client of tuf-js reads a new repository', async (t) => {
  const { repository } = await newRepository()
  const mirror = await startMirror(repository)
  t.teardown(() => mirror.close())
  const client = newClient(t.testdir(), mirror, repository.roots[0] ?? '')
  t.same(await client.fetch('trusted_root.json', 'rekor.pub'), [
    '{"mediaType":"x"}\n',
    '-----BEGIN PUBLIC KEY-----\n'
  ])
  t.same(
    mirror.requests.filter((path) => !path.startsWith('targets/')),
    ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']
  )
})

t.test('it reads back as it was', async (t) => {
  const { repository, signers } = await newRepository()
  const bytes = encodeRepository(repository)
  t.same(readRepository(bytes), repository)
  t.same(readRoot(repository.roots[0] ?? '').roles, rolesOf(signers, { root: 2 }))
})

t.test('refused', async (t) => {
  const [a, b] = await newSigners(2)
  if (a === undefined || b === undefined) throw new Error('two signers')
  const p384 = createLocalSigner(await generateSigningKey('ecdsa-sha2-384-nistp384'))
  const signers: TufSigners = { root: [a, b], targets: [a], snapshot: [a], timestamp: [a] }
  const roles = rolesOf(signers)
  const good = { roles, signers, targets: FILES, lifetimes: LIFETIMES, nowSeconds: NOW }
  await t.resolves(createRepository(good))
  const root = (publicKeys: Uint8Array[], threshold: number): typeof good => ({
    ...good,
    roles: { ...roles, root: { publicKeys, threshold } }
  })
  const named = (name: string): typeof good => ({ ...good, targets: [textTarget(name, 'x')] })
  const custom = (value: Record<string, unknown>): typeof good => ({
    ...good,
    targets: [textTarget('a', 'x', value)]
  })
  const many = [...(await newSigners(200)), a].map(({ publicKey }) => publicKey)
  const circle: Record<string, unknown> = {}
  circle.circle = circle
  const cases: readonly (readonly [string, typeof good, RegExp])[] = [
    ['threshold 0', root([a.publicKey], 0), /^invalid_request: threshold of role root must be 1/],
    ['half', root([a.publicKey], 0.5), /^invalid_request: threshold of role root must be 1/],
    ['NaN', root([a.publicKey], NaN), /^invalid_request: threshold of role root must be 1/],
    ['out of reach', root([a.publicKey], 2), /^invalid_request: threshold of role root is 2/],
    ['no keys', root([], 1), /^invalid_request: threshold of role root is 1, and it has 0/],
    ['twice', root([a.publicKey, a.publicKey], 1), /^invalid_request: .* the same key twice/],
    ['P-384', root([p384.publicKey], 1), /^unsupported: .* P-256/],
    ['no key', root([new Uint8Array(3)], 1), /^invalid_request: x509/],
    [
      'signer of another key',
      root([(await newSigners(1))[0]?.publicKey ?? new Uint8Array()], 1),
      /^conflict: root metadata needs 1/
    ],
    [
      'too few',
      { ...root([a.publicKey, b.publicKey], 2), signers: { ...signers, root: [a, a] } },
      /^conflict: root metadata needs 2 signatures, and only 1/
    ],
    [
      'no timestamp signer',
      { ...good, signers: { ...signers, timestamp: [] } },
      /^conflict: timestamp/
    ],
    [
      'no snapshot signer',
      { ...good, signers: { ...signers, snapshot: [b] } },
      /^conflict: snapshot/
    ],
    [
      'no targets signer',
      { ...good, signers: { ...signers, targets: [p384] } },
      /^conflict: targets/
    ],
    ['parent folder', named('../a'), /^invalid_request: not a name/],
    ['points', named('..'), /^invalid_request: not a name/],
    ['folder', named('a/b'), /^invalid_request: not a name/],
    ['backslash', named('a\\b'), /^invalid_request: not a name/],
    ['empty', named(''), /^invalid_request: not a name/],
    ['hidden', named('.a'), /^invalid_request: not a name/],
    ['escaped', named('%2e%2e'), /^invalid_request: not a name/],
    ['line', named('a\n'), /^invalid_request: not a name/],
    ['prototype', named('__proto__'), /^invalid_request: not a name/],
    ['long', named('a'.repeat(129)), /^invalid_request: not a name/],
    ['hash in front', named(`${'0'.repeat(64)}.a`), /^invalid_request: not a name/],
    ['name twice', { ...good, targets: [...FILES, ...FILES] }, /^invalid_request: two TUF targets/],
    ['fraction', custom({ a: 0.5 }), /^invalid_request: custom of a is not canonical JSON/],
    ['circle', custom(circle), /^invalid_request: custom of a is not canonical JSON/],
    ['undefined', custom({ a: undefined }), /^invalid_request: custom of a is not canonical JSON/],
    ['date', custom({ a: new Date(0) }), /^invalid_request: custom of a is not JSON/],
    [
      'surrogate',
      custom({ a: '\ud800' }),
      /^invalid_request: metadata has text that is not Unicode/
    ],
    [
      'too large',
      custom({ a: 'x'.repeat(5_000_000) }),
      /^too_large: targets metadata of .* clients read 5000000/
    ],
    [
      'list',
      custom([] as unknown as Record<string, unknown>),
      /^invalid_request: custom of a is not JSON/
    ],
    [
      'no lifetime',
      { ...good, lifetimes: { ...LIFETIMES, snapshot: { seconds: 0 } } },
      /^invalid_request: snapshot metadata must live/
    ],
    ['201 keys', root(many, 1), /^too_large: more than 200 keys/],
    ['fraction of a second', { ...good, nowSeconds: 0.5 }, /^invalid_request: no time/],
    ['year 10000', { ...good, nowSeconds: 253_402_300_799 }, /^invalid_request: no time/]
  ]
  for (const [name, options, expected] of cases) {
    t.match(await refusalText(() => createRepository(options)), expected, name)
  }
})

t.test('names of members of every object are names like others', async (t) => {
  const { repository } = await newRepository([textTarget('constructor', 'a'), textTarget('1', 'b')])
  t.same(readRepository(encodeRepository(repository)), repository)
})
