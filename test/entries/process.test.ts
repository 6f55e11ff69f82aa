import t from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { decodeUtf8 } from '../../src/encoding/text.js'
import type { ProposedEntry } from '../../src/entries/entry-type.js'
import { type ProcessOptions, verifyProposedEntry } from '../../src/entries/process.js'
import { ENTRY_KINDS, findEntryType } from '../../src/entries/registry.js'
import { DEFAULT_CLIENT_ALGORITHMS } from '../../src/keys/algorithms.js'
import { hashData } from '../../src/keys/verify.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import {
  changed,
  CHANGES,
  computedVector,
  goldenAnswers,
  pathsOf,
  rekorVector,
  rekorVectorText
} from '../helpers/vectors.js'

const SUBMIT: ProcessOptions = {
  purpose: 'submit',
  nowMs: Date.now,
  enabledKinds: ENTRY_KINDS,
  clientAlgorithms: DEFAULT_CLIENT_ALGORITHMS,
  maxAttestationBytes: 102_400
}
const LOOKUP: ProcessOptions = {
  ...SUBMIT,
  purpose: 'lookup',
  enabledKinds: [],
  clientAlgorithms: []
}

const VECTORS = [
  'dsse-multi',
  'dsse-single',
  'hashedrekord-ecdsa-p256-sha256',
  'hashedrekord-ed25519ph-sha512',
  'hashedrekord-model',
  'hashedrekord-rsa2048-sha256',
  'intoto-0.0.1',
  'intoto-0.0.2-multi',
  'intoto-0.0.2-single'
]

t.test('computed vectors', async (t) => {
  for (const name of VECTORS) {
    const vector = computedVector(name)
    const entry = await verifyProposedEntry(vector.proposedEntry, SUBMIT)
    t.equal(decodeUtf8(entry.leafValue), vector.canonicalBody, name)
    t.equal(encodeHex(entry.leafHash), vector.leafHash)
    t.same(entry.searchKeys, vector.indexKeys)
    t.equal(entry.attestation?.key, vector.attestation?.key)
    t.equal(
      entry.attestation && encodeBase64(entry.attestation.value),
      vector.attestation?.bytesBase64
    )
  }
})

t.test(
  'a committed body looks itself up, and its keys and attestation are found again',
  async (t) => {
    for (const name of VECTORS) {
      const vector = computedVector(name)
      const body = JSON.parse(vector.canonicalBody) as ProposedEntry
      const entry = await verifyProposedEntry(body, LOOKUP)
      t.equal(encodeHex(entry.leafHash), vector.leafHash, name)
      const type = findEntryType(body.kind, body.apiVersion)
      const stored = await type.storedSearchKeys(body.spec)
      t.ok(stored.length > 0)
      t.same(
        vector.indexKeys.filter((key) => stored.includes(key)),
        stored
      )
      t.equal(type.attestationKey(body.spec), vector.attestation?.key)
    }
  }
)

t.test('answers of a real Rekor about the spec', async (t) => {
  const answers = goldenAnswers().filter(
    ({ base, path, status }) => VECTORS.includes(base) && path[0] === 'spec' && status !== 422
  )
  t.equal(answers.length, 141)
  for (const { base, path, change, leafHash, body } of answers) {
    const proposed = changed(computedVector(base).proposedEntry, path, change)
    const name = `${base} ${path.join('.')} ${change}`
    if (leafHash !== undefined) {
      t.equal(encodeHex((await verifyProposedEntry(proposed, SUBMIT)).leafHash), leafHash, name)
      continue
    }
    const text = await refusalText(() => verifyProposedEntry(proposed, SUBMIT))
    const message = body?.message.replace('error processing entry: ', '')
    t.equal(text.replace(/^(invalid_request|verification_failed|unsupported): /, ''), message, name)
  }
})

