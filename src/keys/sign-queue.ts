import type { Signer } from './signer.js'

interface Waiter {
  readonly message: Uint8Array
  readonly resolve: (signature: Uint8Array) => void
  readonly reject: (err: unknown) => void
}

/** What is signed in one go at most: long enough to be worth a crossing, short enough that others get their turn. */
const MAX_BATCH = 256

/**
 * The same signer, whose messages are signed one by one for its callers and many at a time underneath. What comes while a
 * batch is being signed is the next batch; an idle queue signs at once. A batch that fails fails its own messages.
 *
 * @returns `signer` itself where it signs one by one anyway
 */
export function createSignQueue(signer: Signer): Signer {
  const { signAll } = signer
  if (signAll === undefined) return signer
  let waiting: Waiter[] = []
  let isBusy = false

  async function run(sign: NonNullable<Signer['signAll']>): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_BATCH)
      try {
        const signatures = await sign(batch.map(({ message }) => message))
        batch.forEach(({ resolve }, i) => resolve(signatures[i] as Uint8Array)) // one for each message
      } catch (err) {
        for (const { reject } of batch) reject(err)
      }
    }
    isBusy = false
  }

  return {
    ...signer,
    sign: (message) =>
      new Promise((resolve, reject) => {
        waiting.push({ message, resolve, reject })
        if (isBusy) return
        isBusy = true
        // After this turn of the event loop, so that what came together is signed together.
        setImmediate(() => void run(signAll))
      })
  }
}
