import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { LogError } from '../../src/errors.js'
import { createLocalSigner } from '../../src/keys/local-signer.js'
import { createBatchSigner } from '../../src/keys/native-signer.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { createSignQueue } from '../../src/keys/sign-queue.js'
import type { Signer } from '../../src/keys/signer.js'
import { verifyData } from '../../src/keys/verify.js'
import { refusalText } from '../helpers/refusals.js'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** Signs by repeating the message; tells how long each batch was, and waits until it is let go. */
function slowSigner(): { signer: Signer; batches: number[]; letGo: () => void } {
  const batches: number[] = []
  let open: (() => void)[] = []
  const signer: Signer = {
    publicKey: new Uint8Array(0),
    algorithm: 'ecdsa-sha2-256-nistp256',
    sign: () => Promise.reject(new Error('one by one')),
    async signAll(messages) {
      batches.push(messages.length)
      await new Promise<void>((resolve) => open.push(resolve))
      if (messages.some((message) => message.length === 0)) {
        throw new LogError('internal', 'the private key did not sign')
      }
      return messages
    }
  }
  return {
    signer,
    batches,
    letGo: () => {
      for (const resolve of open) resolve()
      open = []
    }
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('every message gets its own signature', async (t) => {
  const signer = createSignQueue(createBatchSigner(privateKey))
  const key = parsePublicKey(signer.publicKey)
  const messages = Array.from({ length: 600 }, (_, i) => encodeUtf8(`text ${i}`))
  const signatures = await Promise.all(messages.map((message) => signer.sign(message)))
  await Promise.all(
    messages.map((message, i) =>
      verifyData(key, 'sha256', message, signatures[i] ?? new Uint8Array(0))
    )
  )
  t.equal(signer.algorithm, 'ecdsa-sha2-256-nistp256')
})

t.test('what comes meanwhile is the next batch, and none is too long', async (t) => {
  const { signer, batches, letGo } = slowSigner()
  const queue = createSignQueue(signer)
  const first = [1, 2, 3].map((byte) => queue.sign(Uint8Array.of(byte)))
  await nextTurn()
  const later = Array.from({ length: 300 }, (_, i) => queue.sign(Uint8Array.of(i % 256)))
  await nextTurn()
  t.strictSame(batches, [3])
  letGo()
  t.strictSame(
    await Promise.all(first),
    [1, 2, 3].map((byte) => Uint8Array.of(byte))
  )
  await nextTurn()
  letGo()
  await nextTurn()
  letGo()
  await Promise.all(later)
  t.strictSame(batches, [3, 256, 44])
  const last = queue.sign(Uint8Array.of(7))
  await nextTurn()
  letGo()
  t.strictSame(await last, Uint8Array.of(7), 'an idle one begins again')
})

t.test('a batch that fails fails its own messages', async (t) => {
  const { signer, letGo } = slowSigner()
  const queue = createSignQueue(signer)
  const bad = [Uint8Array.of(1), new Uint8Array(0)].map((message) =>
    refusalText(() => queue.sign(message))
  )
  await nextTurn()
  const good = queue.sign(Uint8Array.of(2))
  letGo()
  t.strictSame(await Promise.all(bad), Array(2).fill('internal: the private key did not sign'))
  await nextTurn()
  letGo()
  t.strictSame(await good, Uint8Array.of(2))
})

t.test('a signer without batches stays what it is', async (t) => {
  const signer = createLocalSigner(privateKey)
  t.equal(createSignQueue(signer), signer)
})
