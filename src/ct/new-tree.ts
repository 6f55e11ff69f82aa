import type { Signer } from '../keys/signer.js'
import { randomTreeId } from '../log/tree-id.js'
import type { Database, NewTree, TreeRecord } from '../store/log-store.js'
import { formatCtOrigin } from './signing.js'

export interface NewCtTreeOptions {
  /** First part of the origin. */
  readonly hostname: string
  /** A key of its own: a log is its key (RFC 6962 section 3.2). */
  readonly signer: Signer
  /** File name of the private key in the key folder. */
  readonly keyName: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Unpredictable bytes. */
  readonly randomBytes: (length: number) => Uint8Array
}

/** The next certificate log, to be created. */
export function planCtTree(options: NewCtTreeOptions): NewTree {
  const { hostname, signer, keyName, now, randomBytes } = options
  return {
    treeId: randomTreeId(randomBytes),
    log: 'ct',
    origin: formatCtOrigin(hostname, signer.publicKey),
    publicKey: signer.publicKey,
    keyName,
    createdTimeSeconds: Math.floor(now() / 1000)
  }
}

/**
 * Opens the next certificate log, freezing the active one if there is one. It begins empty.
 *
 * @throws LogError `conflict` when the active one is not fully published
 */
export function createCtTree(
  options: NewCtTreeOptions & { readonly database: Pick<Database, 'createTree'> }
): Promise<TreeRecord> {
  return options.database.createTree(planCtTree(options))
}
