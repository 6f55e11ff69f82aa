import t from 'tap'
import type { JsonValue } from '../../../src/encoding/canonical-json.js'
import { tufFormat } from '../../../src/entries/tuf/format.js'
import { mutate } from '../../helpers/mutations.js'
import { utf8 } from '../../helpers/pgp.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { newTufKey, rootMembers, sha256Hex, signedBy } from '../../helpers/tuf-entries.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

t.equal(tufFormat.name, 'tuf')

t.test('a root is found by the hash that stands in the index', async (t) => {
  const { canonical, subjects } = await tufFormat.parseKey(rekorVector('tuf/test_root.json'))
  t.equal(sha256Hex(canonical), computedVector('tuf-timestamp').indexKeys.at(-1))
  t.same(subjects, [])
  const [root, reformatted] = await Promise.all(
    ['1.root.json', 'reformat.1.root.json'].map((file) =>
      tufFormat.parseKey(rekorVector(`pki/tuf/${file}`))
    )
  )
  t.same(root?.canonical, reformatted?.canonical, 'one canonical form, and it may have expired')
})

t.test('what is no root', async (t) => {
  const threshold = 'verification_failed: tuf: valid signatures did not meet threshold'
  const cases: Readonly<Record<string, string>> = {
    'pki/tuf/unsigned_root.json': threshold,
    'pki/tuf/timestamp.json': 'verification_failed: tuf: unknown role "root"',
    'pki/tuf/bogus.json': 'invalid_request: tuf: signed must be an object',
    'tuf/test_any.json': 'invalid_request: tuf: signed must be an object',
    'rekord/node/key': 'invalid_request: not valid UTF-8',
    'pki/ssh/id_rsa.pub': 'invalid_request: not valid JSON: '
  }
  for (const [file, message] of Object.entries(cases)) {
    t.match(await refusalText(() => tufFormat.parseKey(rekorVector(file))), message, file)
  }
  const key = newTufKey('ed25519')
  const role = { keyids: [key.id], threshold: 1 }
  const signedAs = (changes: { readonly [member: string]: JsonValue }) =>
    tufFormat.parseKey(utf8(JSON.stringify(signedBy([key], rootMembers(key, changes)))))
  t.ok(await signedAs({}))
  t.ok(await signedAs({ _type: 'ROOT' }))
  t.match(await refusalText(() => signedAs({ _type: 'targets' })), /wrong type$/)
  t.match(await refusalText(() => signedAs({ version: -1 })), /version -1 is lower/)
  t.match(
    await refusalText(() => signedAs({ roles: { root: { ...role, threshold: 2 } } })),
    threshold
  )
})

t.test('mutated roots', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const key = newTufKey('ed25519')
  const fixtures = [
    rekorVector('pki/tuf/other_root.json'),
    utf8(JSON.stringify(signedBy([key], rootMembers(key))))
  ]
  const originals = await Promise.all(fixtures.map((bytes) => tufFormat.parseKey(bytes)))
  const known = new Set(originals.map(({ canonical }) => signedPart(canonical)))
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 1000; i++) {
    const bytes = mutate(random.pick(fixtures), random)
    const root = await unlessRefused(() => tufFormat.parseKey(bytes))
    if (root === undefined) continue
    accepted++
    if (!known.has(signedPart(root.canonical))) failures.push(Buffer.from(bytes).toString())
  }
  t.same(failures, [], 'nobody but the keys changes what is signed')
  t.ok(accepted > 0)
})

function signedPart(canonical: Uint8Array): string {
  return JSON.stringify(
    (JSON.parse(Buffer.from(canonical).toString()) as { signed: object }).signed
  )
}
