import type { KeyObject } from 'node:crypto'
import { LogError } from '../errors.js'
import { createLocalSigner } from './local-signer.js'
import { batchLanes, type NativeAddon, nativeAddon, type NativeHandle } from './native-addon.js'
import type { SignatureAlgorithm, Signer } from './signer.js'

/** A Signer that signs many messages in one go. */
export interface BatchSigner extends Signer {
  /** Signatures in the order of the messages. @throws LogError `internal` when the key cannot be used */
  signAll(messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]>
}

/** What the addon takes in one crossing. */
const MAX_BATCH = 4096

/** Threads of the pool that work at one batch. */
const LANES = batchLanes()

/** So many are signed sooner here than another thread is woken. */
const FEW = 2

/** What the addon signs with; RSA is left to Node. */
const NATIVE_HASHES: Readonly<Partial<Record<SignatureAlgorithm, string>>> = {
  'ecdsa-sha2-256-nistp256': 'sha256',
  'ecdsa-sha2-384-nistp384': 'sha384',
  'ecdsa-sha2-512-nistp521': 'sha512'
}

/**
 * Signer over a private key in this process, as createLocalSigner, whose batches cross to libuv's pool once where the native
 * addon is there. Everywhere else each message of a batch is a task of its own.
 *
 * @param addon tests bring their own
 * @throws LogError `unsupported` as createLocalSigner; `internal` when the addon refuses a key that Node took
 */
export function createBatchSigner(
  privateKey: KeyObject,
  addon: NativeAddon | undefined = nativeAddon()
): BatchSigner {
  const signer = createLocalSigner(privateKey)
  const hashName = NATIVE_HASHES[signer.algorithm]
  if (addon === undefined || hashName === undefined) {
    return {
      ...signer,
      signAll: (messages) => Promise.all(messages.map((message) => signer.sign(message)))
    }
  }
  const handle = loadPrivateKey(addon, privateKey)
  const signHere = (message: Uint8Array) => addon.signMessage(handle, hashName, message)
  return {
    ...signer,
    async sign(message) {
      try {
        return signHere(message)
      } catch (err) {
        throw keyFailed(err)
      }
    },
    async signAll(messages) {
      try {
        if (messages.length <= FEW) return messages.map(signHere)
        if (messages.length > 0 && messages.length <= MAX_BATCH) {
          return await addon.signMessages(handle, hashName, messages, LANES)
        }
        const signatures: Uint8Array[] = []
        for (let begin = 0; begin < messages.length; begin += MAX_BATCH) {
          const batch = messages.slice(begin, begin + MAX_BATCH)
          signatures.push(...(await addon.signMessages(handle, hashName, batch, LANES)))
        }
        return signatures
      } catch (err) {
        throw keyFailed(err)
      }
    }
  }
}

function loadPrivateKey(addon: NativeAddon, privateKey: KeyObject): NativeHandle {
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  try {
    const handle = addon.loadPrivateKey(pkcs8)
    pkcs8.fill(0)
    return handle
  } catch (err) {
    pkcs8.fill(0)
    throw keyFailed(err)
  }
}

function keyFailed(err: unknown): LogError {
  return new LogError('internal', 'the private key did not sign', { cause: err })
}
