import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import type { ProposedEntry } from '../../src/entries/entry-type.js'
import { createCheckQueue } from '../../src/keys/check-queue.js'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' }))

function proposedEntry(i: number): ProposedEntry {
  const data = Buffer.from(`artifact ${i}`)
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      data: {
        hash: { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') }
      },
      signature: {
        content: sign('sha256', data, pair.privateKey).toString('base64'),
        publicKey: { content: pem.toString('base64') }
      }
    }
  }
}

t.test('who came first is answered first, however many come at once', async (t) => {
  const { rekor } = await createRekorApp(t, {
    verifier: createInProcessVerifier(TEST_SETTINGS, createCheckQueue()),
    limits: { maxLeaves: 64 } // several batches of the log to one of the verifier, of which there are several, too
  })
  const entries = Array.from({ length: 600 }, (_, i) => proposedEntry(i))
  const answered: number[] = []
  const logged = await Promise.all(
    entries.map(async (entry, i) => {
      const { entry: value } = await rekor.submit(entry, 1000)
      answered.push(i)
      return value.logIndex
    })
  )
  const inOrder = entries.map((_, i) => i)
  t.strictSame(
    logged,
    inOrder.map((i) => i + 1), // behind the first entry of the tree
    'in the log'
  )
  t.strictSame(answered, inOrder, 'and in the answers')
})
