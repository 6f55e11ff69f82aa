import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { encodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import type { EntryVerifier } from '../../src/rekor/entry-verifier.js'
import { createQuickVerifier } from '../../src/rekor/quick-verifier.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createCheckQueue } from '../../src/keys/check-queue.js'
import { nativeProblem } from '../../src/keys/native-crypto.js'
import { certificate } from '../helpers/certificates.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText } from '../helpers/refusals.js'
import { TEST_SETTINGS } from '../helpers/rekor-app.js'
import { computedVector } from '../helpers/vectors.js'

function named(name: string, asked: string[]): EntryVerifier {
  const leaf = { leafHash: new Uint8Array(32), leafValue: new Uint8Array(0), searchKeys: [] }
  return {
    async verifyEntry() {
      asked.push(name)
      return leaf
    },
    async keyHash() {
      asked.push(`${name} key`)
      return ''
    }
  }
}

t.test('who checks what', async (t) => {
  const asked: string[] = []
  const verifier = createQuickVerifier(named('quick', asked), named('thorough', asked))
  const { proposedEntry } = computedVector('hashedrekord-model')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const withKey = (content: unknown) => ({
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: { signature: { publicKey: { content } } }
  })
  const key = base64('-----BEGIN PUBLIC KEY-----\n')
  for (const [proposed, bytes, want] of [
    [proposedEntry, 1000, 'quick'],
    [proposedEntry, 16 * 1024, 'quick'],
    [proposedEntry, 16 * 1024 + 1, 'thorough'],
    [withKey(key), 100, 'quick'],
    [withKey(base64('-----BEGIN CERTIFICATE-----\n')), 100, 'quick'],
    [withKey(base64('-----BEGIN CERTIFICATE-----\n'.repeat(2))), 100, 'thorough'],
    [withKey(base64(`-----BEGIN CERTIFICATE-----\n${'a'.repeat(9000)}`)), 16 * 1024, 'quick'],
    [withKey(base64('-----BEGIN CERTIFICATE-----\n')), 16 * 1024 + 1, 'thorough'],
    [withKey(base64(' -----BEGIN CERTIFICATE-----\n')), 100, 'thorough'],
    [withKey(base64('-----BEGIN CERTIFICAT\n-----BEGIN CERTIFICATE-----\n')), 100, 'thorough'],
    [withKey(base64(' -----BEGIN PUBLIC KEY-----\n')), 100, 'thorough'],
    [withKey(7), 100, 'thorough'],
    [withKey(undefined), 100, 'thorough'],
    [{ ...withKey(key), kind: 'dsse' }, 100, 'thorough'],
    [{ ...withKey(key), spec: null }, 100, 'thorough'],
    [{ ...withKey(key), spec: { signature: [] } }, 100, 'thorough'],
    [{ ...withKey(key), spec: { signature: { publicKey: key } } }, 100, 'thorough']
  ] as const) {
    asked.length = 0
    await verifier.verifyEntry(proposed, 'submit', bytes)
    t.same(asked, [want], JSON.stringify(proposed).slice(0, 80))
  }
  asked.length = 0
  await verifier.keyHash('x509', new Uint8Array(0))
  t.same(asked, ['thorough key'])
})

t.test('no kind that may take long is checked here, however small it comes', async (t) => {
  const asked: string[] = []
  const verifier = createQuickVerifier(named('quick', asked), named('thorough', asked))
  const checkedBy: Record<string, string> = {}
  for (const file of readdirSync(new URL('../vectors/rekor/computed/', import.meta.url))) {
    const { proposedEntry } = computedVector(file.replace('.json', ''))
    const [a, b] = await Promise.all(
      (['submit', 'lookup'] as const).map(async (purpose) => {
        await verifier.verifyEntry(proposedEntry, purpose, 1)
        return asked.pop()
      })
    )
    t.equal(a, b, file)
    checkedBy[proposedEntry.kind] = a ?? ''
  }
  t.strictSame(checkedBy, {
    alpine: 'thorough',
    cose: 'thorough',
    dsse: 'thorough',
    hashedrekord: 'quick',
    helm: 'thorough',
    intoto: 'thorough',
    jar: 'thorough',
    rekord: 'thorough',
    rfc3161: 'thorough',
    rpm: 'thorough',
    tuf: 'thorough'
  })
  // With the members by which a quick entry is known.
  const { spec } = computedVector('hashedrekord-model').proposedEntry
  for (const kind of Object.keys(checkedBy).filter((kind) => kind !== 'hashedrekord')) {
    await verifier.verifyEntry({ kind, apiVersion: '0.0.1', spec }, 'submit', 1)
    t.equal(asked.pop(), 'thorough', kind)
  }
})

t.test('with the queue as without it', async (t) => {
  t.equal(nativeProblem(), undefined, 'the addon was built')
  const alone = createInProcessVerifier(TEST_SETTINGS)
  const queued = createInProcessVerifier(TEST_SETTINGS, createCheckQueue())
  const { proposedEntry } = computedVector('hashedrekord-model')
  t.same(
    await queued.verifyEntry(proposedEntry, 'submit', 0),
    await alone.verifyEntry(proposedEntry, 'submit', 0)
  )
  const spec = structuredClone(proposedEntry.spec) as { data: { hash: { value: string } } }
  spec.data.hash.value = spec.data.hash.value.replace(/^./, (c) => (c === '0' ? '1' : '0'))
  const wrong = { ...proposedEntry, spec }
  const refused = await refusalText(() => alone.verifyEntry(wrong, 'submit', 0))
  t.match(refused, /^verification_failed: verifying signature: /)
  t.equal(await refusalText(() => queued.verifyEntry(wrong, 'submit', 0)), refused)
})

t.test('certificates, good and damaged, with the queue as without it', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const alone = createInProcessVerifier(TEST_SETTINGS)
  const queued = createInProcessVerifier(TEST_SETTINGS, createCheckQueue())
  const data = random.bytes(32)
  const digest = createHash('sha256').update(data).digest('hex')
  const cases = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 })
  ].map(({ publicKey, privateKey }) => ({
    der: certificate({ key: publicKey }),
    signature: sign('sha256', data, privateKey)
  }))
  const outcomes = new Map<string, number>()
  for (let i = 0; i < 900; i++) {
    const { der, signature } = random.pick(cases)
    const change = i % 3
    const bytes = change === 1 ? mutate(der, random) : der
    const pem = encodeUtf8(encodePem('CERTIFICATE', bytes))
    const proposed = {
      kind: 'hashedrekord',
      apiVersion: '0.0.1',
      spec: {
        signature: {
          content: encodeBase64(change === 2 ? mutate(signature, random) : signature),
          publicKey: { content: encodeBase64(i % 7 === 0 ? mutate(pem, random) : pem) }
        },
        data: { hash: { algorithm: 'sha256', value: digest } }
      }
    }
    const [got, wanted] = await Promise.all(
      [queued, alone].map((verifier) =>
        outcomeOf(() => verifier.verifyEntry(proposed, 'submit', 0))
      )
    )
    if (got !== wanted) t.equal(got, wanted, JSON.stringify(proposed))
    const kind = wanted?.startsWith('{') === true ? 'good' : (wanted?.split(':')[0] ?? '')
    outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1)
  }
  for (const kind of ['good', 'invalid_request', 'verification_failed']) {
    t.ok((outcomes.get(kind) ?? 0) > 10, `${outcomes.get(kind) ?? 0} ${kind}`)
  }
})

/** What is verified as text, or its refusal. */
async function outcomeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await action())
  } catch (err) {
    return refusalText(() => {
      throw err
    })
  }
}