t.test(
  'every member of every kind absent, null, of another type, empty: a LogError or an entry',
  async (t) => {
    let refused = 0
    for (const name of VECTORS) {
      const vector = computedVector(name)
      for (const entry of [
        vector.proposedEntry,
        JSON.parse(vector.canonicalBody) as ProposedEntry
      ]) {
        for (const path of pathsOf(entry.spec)) {
          for (const change of CHANGES) {
            const proposed = changed(entry, ['spec', ...path], change)
            for (const options of [SUBMIT, LOOKUP]) {
              const result = await unlessRefused(() => verifyProposedEntry(proposed, options))
              if (result === undefined) refused++
            }
          }
        }
      }
    }
    t.ok(refused > 500, `${refused} refused`)
  }
)

t.test('mutated JSON texts: a LogError or an entry', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const texts = [
    'dsse-single',
    'hashedrekord-rsa2048-sha256',
    'intoto-0.0.1',
    'intoto-0.0.2-single'
  ].map((name) => JSON.stringify(computedVector(name).proposedEntry))
  let read = 0
  for (let i = 0; i < 1500; i++) {
    const text = Buffer.from(mutate(Buffer.from(random.pick(texts)), random)).toString()
    const proposed = parsed(text)
    if (proposed === undefined) continue
    read++
    await unlessRefused(() => verifyProposedEntry(proposed, random.pick([SUBMIT, LOOKUP])))
  }
  t.ok(read > 0, `${read} of 1500 were JSON`)
})

function parsed(text: string): ProposedEntry | undefined {
  try {
    const { kind, apiVersion, spec } = JSON.parse(text) as Record<string, unknown>
    return { kind: String(kind), apiVersion: String(apiVersion), spec }
  } catch {
    return undefined
  }
}

const b64 = (path: string) => encodeBase64(rekorVector(path))

function hashedrekord(
  key: string,
  signature: string,
  algorithm: string,
  file: string
): ProposedEntry {
  const digest = hashData(algorithm as 'sha256', rekorVector(file))
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      signature: { content: b64(signature), publicKey: { content: b64(key) } },
      data: { hash: { algorithm, value: encodeHex(digest) } }
    }
  }
}

t.test('the allow list is asked after the signature, on submission only', async (t) => {
  const rsa512 = hashedrekord(
    'hashedrekord/rsa_public.pem',
    'hashedrekord/file2.rsa512.sig',
    'sha512',
    'hashedrekord/file2'
  )
  const notAllowed = 'unsupported: entry algorithms are not allowed'
  t.equal(await refusalText(() => verifyProposedEntry(rsa512, SUBMIT)), notAllowed)
  t.equal((await verifyProposedEntry(rsa512, LOOKUP)).leafHash.length, 32)
  const wrong = hashedrekord(
    'hashedrekord/rsa_public.pem',
    'hashedrekord/file1.rsa.sig',
    'sha512',
    'hashedrekord/file2'
  )
  t.equal(
    await refusalText(() => verifyProposedEntry(wrong, SUBMIT)),
    'verification_failed: verifying signature: crypto/rsa: verification error'
  )
  const p256 = computedVector('hashedrekord-ecdsa-p256-sha256').proposedEntry
  const only = (name: string) => ({ ...SUBMIT, clientAlgorithms: [name] })
  t.equal(await refusalText(() => verifyProposedEntry(p256, only('ed25519-ph'))), notAllowed)
  t.ok(await verifyProposedEntry(p256, only('ecdsa-sha2-256-nistp256')))
  const dsse = computedVector('dsse-single').proposedEntry
  t.ok(await verifyProposedEntry(dsse, { ...SUBMIT, clientAlgorithms: [] }), 'hashedrekord only')
})

t.test('kinds that are switched off', async (t) => {
  const { proposedEntry } = computedVector('intoto-0.0.1')
  const options = { ...SUBMIT, enabledKinds: ['dsse'] }
  t.equal(
    await refusalText(() => verifyProposedEntry(proposedEntry, options)),
    "unsupported: entry kind 'intoto' is not enabled for submission on this server"
  )
  t.ok(await verifyProposedEntry(proposedEntry, { ...options, purpose: 'lookup' }))
})

