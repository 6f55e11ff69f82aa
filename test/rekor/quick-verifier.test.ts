import t from 'tap'
import type { EntryVerifier } from '../../src/rekor/entry-verifier.js'
import { createQuickVerifier } from '../../src/rekor/quick-verifier.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createCheckQueue } from '../../src/keys/check-queue.js'
import { nativeProblem } from '../../src/keys/native-crypto.js'
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
    [withKey(base64('-----BEGIN CERTIFICATE-----\n')), 100, 'thorough'],
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
