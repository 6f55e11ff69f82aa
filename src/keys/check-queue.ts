import { nativeCrypto } from './native-crypto.js'
import { hashData, type SignedDigest, verifyData, verifyDigest, verifyDigests } from './verify.js'

/** Checks signatures one by one for its callers, and many at a time underneath. */
export interface CheckQueue {
  /** A signature over a digest. @throws LogError as verifyDigest */
  digest(signed: SignedDigest): Promise<void>
  /** A signature over the data itself; Ed25519 is pure. @throws LogError as verifyData */
  data(signed: Omit<SignedDigest, 'digest'> & { readonly data: Uint8Array }): Promise<void>
}

/** What checks a signature over data for those who do not care where: `CheckQueue.data`, or checkDataHere. */
export type CheckData = CheckQueue['data']

/** On this thread, before it returns. @throws LogError as verifyData */
export const checkDataHere: CheckData = ({ key, hashName, data, signature }) =>
  verifyData(key, hashName, data, signature)

interface Waiter extends SignedDigest {
  readonly resolve: () => void
  readonly reject: (err: unknown) => void
}

/** What is checked in one go at most: long enough to be worth a crossing, short enough that others get their turn. */
const MAX_BATCH = 256

/**
 * What comes while a batch is being checked is the next batch; an idle queue checks at once. Batches run on libuv's pool, so
 * that this thread goes on with other things. Without native verification everything is done one by one.
 */
export function createCheckQueue(): CheckQueue {
  let waiting: Waiter[] = []
  let isBusy = false

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_BATCH)
      try {
        const refusals = await verifyDigests(batch)
        batch.forEach(({ resolve, reject }, i) => {
          const refusal = refusals[i]
          if (refusal === undefined) resolve()
          else reject(refusal)
        })
      } catch (err) {
        for (const { reject } of batch) reject(err)
      }
    }
    isBusy = false
  }

  function enqueue({ key, hashName, digest, signature }: SignedDigest): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push({ key, hashName, digest, signature, resolve, reject })
      if (isBusy) return
      isBusy = true
      // After this turn of the event loop, so that what came together is checked together.
      setImmediate(() => void run())
    })
  }

  return {
    digest(signed) {
      const { key, hashName, digest, signature } = signed
      return nativeCrypto()?.verifies(key) === true
        ? enqueue(signed)
        : verifyDigest(key, hashName, digest, signature)
    },
    data({ key, hashName, data, signature }) {
      return key.type === 'ecdsa' && nativeCrypto()?.verifies(key) === true
        ? enqueue({ key, hashName, digest: hashData(hashName, data), signature })
        : verifyData(key, hashName, data, signature)
    }
  }
}
