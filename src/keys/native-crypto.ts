import * as nodeCrypto from 'node:crypto'
import { LogError } from '../errors.js'
import { invalidEcdsaSignature, readEcdsaSignature } from './ecdsa-signature.js'
import { invalidEd25519phSignature } from './ed25519ph.js'
import {
  batchLanes,
  findAddon,
  handleOf,
  isNativeWanted,
  type LoadedAddon,
  type NativeAddon,
  type NativeHandle
} from './native-addon.js'
import { nodeVerification } from './native-node.js'
import type { EcdsaPublicKey, Ed25519PublicKey, PublicKey } from './public-key.js'
import type { HashName } from './verify.js'

export { useNative } from './native-addon.js'

/** A signature over a digest, as OpenSSL takes it. */
export interface NativeCheck {
  readonly key: EcdsaPublicKey | Ed25519PublicKey
  readonly hashName: HashName
  readonly digest: Uint8Array
  /** ECDSA in DER; 64 bytes of Ed25519ph. What is of neither form is a bad signature. */
  readonly signature: Uint8Array
}

/** A NativeCheck and what is thrown when it says no. */
export interface PreparedCheck extends NativeCheck {
  readonly refusal: () => LogError
}

/** Verification over a digest by the OpenSSL inside Node. */
export interface NativeCrypto {
  /** What does it, for operators. */
  readonly description: string
  /** Whether it does so for this key. */
  verifies(key: PublicKey): key is NativeCheck['key']
  /** At once, on this thread. @throws LogError `internal` when OpenSSL itself failed */
  isGood(check: NativeCheck): boolean
  /**
   * On libuv's pool, many in one crossing; one or two on this thread.
   *
   * @returns whether each is good, in order
   * @throws LogError `internal` when OpenSSL itself failed
   */
  areGood(checks: readonly NativeCheck[]): Promise<readonly boolean[]>
}

/** What the addon takes in one crossing. */
const MAX_BATCH = 4096

/** Threads of the pool that work at one batch. */
const LANES = batchLanes()

/** So many are checked sooner here than another thread is woken, twice as long as one of them takes. */
const FEW = 2

/**
 * Brings a signature into the form that OpenSSL takes.
 *
 * @param signature ECDSA in DER or IEEE P1363; Ed25519ph
 * @throws LogError `verification_failed` for what is no signature of any form
 */
export function prepareCheck(
  key: NativeCheck['key'],
  hashName: HashName,
  digest: Uint8Array,
  signature: Uint8Array
): PreparedCheck {
  if (key.type === 'ed25519') {
    return { key, hashName, digest, signature, refusal: invalidEd25519phSignature }
  }
  const { der, encoding } = readEcdsaSignature(signature)
  const refusal = encoding === 'ASN.1' ? invalidAsn1 : invalidP1363
  return { key, hashName, digest, signature: der, refusal }
}

const invalidAsn1 = () => invalidEcdsaSignature('ASN.1')
const invalidP1363 = () => invalidEcdsaSignature('IEEE_P1363')

interface Found {
  readonly native?: NativeCrypto | undefined
  readonly problem?: string | undefined
}

/** For this thread, since handles belong to one: found at the first use. */
let found: Found | undefined

/** The native verification of this thread; undefined when there is none or it is switched off. */
export function nativeCrypto(): NativeCrypto | undefined {
  return isNativeWanted() ? find().native : undefined
}

/** Why nativeCrypto gives nothing, in a few words; undefined when it gives something. */
export function nativeProblem(): string | undefined {
  return isNativeWanted() ? find().problem : 'native verification is switched off'
}

function find(): Found {
  found ??= findNative(findAddon(), nodeCrypto)
  return found
}

/** One line for the start of the server: what verifies signatures over digests here, and if it is the slow way, why. */
export function describeVerification(): string {
  return (
    nativeCrypto()?.description ??
    `JavaScript, about 20 times slower than native: ${nativeProblem()}`
  )
}

/** The addon if there is one, or else what Node itself has. */
export function findNative({ addon, problem }: LoadedAddon, node: object): Found {
  if (addon !== undefined) return { native: addonVerification(addon) }
  const native = nodeVerification(node)
  return native === undefined ? { problem } : { native }
}

function addonVerification(addon: NativeAddon): NativeCrypto {
  return {
    description: `native addon over OpenSSL ${addon.openssl}`,
    verifies: (key): key is NativeCheck['key'] =>
      key.type === 'ecdsa' || (key.type === 'ed25519' && addon.hasEd25519ph),
    isGood(check) {
      try {
        return addon.verifyDigest(handleOf(addon, check.key), check.digest, check.signature)
      } catch (err) {
        throw opensslFailed(err)
      }
    },
    async areGood(checks) {
      if (checks.length <= FEW) return checks.map(this.isGood)
      const verdicts: boolean[] = []
      for (let begin = 0; begin < checks.length; begin += MAX_BATCH) {
        const batch =
          begin === 0 && checks.length <= MAX_BATCH
            ? checks
            : checks.slice(begin, begin + MAX_BATCH)
        const keys: NativeHandle[] = []
        const digests: Uint8Array[] = []
        const signatures: Uint8Array[] = []
        try {
          for (const { key, digest, signature } of batch) {
            keys.push(handleOf(addon, key))
            digests.push(digest)
            signatures.push(signature)
          }
          for (const answer of await addon.verifyDigests(keys, digests, signatures, LANES)) {
            verdicts.push(answer === 1)
          }
        } catch (err) {
          throw opensslFailed(err)
        }
      }
      return verdicts
    }
  }
}

/** Not about the signature: never to be told to a client as one that is bad. */
function opensslFailed(err: unknown): LogError {
  return new LogError('internal', 'OpenSSL failed to verify a signature', { cause: err })
}
