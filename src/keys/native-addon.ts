import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'

/** A key inside the addon. Belongs to the thread that loaded it. */
export type NativeHandle = { readonly nativeHandle: unique symbol }

/**
 * What `native/` exports. Everything throws TypeError for values of the wrong kind, RangeError for batches that are empty,
 * over 4096 or of unequal length, and otherwise an Error with `code` `unsupported`, `invalid_request` or `internal`.
 */
export interface NativeAddon {
  /** SubjectPublicKeyInfo in DER: ECDSA on P-224 to P-521 with an uncompressed point, Ed25519. */
  loadPublicKey(spki: Uint8Array): NativeHandle
  /** PKCS#8 in DER: ECDSA on P-256 to P-521. Keeps nothing of `pkcs8` itself. */
  loadPrivateKey(pkcs8: Uint8Array): NativeHandle
  /** @param signature exact DER; 64 bytes for Ed25519 */
  verifyDigest(publicKey: NativeHandle, digest: Uint8Array, signature: Uint8Array): boolean
  /** On libuv's pool, on at most `lanes` of its threads. Copies its arguments. @returns 1 for good and 0 for bad, in order */
  verifyDigests(
    publicKeys: readonly NativeHandle[],
    digests: readonly Uint8Array[],
    signatures: readonly Uint8Array[],
    lanes: number
  ): Promise<Uint8Array>
  /** @param hashName sha256, sha384 or sha512 @returns DER */
  signMessage(privateKey: NativeHandle, hashName: string, message: Uint8Array): Uint8Array
  signMessages(
    privateKey: NativeHandle,
    hashName: string,
    messages: readonly Uint8Array[],
    lanes: number
  ): Promise<Uint8Array[]>
  /**
   * Makes the table of a key on P-256 that will verify much (1 ms). Others get one by themselves, on libuv's pool, when they
   * were used 64 times.
   *
   * @returns whether it has one now
   */
  makeTable(publicKey: NativeHandle): boolean
  /** What the table alone says, where OpenSSL is not asked about a no. @returns undefined for a key without one */
  isGoodByTable(
    publicKey: NativeHandle,
    digest: Uint8Array,
    signature: Uint8Array
  ): boolean | undefined
  /** SHA-256 into the first 32 bytes of `output`, as all that follow. */
  sha256(message: Uint8Array, output: Uint8Array): void
  /** SHA-256(0x00 || leafValue). */
  hashLeaf(leafValue: Uint8Array, output: Uint8Array): void
  /** Root over `count` hashes side by side from number `first` on: a power of two, 256 at most. */
  hashSubtree(hashes: Uint8Array, first: number, count: number, output: Uint8Array): void
  /**
   * The first hash joined with the `count` ones behind it, one after the other.
   *
   * @param count 53 at most
   * @param lefts bit i says that sibling i is on the left
   */
  hashChain(hashes: Uint8Array, count: number, lefts: number, output: Uint8Array): void
  /** Whether this OpenSSL verifies Ed25519ph over a digest. */
  readonly hasEd25519ph: boolean
  /** Version of the OpenSSL inside Node. */
  readonly openssl: string
}

/** Most threads of the pool that the addon takes for one batch. */
const MAX_LANES = 64

/** Threads of the pool that work at one batch. @param threads what the machine runs at once */
export function batchLanes(threads = availableParallelism()): number {
  return Math.min(threads, MAX_LANES)
}

export type LoadedAddon =
  | { readonly addon: NativeAddon; readonly problem?: never }
  | { readonly addon?: never; readonly problem: string }

// Per thread, since handles belong to one: what there is, found at the first use, and whether it is to be used.
let found: LoadedAddon | undefined
let isWanted = true

/** Switches native code on or off for this thread. It is on to begin with. */
export function useNative(isUsed: boolean): void {
  isWanted = isUsed
}

/** Whether native code is switched on, there or not. */
export function isNativeWanted(): boolean {
  return isWanted
}

/** What loading the addon came to, once per thread. */
export function findAddon(): LoadedAddon {
  found ??= loadAddon()
  return found
}

/** The addon; undefined when it is not there or switched off. */
export function nativeAddon(): NativeAddon | undefined {
  return isWanted ? findAddon().addon : undefined
}

/** By addon, of which tests have several. A handle is freed with its key. */
const handles = new WeakMap<NativeAddon, WeakMap<object, NativeHandle>>()

/** Those of the addon that was asked for last, as nearly always. */
let ofLast:
  { readonly addon: NativeAddon; readonly handles: WeakMap<object, NativeHandle> } | undefined

/**
 * The handle of a public key, loaded the first time it is asked for.
 *
 * @throws Error as NativeAddon.loadPublicKey
 */
export function handleOf(
  addon: NativeAddon,
  publicKey: { readonly spki: Uint8Array }
): NativeHandle {
  if (ofLast?.addon !== addon) {
    const ofAddon = handles.get(addon) ?? new WeakMap<object, NativeHandle>()
    handles.set(addon, ofAddon)
    ofLast = { addon, handles: ofAddon }
  }
  const known = ofLast.handles.get(publicKey)
  if (known !== undefined) return known
  const handle = addon.loadPublicKey(publicKey.spki)
  ofLast.handles.set(publicKey, handle)
  return handle
}

/** The same way from src/keys as from dist/keys. */
const ADDON = '../../native/build/Release/sigstead_crypto.node'

/**
 * Loads the addon.
 *
 * @param load as `require` of this module; tests bring their own
 * @returns the addon, or in a few words why there is none
 */
export function loadAddon(
  load: (path: string) => unknown = createRequire(import.meta.url)
): LoadedAddon {
  try {
    return { addon: load(ADDON) as NativeAddon } // built with this very interface
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException // what `require` throws
    if (code === 'MODULE_NOT_FOUND') {
      return { problem: 'the native addon was not built; npm run build:native says why' }
    }
    return { problem: `the native addon does not load: ${message.split('\n')[0]}` }
  }
}
