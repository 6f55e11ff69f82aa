import t, { type Test } from 'tap'
import type { CheckedResponse } from '../helpers/inject-checked.js'
import { createRekorApp, type RekorTestApp } from '../helpers/rekor-app.js'
import {
  changed,
  computedVector,
  goldenAnswers,
  rekorVectorText,
  type GoldenAnswer
} from '../helpers/vectors.js'

// Answers of a real Rekor 1.5.3, see test/vectors/rekor/golden/README.md. What it answered must come from us too, word
// for word, except what the two lists below allow. A listed difference that does not show any more fails like an
// unlisted one.

const ENTRIES = '/api/v1/log/entries'

interface ErrorBody {
  readonly code: number
  readonly message: string
}

/** What we answer instead. */
interface Ours {
  readonly status: number
  readonly body: ErrorBody
}

const ours = (status: number, code: number, message: string): Ours => ({
  status,
  body: { code, message }
})

const NEVER_500 =
  "Rekor answers 500 with its decoder's words; a mistake of the client is a 4xx here"

// ---- Proposed entries ----

interface EntryDifference {
  readonly reason: string
  readonly applies: (golden: GoldenAnswer) => boolean
  readonly ours: Ours
}

const isWrongType = ({ change }: GoldenAnswer): boolean =>
  ['object', 'array', 'zero', 'nullItem'].includes(change)
const isIn = ({ path }: GoldenAnswer, member: string): boolean => path[0] === member

const ENTRY_DIFFERENCES: readonly EntryDifference[] = [
  ...['apiVersion', 'kind'].map((member) => ({
    reason: NEVER_500,
    applies: (golden: GoldenAnswer) => isIn(golden, member) && isWrongType(golden),
    ours: ours(422, 601, `${member} in body must be of type string`)
  })),
  {
    reason:
      "Rekor 1.5.3 fails over a missing object; the mistake is the client's, and later ones say so",
    applies: ({ base, path, change }) =>
      base === 'cose' && path[1] === 'data' && path.length === 2 && change !== 'object',
    ours: ours(400, 400, 'error processing entry: cose object data cannot be nil')
  }
]

t.test('proposed entries', async (t) => {
  const { inject } = await createRekorApp(t)
  const submit = (body: unknown) => inject({ method: 'POST', url: ENTRIES, body })
  const goldens = goldenAnswers()
  const bases = [...new Set(goldens.map(({ base }) => base))]

  // Rekor had these entries when the changed ones came.
  for (const base of bases) {
    const { proposedEntry, leafHash } = computedVector(base)
    const created = await submit(proposedEntry)
    t.equal(created.status, 201, base)
    t.equal(leafHashOf(created), leafHash, base)
  }

  for (const base of bases) {
    t.test(base, async (t) => {
      for (const golden of goldens.filter((line) => line.base === base)) {
        const name = `${golden.path.join('.')}: ${golden.change}`
        const proposed = changed(computedVector(base).proposedEntry, golden.path, golden.change)
        const got = await submit(proposed)
        const difference = ENTRY_DIFFERENCES.find(({ applies }) => applies(golden))
        if (difference !== undefined) {
          t.strictSame({ status: got.status, body: got.json }, difference.ours, name)
          t.notSame(golden.body, difference.ours.body, `${name} still differs`)
          continue
        }
        t.equal(got.status, golden.status, name)
        if (golden.leafHash === undefined) {
          t.strictSame(got.json, golden.body, name)
        } else {
          t.equal(leafHashOf(got), golden.leafHash, name)
        }
      }
    })
  }

  t.test('every listed difference was met', async (t) => {
    for (const { applies, reason } of ENTRY_DIFFERENCES) t.ok(goldens.some(applies), reason)
  })
})

/** Leaf hash in the answer to a submission: new, or there already. */
function leafHashOf({ status, json, headers }: CheckedResponse): string | undefined {
  if (status === 201) return Object.keys(json as object)[0]?.slice(16)
  return String(headers.location).split('/').at(-1)?.slice(16)
}

// ---- Other requests ----

interface GoldenRequest {
  readonly method: string
  readonly path: string
  readonly request?: unknown
  readonly contentType?: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly bodyKeys?: readonly string[]
  readonly bodyLength?: number
}

interface RequestDifference extends Ours {
  readonly reason: string
  readonly method: string
  readonly path: string
  readonly request?: unknown
}

const REQUEST_DIFFERENCES: readonly RequestDifference[] = [
  {
    reason: 'no tree can have ID 0: the mistake is in the request, so not a 500 (rekor-v1 §2.4)',
    method: 'GET',
    path: `${ENTRIES}/0000000000000000{uuid}`,
    ...ours(400, 400, 'validation error: 0 is not a valid TreeID')
  },
  {
    reason: 'no tree can have an ID beyond 2^63 - 1: likewise, as Rekor itself since 1.5.4',
    method: 'GET',
    path: `${ENTRIES}/ffffffffffffffff{uuid}`,
    ...ours(400, 400, 'validation error: ffffffffffffffff is not a valid TreeID')
  },
  {
    reason: NEVER_500,
    method: 'POST',
    path: ENTRIES,
    request: '{',
    ...ours(400, 400, MALFORMED())
  },
  {
    reason: NEVER_500,
    method: 'POST',
    path: ENTRIES,
    request: '"x"',
    ...ours(422, 601, 'request in body must be of type object')
  }
]

/** The words of this Node's JSON parser: what matters is that they are a parser's. */
function MALFORMED(): string {
  try {
    JSON.parse('{')
    return ''
  } catch (err) {
    return `not valid JSON: ${(err as Error).message}`
  }
}

