import { createHash } from 'node:crypto'
import t from 'tap'
import { simpleRing, makeKey } from '../helpers/pgp.js'
import { createRekorApp } from '../helpers/rekor-app.js'
import {
  believe,
  ENTRIES,
  idOf,
  INDEX,
  messageOf,
  postEntry,
  RETRIEVE
} from '../helpers/rekor-client-check.js'
import { joinRpm, makeHeader, makeRpm, NAMES, signedBy } from '../helpers/rpm.js'
import { computedVector, rekorVector } from '../helpers/vectors.js'

// The rekor-cli of distributions knows no packages, so what it would do is done here by hand.

const VECTOR = computedVector('rpm')
const FILE = rekorVector('rpm/test.rpm')
const KEY = rekorVector('rpm/test_rpm_public_key.key')
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const proposed = (key: Uint8Array, file: Uint8Array) => ({
  apiVersion: '0.0.1',
  kind: 'rpm',
  spec: { publicKey: { content: base64(key) }, package: { content: base64(file) } }
})
const settings = { enabledKinds: ['rpm'] }

t.test('a package goes in, comes back, and is found', async (t) => {
  const { inject } = await createRekorApp(t, { settings })
  const created = await postEntry(inject, proposed(KEY, FILE))
  t.equal(created.status, 201)
  const id = idOf(created)
  t.equal(id.slice(16), VECTOR.leafHash)

  const { json } = await inject({ url: `${ENTRIES}/${id}` })
  const entry = await believe(inject, json)
  t.equal(entry.entryId, id)
  const { body } = (json as Record<string, { body: string }>)[id]!
  t.equal(Buffer.from(body, 'base64').toString(), VECTOR.canonicalBody)

  const again = await postEntry(inject, proposed(KEY, FILE))
  t.equal(again.status, 409)
  t.equal(again.headers['location'], `${ENTRIES}/${id}`)

  const search = async (query: object) =>
    (await inject({ method: 'POST', url: INDEX, body: query })).json
  const digest = createHash('sha256').update(FILE).digest('hex')
  const publicKey = { format: 'pgp', content: base64(KEY) }
  const email = 'rpm-test@rekor.dev'
  t.same(await search({ publicKey }), [id], 'by key')
  t.same(await search({ email }), [id], 'by e-mail address')
  t.same(await search({ email: 'RPM-test@rekor.dev' }), [id], 'in any case')
  t.same(await search({ hash: `sha256:${digest}` }), [id], 'by hash')
  t.same(await search({ hash: digest }), [id], 'by hash without its algorithm')
  t.same(await search({ publicKey, email, hash: digest, operator: 'and' }), [id], 'by all')
  t.same(await search({ hash: '0'.repeat(64) }), [], 'not by another')
  const other = simpleRing(makeKey('ed25519'))
  t.same(await search({ publicKey: { format: 'pgp', content: base64(other) } }), [])

  const retrieved = await inject({
    method: 'POST',
    url: RETRIEVE,
    body: { entries: [proposed(KEY, FILE)] }
  })
  t.equal(retrieved.status, 200)
  t.same(
    (retrieved.json as object[]).map((each) => Object.keys(each)),
    [[id]],
    'by proposal'
  )
})

t.test('hostile packages are refused with the status of a mistake', async (t) => {
  const { inject } = await createRekorApp(t, { settings })
  const signer = makeKey('ed25519')
  const ring = simpleRing(signer)
  const negative = joinRpm(makeHeader([]), makeHeader(NAMES, { dataBytes: -1 }))
  const huge = joinRpm(makeHeader([]), makeHeader(NAMES, { dataBytes: 2 ** 28 - 1 }))
  const cases: readonly (readonly [name: string, body: unknown, message: string])[] = [
    [
      'committed form',
      JSON.parse(VECTOR.canonicalBody),
      'error processing entry: entry not insertable into log: missing package content'
    ],
    [
      'negative size',
      proposed(ring, negative),
      'error processing entry: RPM header with -1 bytes of data'
    ],
    [
      'size far behind the end',
      proposed(ring, huge),
      'error processing entry: error reading RPM header data: unexpected EOF'
    ],
    [
      'unsigned',
      proposed(ring, makeRpm()),
      'error processing entry: no supported PGP signature found in RPM'
    ],
    [
      'cut off',
      proposed(KEY, FILE.subarray(0, -1)),
      'error processing entry: payload SHA-256 digest mismatch'
    ],
    [
      'wrong key',
      proposed(KEY, makeRpm({ signatures: signedBy(signer) })),
      `error processing entry: keyid ${Buffer.from(signer.keyId).toString('hex')} not found`
    ]
  ]
  for (const [name, body, message] of cases) {
    const answer = await postEntry(inject, body)
    t.same([answer.status, messageOf(answer)], [400, message], name)
  }
  const accepted = await postEntry(
    inject,
    proposed(ring, makeRpm({ signatures: signedBy(signer) }))
  )
  t.equal(accepted.status, 201, 'and a good one is taken')
})

t.test('where the kind is switched off', async (t) => {
  const { inject } = await createRekorApp(t, { settings: { enabledKinds: ['rekord'] } })
  const answer = await postEntry(inject, proposed(KEY, FILE))
  t.equal(answer.status, 400)
  t.match(messageOf(answer), "entry kind 'rpm' is not enabled for submission on this server")
})
