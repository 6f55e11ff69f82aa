import t from 'tap'
import { parseConfig } from '../../src/config/parse.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createRekorApp, openRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import { believe, ENTRIES, idOf, INDEX, RETRIEVE } from '../helpers/rekor-client-check.js'
import { computedVector } from '../helpers/vectors.js'

// `rekor.entryTypes`: what may be submitted. What may be read does not depend on it (rekor-v1 §2.2, §2.5).

/** One entry of each kind. */
const VECTORS = [
  'alpine',
  'cose',
  'dsse-single',
  'hashedrekord-model',
  'helm',
  'intoto-0.0.1',
  'jar',
  'rekord-pgp',
  'rfc3161',
  'rpm',
  'tuf-timestamp'
].map(computedVector)

/** When the metadata of TUF that were recorded had not expired. */
const NOW_MS = Date.parse('2021-12-10T00:00:00Z')

const verifierOf = (enabledKinds: readonly string[]) =>
  createInProcessVerifier({ ...TEST_SETTINGS, enabledKinds }, undefined, () => NOW_MS)

t.test('every kind that is switched off', async (t) => {
  for (const { kind } of VECTORS) {
    const others = parseConfig({}).rekor.entryTypes.filter((name) => name !== kind)
    t.equal(others.length, VECTORS.length - 1, `${kind} is one of them`)
    const { inject } = await createRekorApp(t, { verifier: verifierOf(others) })
    const answers = new Map<string, number>()
    for (const vector of VECTORS) {
      const answer = await inject({ method: 'POST', url: ENTRIES, body: vector.proposedEntry })
      answers.set(vector.kind, answer.status)
      if (vector.kind !== kind) continue
      t.strictSame(answer.json, {
        code: 400,
        message: `error processing entry: entry kind '${kind}' is not enabled for submission on this server`
      })
    }
    t.strictSame(
      [...answers].filter(([, status]) => status !== 201),
      [[kind, 400]],
      `${kind} alone is refused`
    )
  }
})

t.test('what was logged before a kind was switched off is read, found and believed', async (t) => {
  const before = await createRekorApp(t, {
    verifier: verifierOf(VECTORS.map(({ kind }) => kind))
  })
  const ids = new Map<string, string>()
  for (const { kind, proposedEntry } of VECTORS) {
    const answer = await before.inject({ method: 'POST', url: ENTRIES, body: proposedEntry })
    ids.set(kind, idOf(answer))
  }
  await before.close()
  const { inject } = await openRekorApp(t, before.folder, [before.signer], {
    verifier: verifierOf([])
  })
  const post = (url: string, body: unknown) => inject({ method: 'POST', url, body })

  for (const { kind, proposedEntry, leafHash, indexKeys } of VECTORS) {
    const id = ids.get(kind) ?? ''
    t.equal(id.slice(16), leafHash, kind)
    t.equal((await post(ENTRIES, proposedEntry)).status, 400, `${kind}: not again`)
    const read = await inject({ url: `${ENTRIES}/${id}` })
    t.equal((await believe(inject, read.json)).entryId, id, `${kind}: read`)
    const retrieved = await post(RETRIEVE, { entries: [proposedEntry] })
    t.strictSame(
      (retrieved.json as object[]).map((entry) => Object.keys(entry)[0]),
      [id],
      `${kind}: retrieved by what was proposed`
    )
    const digest = indexKeys.find((key) => key.startsWith('sha256:')) ?? indexKeys[0]
    const found = (await post(INDEX, { hash: digest })).json as readonly string[]
    t.equal(kind === 'tuf' || found.includes(id), true, `${kind}: found`)
  }
})

t.test('names that are no kinds are refused at start', async (t) => {
  const narrowed = parseConfig({ flags: { 'rekor-entry-types': 'jar,rfc3161' } })
  t.strictSame(narrowed.rekor.entryTypes, ['jar', 'rfc3161'])
  for (const name of ['zip', 'Jar', 'jar:0.0.1', 'timestamp', 'constructor']) {
    t.throws(
      () => parseConfig({ flags: { 'rekor-entry-types': `jar,${name}` } }),
      {
        code: 'invalid_request',
        message: new RegExp(`--rekor-entry-types must be one of .*jar.* \\(got "${name}"\\)`)
      },
      name
    )
  }
})
