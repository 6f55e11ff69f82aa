import t from 'tap'
import type { VerifyTask } from '../../src/rekor/verify-task.js'
import { createInProcessVerifier, runVerifyTask } from '../../src/rekor/verify-task.js'
import { findFile } from '../../src/tuf/serve-file.js'
import type { CheckedResponse } from '../helpers/inject-checked.js'
import { refusalText } from '../helpers/refusals.js'
import { createRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import { newRepository } from '../helpers/tuf.js'
import { sha256Hex } from '../helpers/tuf-entries.js'
import { computedVector, rekorVector } from '../helpers/vectors.js'

// rekor-cli cannot upload TUF metadata, so its part is played here.

const ENTRIES = '/api/v1/log/entries'
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())
const idOf = ({ json }: CheckedResponse) => Object.keys(json as object)[0]
const messageOf = ({ json }: CheckedResponse) => (json as { message: string }).message

/** Files of a repository made now: timestamps live for a month. */
async function freshFiles() {
  const { repository } = await newRepository()
  return (path: string): Uint8Array => {
    const bytes = findFile(repository, path)?.bytes
    if (bytes === undefined) throw new Error(`${path} is not there`)
    return bytes
  }
}

const proposal = (metadata: unknown, root: unknown) => ({
  apiVersion: '0.0.1',
  kind: 'tuf',
  spec: { metadata: { content: metadata }, root: { content: root } }
})

t.test('fresh metadata are logged, read back, and found', async (t) => {
  const { inject } = await createRekorApp(t)
  const file = await freshFiles()
  const root = file('1.root.json')
  const post = (url: string, body: unknown) => inject({ method: 'POST', url, body })

  const timestamp = proposal(json(file('timestamp.json')), json(root))
  const created = await post(ENTRIES, timestamp)
  t.equal(created.status, 201)
  const timestampId = idOf(created)
  const targets = await post(ENTRIES, proposal(base64(file('1.targets.json')), base64(root)))
  t.equal(targets.status, 201, 'in base64')
  const targetsId = idOf(targets)

  const { json: read } = await inject({ url: `${ENTRIES}/${timestampId}` })
  const [entry] = Object.values(read as Record<string, { body: string }>)
  const committed = json(Buffer.from(entry?.body ?? '', 'base64')) as {
    readonly kind: string
    readonly spec: {
      readonly metadata: { readonly content: string }
      readonly root: { readonly content: string }
      readonly spec_version: string
    }
  }
  t.equal(committed.kind, 'tuf')
  t.equal(committed.spec.spec_version, '1.0.31')
  const canonical = Buffer.from(committed.spec.metadata.content, 'base64')
  t.same(json(canonical), json(file('timestamp.json')))
  t.same(json(Buffer.from(committed.spec.root.content, 'base64')), json(root))

  t.equal((await post(ENTRIES, timestamp)).status, 409)
  t.equal((await post(ENTRIES, committed)).status, 409, 'the committed form is a proposal')

  const search = async (query: object): Promise<unknown> =>
    [...((await post('/api/v1/index/retrieve', query)).json as string[])].sort()
  const both = [timestampId, targetsId].sort()
  const key = (content: Uint8Array) => ({ publicKey: { format: 'tuf', content: base64(content) } })
  t.same(await search(key(root)), both, 'by the root')
  const spaced = Buffer.from(JSON.stringify(json(root), null, 2))
  t.same(await search(key(spaced)), both, 'by the root in other words')
  const hash = sha256Hex(canonical)
  t.same(await search({ hash: `sha256:${hash}` }), [], 'hashes of metadata have no prefix')
  t.same(await search({ subject: hash }), [timestampId], 'but may be asked for as they are')
  t.same(await search({ subject: 'TIMESTAMP' }), [timestampId], 'by role')
  t.same(await search({ subject: 'targets', ...key(root), operator: 'and' }), [targetsId])
  t.same(await search(key(rekorVector('pki/tuf/1.root.json'))), [], 'another root, long expired')

  const retrieve = async (entry: unknown) =>
    ((await post(`${ENTRIES}/retrieve`, { entries: [entry] })).json as object[]).map(
      (found) => Object.keys(found)[0]
    )
  t.same(await retrieve(timestamp), [timestampId])
  t.same(await retrieve(committed), [timestampId])
})

t.test('keys to search by that are none', async (t) => {
  const { inject } = await createRekorApp(t)
  for (const file of ['unsigned_root.json', 'bogus.json', 'timestamp.json']) {
    const answer = await inject({
      method: 'POST',
      url: '/api/v1/index/retrieve',
      body: { publicKey: { format: 'tuf', content: base64(rekorVector(`pki/tuf/${file}`)) } }
    })
    t.equal(answer.status, 400)
    t.equal(messageOf(answer), 'public key provided could not be parsed', file)
  }
  const { proposedEntry } = computedVector('rekord-pgp')
  const { spec } = proposedEntry as unknown as { spec: { signature: object } }
  const rekord = {
    ...proposedEntry,
    spec: { ...spec, signature: { ...spec.signature, format: 'tuf' } }
  }
  const refused = await inject({ method: 'POST', url: ENTRIES, body: rekord })
  t.equal(refused.status, 400)
  t.match(messageOf(refused), 'signature.format in body should be one of [pgp minisign x509 ssh]')
})

t.test('metadata that expire', async (t) => {
  const { proposedEntry, leafHash } = computedVector('tuf-timestamp')
  let nowMs = Date.parse('2021-12-18T13:28:12-06:00')
  const { inject } = await createRekorApp(t, {
    verifier: createInProcessVerifier(TEST_SETTINGS, undefined, () => nowMs)
  })
  const post = (url: string, body: unknown) => inject({ method: 'POST', url, body })
  const created = await post(ENTRIES, proposedEntry)
  t.equal(created.status, 201)
  t.equal(idOf(created)?.slice(16), leafHash)
  nowMs += 1000
  const late = await post(ENTRIES, proposedEntry)
  t.equal(late.status, 400)
  t.equal(
    messageOf(late),
    'error processing entry: expired at 2021-12-18 19:28:12 +0000 UTC',
    'too late to be logged'
  )
  const found = await post(`${ENTRIES}/retrieve`, { entries: [proposedEntry] })
  t.equal(Object.keys((found.json as object[])[0] ?? {})[0], idOf(created), 'but not to be found')
})

t.test('a worker goes by the clock it is given', async (t) => {
  const task = (purpose: 'submit' | 'lookup'): VerifyTask => ({
    type: 'entry',
    proposed: computedVector('tuf-timestamp').proposedEntry,
    purpose
  })
  const tools = { nowMs: () => Date.parse('2022-01-01') }
  t.match(
    await refusalText(() => runVerifyTask(task('submit'), TEST_SETTINGS, tools)),
    /^verification_failed: expired at 2021/
  )
  t.match(await runVerifyTask(task('lookup'), TEST_SETTINGS, tools), { type: 'entry' })
})
