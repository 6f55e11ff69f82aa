import { generateKeyPairSync } from 'node:crypto'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { ENTRY_TYPES } from '../../src/entries/registry.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import type { CheckedResponse } from '../helpers/inject-checked.js'
import { createRekorApp, type RekorTestApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import { ENTRIES, postEntry } from '../helpers/rekor-client-check.js'
import {
  changed,
  CHANGES,
  computedVector,
  type ComputedVector,
  pathsOf,
  rekorVector
} from '../helpers/vectors.js'

// Every kind in the registry, every place in a good proposal of it, every wrong value there: a 4xx, or an entry of that kind
// all the same. A kind that comes into the registry is tested with no change here, once it has a vector.

type Path = readonly (string | number)[]

/** The metadata of the vector of TUF have not expired yet. */
const NOW_MS = Date.UTC(2021, 11, 1)

/** Statuses of an entry that is in the log, from now on or already. */
const TAKEN: readonly number[] = [201, 409]

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')
const pem = (type: 'rsa', modulusLength: number) =>
  generateKeyPairSync(type, { modulusLength }).publicKey.export({ type: 'spki', format: 'pem' })

/** Good keys of all kinds there are: whichever a proposal has, most of them are of another. */
const KEYS: Readonly<Record<string, string>> = {
  'key Ed25519': base64(rekorVector('inline/keys/pubKeyEd25519.pem')),
  'key P-256': base64(rekorVector('inline/keys/pubKeyP256.pem')),
  'key P-384': base64(rekorVector('inline/keys/pubKeyP384.pem')),
  'key RSA 2048': base64(rekorVector('inline/keys/pubKeyRSA2048.pem')),
  'key RSA 1024': base64(pem('rsa', 1024)),
  certificate: base64(rekorVector('inline/jar_expected_certificate.pem')),
  'key PGP': base64(rekorVector('pki/pgp/valid_armored_public.pgp')),
  'key minisign': base64(rekorVector('pki/minisign/minisign.pub')),
  'key ssh': base64(rekorVector('pki/ssh/id_rsa.pub')),
  'key PKCS#7': base64(rekorVector('pki/pkcs7/sig.pkcs7.pem')),
  'key TUF': base64(rekorVector('pki/tuf/1.root.json'))
}

/** Where keys stand, in characters: a shorter text is none, and one wrong text there is enough. */
const MIN_KEY_LENGTH = 64

const VECTORS: readonly (ComputedVector & { readonly name: string })[] = readdirSync(
  new URL('../vectors/rekor/computed/', import.meta.url)
)
  .map((file) => file.replace(/\.json$/, ''))
  .sort()
  .map((name) => ({ ...computedVector(name), name }))

t.test('every kind in the registry has a vector', async (t) => {
  const has = (kind: string, version: string) =>
    VECTORS.some((vector) => vector.kind === kind && vector.apiVersion === version)
  t.same(
    ENTRY_TYPES.filter(({ kind, version }) => !has(kind, version)).map(
      ({ kind, version }) => `${kind} ${version}: no file in test/vectors/rekor/computed`
    ),
    []
  )
})

for (const { kind, version } of ENTRY_TYPES) {
  t.test(`${kind} ${version}`, async (t) => {
    const rekor = await createRekorApp(t, {
      verifier: createInProcessVerifier(TEST_SETTINGS, undefined, () => NOW_MS)
    })
    const vectors = VECTORS.filter((one) => one.kind === kind && one.apiVersion === version)
    for (const vector of vectors) {
      const { proposedEntry, leafHash, name } = vector
      const first = await postEntry(rekor.inject, proposedEntry)
      t.equal(first.status, 201, `${name} itself is taken`)
      t.equal(leafHashOf(first), leafHash, name)

      const paths = [[], ...pathsOf(proposedEntry.spec)]
      t.ok(paths.length > 0, `${name}: ${paths.length} places`)
      const wrong: string[] = []
      let refused = 0
      for (const path of paths.map((path) => ['spec', ...path])) {
        for (const [change, body] of changes(proposedEntry, path)) {
          const answer = await postEntry(rekor.inject, body)
          if (!TAKEN.includes(answer.status)) refused++
          const problem = await problemWith(rekor, answer, vector)
          if (problem !== undefined) wrong.push(`${path.join('.')}: ${change}: ${problem}`)
        }
      }
      t.same(wrong, [], `${name}: nothing but refusals and entries of its kind`)
      // Some member of any spec is needed, and there are as many wrong values for it.
      t.ok(refused >= CHANGES.length, `${name}: ${refused} refused`)
    }
  })
}

/** A proposal with each wrong value at one place, and what to call it. */
function* changes(proposed: unknown, path: Path): Generator<readonly [string, unknown]> {
  for (const change of CHANGES) yield [change, changed(proposed, path, change)]
  const value = path.reduce((inside, step) => (inside as Members)[step], proposed)
  const isText = typeof value === 'string' && value.length >= MIN_KEY_LENGTH
  for (const [name, key] of Object.entries(KEYS).slice(0, isText ? undefined : 1)) {
    yield [name, withText(proposed, path, key)]
  }
}

type Members = Record<string | number, unknown>

function withText(proposed: unknown, path: Path, text: string): unknown {
  const copy = changed(proposed, path, 'null')
  const parent = path.slice(0, -1).reduce((inside, step) => (inside as Members)[step], copy)
  ;(parent as Members)[path.at(-1) as string] = text
  return copy
}

/** What is wrong with the answer to a changed proposal; undefined when nothing is. */
async function problemWith(
  { inject }: RekorTestApp,
  answer: CheckedResponse,
  { kind, apiVersion, canonicalBody }: ComputedVector
): Promise<string | undefined> {
  const { status, text } = answer
  if (status >= 500 || status < 200) return `${status} ${text.slice(0, 200)}`
  if (!TAKEN.includes(status)) {
    const { code, message } = answer.json as { code?: unknown; message?: unknown }
    const isRefusal = status >= 400 && typeof code === 'number' && typeof message === 'string'
    return isRefusal ? undefined : `${status} ${text.slice(0, 200)}`
  }
  const there = await inject({ url: `${ENTRIES}/${entryIdOf(answer)}` })
  const [entry] = Object.values(there.json as Record<string, { readonly body: string }>)
  const body = Buffer.from(entry?.body ?? '', 'base64').toString()
  const leaf = JSON.parse(body) as { readonly kind: unknown; readonly apiVersion: unknown }
  if (leaf.kind !== kind || leaf.apiVersion !== apiVersion) {
    return `${status} an entry of ${String(leaf.kind)} ${String(leaf.apiVersion)}`
  }
  const differs = shapeOf(leaf) !== shapeOf(JSON.parse(canonicalBody))
  return differs ? `${status} another leaf: ${body.slice(0, 200)}` : undefined
}

/** Members and types of a value; of arrays what is in them, not how often: one signature of two is a proposal, too. */
function shapeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].join()}]`
  const members = Object.entries(value).map(([name, member]) => `${name}:${shapeOf(member)}`)
  return `{${members.join()}}`
}

function entryIdOf({ status, json, headers }: CheckedResponse): string {
  const id =
    status === 201 ? Object.keys(json as object)[0] : String(headers.location).split('/').at(-1)
  return id ?? ''
}

function leafHashOf(answer: CheckedResponse): string {
  return entryIdOf(answer).slice(16)
}