/** The entry that stands for the one of the recording. */
const STAND_IN = 'hashedrekord-model'
const RECORDED_ID =
  '7A6A60195B8B828FF6C4812BF8EAAAF3FC5CCA2EAA0685120F5D5B43076A494F0D3740F7EC4A7CA1'
const RECORDED_SIZE = 'observable(1975)'

t.test('requests', async (t) => {
  const rekor = await createRekorApp(t)
  const ids = await fillLog(rekor)
  const goldens = rekorVectorText('golden/requests.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldenRequest)
  const met = new Set<RequestDifference>()

  for (const golden of goldens) {
    const { method, path, request = null, contentType, status } = golden
    const name = `${method} ${path} ${JSON.stringify(request)}`
    t.test(name, async (t) => {
      const here = (text: string): string => replaceRecorded(text, ids, rekor)
      const body =
        request === null
          ? {}
          : { body: typeof request === 'string' ? request : parsed(here, request) }
      const headers = contentType === undefined ? {} : { headers: { 'content-type': contentType } }
      const got = await rekor.inject({ method, url: here(path), ...body, ...headers })

      const difference = REQUEST_DIFFERENCES.find(
        (listed) =>
          listed.method === method &&
          listed.path === path &&
          JSON.stringify(listed.request ?? null) === JSON.stringify(request)
      )
      if (difference !== undefined) {
        met.add(difference)
        t.strictSame(
          { status: got.status, body: got.json },
          ours(difference.status, difference.body.code, difference.body.message)
        )
        t.notSame(golden.body, difference.body, 'still differs')
        return
      }
      t.equal(got.status, status)
      compareHeaders(t, golden, got)
      compareBody(t, golden, got, ids, here)
    })
  }

  t.test('every listed difference was met', async (t) => {
    for (const difference of REQUEST_DIFFERENCES) t.ok(met.has(difference), difference.path)
  })
})

/** Logs the entries the recorded requests count on. @returns entry IDs by log index */
async function fillLog({ inject }: RekorTestApp): Promise<readonly string[]> {
  const bases = [
    'dsse-single',
    'dsse-multi',
    'hashedrekord-ecdsa-p256-sha256',
    'hashedrekord-ed25519ph-sha512',
    STAND_IN,
    'hashedrekord-rsa2048-sha256',
    'intoto-0.0.1',
    'intoto-0.0.2-single',
    'rekord-x509',
    'rekord-ssh'
  ]
  const first = await inject({ url: `${ENTRIES}?logIndex=0` })
  const ids = Object.keys(first.json as object)
  for (const base of bases) {
    const { proposedEntry } = computedVector(base)
    const { json } = await inject({ method: 'POST', url: ENTRIES, body: proposedEntry })
    ids.push(...Object.keys(json as object))
  }
  return ids
}

const STAND_IN_INDEX = 5

function replaceRecorded(text: string, ids: readonly string[], { treeId }: RekorTestApp): string {
  const id = ids[STAND_IN_INDEX] ?? ''
  return text
    .replaceAll('{entryId}', id)
    .replaceAll('{uuid}', id.slice(16))
    .replaceAll('{treeIdHex}', id.slice(0, 16))
    .replaceAll('{treeId}', treeId)
    .replaceAll(RECORDED_ID, id.toUpperCase())
    .replaceAll(RECORDED_SIZE, `observable(${ids.length})`)
}

function parsed(here: (text: string) => string, request: unknown): unknown {
  return JSON.parse(here(JSON.stringify(request)))
}

function compareHeaders(t: Test, golden: GoldenRequest, got: CheckedResponse): void {
  for (const [name, value] of Object.entries(golden.headers)) {
    if (golden.path === '/' && name === 'content-type') {
      t.match(got.headers[name], value, 'our own page, with a charset')
    } else if (name === 'allow') {
      // Go walks a map: the recording has both orders.
      t.strictSame(sorted(got.headers[name]), sorted(value))
    } else {
      t.equal(got.headers[name], value, name)
    }
  }
}

function sorted(methods: unknown): readonly string[] {
  return String(methods).split(',').sort()
}

function compareBody(
  t: Test,
  golden: GoldenRequest,
  got: CheckedResponse,
  ids: readonly string[],
  here: (text: string) => string
): void {
  const { body, bodyKeys, bodyLength, path } = golden
  if (bodyLength !== undefined) t.equal((got.json as unknown[]).length, bodyLength)
  if (bodyKeys !== undefined)
    t.strictSame(Object.keys(got.json as object).sort(), keysHere(bodyKeys, path, ids, here))
  if (typeof body === 'object') {
    t.strictSame(sortedMethods(got.json), sortedMethods(parsed(here, body)))
  } else if (path === '/') {
    t.match(got.text, /^<!doctype html>/i)
  } else if (body !== undefined && path.includes('publicKey')) {
    // Another key: the label, and the prefix that every P-256 key has.
    t.equal(got.text.slice(0, 62), String(body).slice(0, 62))
  } else if (body !== undefined) {
    t.equal(got.text, body)
  }
}

/** Other entries stand at the recorded indexes: the one that stands there here must come. */
function keysHere(
  keys: readonly string[],
  path: string,
  ids: readonly string[],
  here: (text: string) => string
): readonly string[] {
  const asked = [...path.matchAll(/logIndex=(\d+)/g)].at(-1)?.[1]
  return asked === undefined ? keys.map(here) : [ids[Number(asked)] ?? '']
}

/** Methods in a 405 message in one order. */
function sortedMethods(json: unknown): unknown {
  const { code, message } = json as ErrorBody
  return {
    code,
    message: message.replace(/\[([A-Z,]+)\]/, (_, list: string) => String(sorted(list)))
  }
}
