import t, { type Test } from 'tap'
import {
  parseEntryAnswer,
  parseLogInfoAnswer,
  parseProofAnswer,
  parseSearchAnswer
} from '../../src/client/answers.js'
import type { JsonValue } from '../../src/encoding/canonical-json.js'
import { isLogError } from '../../src/errors.js'
import { fakeTree } from '../helpers/fake-rekor.js'

const tree = fakeTree('7', ['{"a":0}', '{"a":1}', '{"a":2}'])
const entry = tree.entry(1)
const id = tree.entryId(1)

type Members = Record<string, unknown>

/** The value without one member, or with another in its place. */
function replaced(value: Members, name: string, member: unknown): Members {
  if (Array.isArray(value)) return Object.assign([...(value as unknown[])], { [name]: member })
  const { [name]: _, ...others } = value
  return member === undefined ? others : { ...others, [name]: member }
}

/** The value with something else in each place, one after the other. */
function* mutations(value: unknown): Generator<[name: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) return
  const members = value as Members
  for (const name of Object.keys(members)) {
    for (const bad of [undefined, null, 'x', -1, 1.5, 2 ** 60, true, {}, [1]]) {
      yield [`${name} = ${JSON.stringify(bad)}`, replaced(members, name, bad)]
    }
    for (const [inner, changed] of mutations(members[name])) {
      yield [`${name}.${inner}`, replaced(members, name, changed)]
    }
  }
}

/** Whether it was taken; anything thrown must be ours. */
function isTaken(t: Test, name: string, parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch (err) {
    t.ok(isLogError(err, 'upstream'), `${name}: ${String(err)}`)
    t.match((err as Error).message, /^the server's answer is malformed: /)
    return false
  }
}

t.test('an entry', async (t) => {
  const parsed = parseEntryAnswer(entry as JsonValue)
  t.match(parsed, { entryId: id, logIndex: 1, attestation: undefined })
  t.equal(parsed.inclusionProof.hashes.length, 2)
  const attested = { [id]: { ...entry[id], attestation: { data: 'aGk=' } } }
  t.strictSame(parseEntryAnswer(attested).attestation, Uint8Array.of(0x68, 0x69))
  t.equal(
    parseEntryAnswer({ [id]: { ...entry[id], attestation: null } } as JsonValue).attestation,
    undefined
  )
})

t.test('an entry with anything else in any place', async (t) => {
  const taken: string[] = []
  for (const [name, changed] of mutations(entry)) {
    if (isTaken(t, name, () => parseEntryAnswer(changed as JsonValue))) taken.push(name.slice(81))
  }
  // What is well-formed and only untrue is for verifyEntry to find.
  t.strictSame(taken, ['verification.inclusionProof.checkpoint = "x"'])
})

t.test('not one entry', async (t) => {
  for (const value of [null, 'x', [], {}, { ...entry, ...tree.entry(2) }, { x: entry[id] }]) {
    t.notOk(isTaken(t, JSON.stringify(value), () => parseEntryAnswer(value as JsonValue)))
  }
})

t.test('log info', async (t) => {
  const info = { ...tree.info(), inactiveShards: [tree.info()] }
  t.equal(parseLogInfoAnswer(info as JsonValue).inactive.length, 1)
  t.strictSame(
    parseLogInfoAnswer({ ...tree.info(), inactiveShards: null } as JsonValue).inactive,
    []
  )
  t.strictSame(parseLogInfoAnswer(tree.info() as JsonValue).inactive, [])
  const taken: string[] = []
  for (const [name, changed] of mutations(info)) {
    if (isTaken(t, name, () => parseLogInfoAnswer(changed as JsonValue))) taken.push(name)
  }
  t.strictSame(taken, [
    'signedTreeHead = "x"',
    'inactiveShards = undefined',
    'inactiveShards = null',
    'inactiveShards.0.signedTreeHead = "x"'
  ])
})

t.test('proof and search', async (t) => {
  const hash = 'ab'.repeat(32)
  t.equal(parseProofAnswer({ rootHash: hash, hashes: [hash] }).hashes.length, 1)
  for (const bad of [null, {}, { rootHash: hash }, { rootHash: hash, hashes: ['ab'] }]) {
    t.notOk(isTaken(t, JSON.stringify(bad), () => parseProofAnswer(bad)))
  }
  t.strictSame(parseSearchAnswer([hash, id]), [hash, id])
  for (const bad of [null, {}, [1], ['AB'.repeat(32)], ['\u001b[2J']]) {
    t.notOk(isTaken(t, JSON.stringify(bad), () => parseSearchAnswer(bad)))
  }
})