t.test('committed forms may be looked up and not submitted', async (t) => {
  for (const [name, problem] of [
    ['dsse-single', 'missing proposed content'],
    ['intoto-0.0.1', 'missing envelope content'],
    ['intoto-0.0.2-single', 'missing envelope content']
  ] as const) {
    const body = JSON.parse(computedVector(name).canonicalBody) as ProposedEntry
    t.equal(
      await refusalText(() => verifyProposedEntry(body, SUBMIT)),
      `invalid_request: entry not insertable into log: ${problem}`
    )
  }
  const body = JSON.parse(computedVector('hashedrekord-model').canonicalBody) as ProposedEntry
  t.ok(await verifyProposedEntry(body, SUBMIT), 'a committed hashedrekord is a proposal')
})

t.test('kinds and versions', async (t) => {
  const spec = computedVector('hashedrekord-model').proposedEntry.spec
  const process = (kind: string, apiVersion: string) =>
    refusalText(() => verifyProposedEntry({ kind, apiVersion, spec }, SUBMIT))
  t.match(await process('hashedrekord', '0.0.2'), /^unsupported: hashedrekord implementation for/)
  t.match(await process('apk', '0.0.1'), /^unsupported: could not unmarshal entry for kind 'apk'/)
})

t.test('what has expired may be looked up and not submitted', async (t) => {
  const { proposedEntry, leafHash } = computedVector('tuf-timestamp')
  const at = (options: ProcessOptions, time: string) =>
    verifyProposedEntry(proposedEntry, { ...options, nowMs: () => Date.parse(time) })
  const [before, after] = ['2021-12-01T00:00:00Z', '2022-01-01T00:00:00Z'] as const
  t.equal(encodeHex((await at(SUBMIT, before)).leafHash), leafHash)
  t.match(await refusalText(() => at(SUBMIT, after)), /^verification_failed: expired at 2021/)
  t.equal(encodeHex((await at(LOOKUP, after)).leafHash), leafHash)
})

t.test('attestations over the limit are not kept, the entry is taken', async (t) => {
  const { proposedEntry, leafHash } = computedVector('intoto-0.0.1')
  const entry = await verifyProposedEntry(proposedEntry, { ...SUBMIT, maxAttestationBytes: 10 })
  t.equal(encodeHex(entry.leafHash), leafHash)
  t.equal(entry.attestation, undefined)
})

t.test('a leaf that would be too large', async (t) => {
  const { proposedEntry } = computedVector('intoto-0.0.2-single')
  const large = structuredClone(proposedEntry) as unknown as {
    spec: { content: { hash: { value: string } } }
  }
  large.spec.content.hash.value = 'a'.repeat(1 << 20)
  const text = await refusalText(() =>
    verifyProposedEntry(large as unknown as ProposedEntry, SUBMIT)
  )
  t.match(text, /^too_large: canonical entry of 1049\d{3} bytes is larger than 1048576$/)
})

t.test('fixtures of proposals', async (t) => {
  for (const file of ['hashedrekord/proposed_hashedrekord.json', 'dsse/proposed_dsse.json']) {
    const proposed = JSON.parse(rekorVectorText(file)) as ProposedEntry
    t.equal((await verifyProposedEntry(proposed, SUBMIT)).leafHash.length, 32, file)
  }
  const mislabelled = JSON.parse(
    rekorVectorText('dsse/proposed_intoto_mislabelled.json')
  ) as ProposedEntry
  t.equal(
    await refusalText(() => verifyProposedEntry(mislabelled, SUBMIT)),
    'invalid_request: validation failure list:\n' +
      'content.content.envelope.content.envelope.payloadType in body is required'
  )
})

t.test('a committed entry with a Fulcio certificate', async (t) => {
  const body = JSON.parse(
    rekorVectorText('inline/committed_hashedrekord_body.json')
  ) as ProposedEntry
  const entry = await verifyProposedEntry(body, SUBMIT)
  t.equal(
    decodeUtf8(entry.leafValue),
    rekorVectorText('inline/committed_hashedrekord_body.json').trim()
  )
  t.match(entry, { clientAlgorithm: 'ecdsa-sha2-256-nistp256' })
  t.equal(entry.searchKeys.length, 3, entry.searchKeys.join(' '))
})
