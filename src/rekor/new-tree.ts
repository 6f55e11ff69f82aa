import type { Signer } from '../keys/signer.js'
import type { TransparencyLog } from '../log/contract.js'
import { randomTreeId } from '../log/tree-id.js'
import type { Database, NewTree, TreeRecord } from '../store/log-store.js'
import { formatOrigin } from './signing.js'
import { buildLogStatement, buildStatementEntry } from './statement.js'
import { createInProcessVerifier } from './verify-task.js'

export interface NewTreeOptions {
  /** First word of the origin. */
  readonly hostname: string
  readonly signer: Signer
  /** File name of the private key in the key folder. */
  readonly keyName: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Unpredictable bytes. */
  readonly randomBytes: (length: number) => Uint8Array
}

/** The next tree of the log, to be created. It has no leaf then: see addFirstEntry. */
export function planRekorTree(options: NewTreeOptions): NewTree {
  const { hostname, signer, keyName, now, randomBytes } = options
  const treeId = randomTreeId(randomBytes)
  return {
    treeId,
    log: 'rekor',
    origin: formatOrigin(hostname, treeId),
    publicKey: signer.publicKey,
    keyName,
    createdTimeSeconds: Math.floor(now() / 1000)
  }
}

/**
 * Opens the next tree of the log, freezing the active one if there is one.
 *
 * @throws LogError `conflict` when the active tree is not fully published
 */
export function createRekorTree(
  options: NewTreeOptions & { readonly database: Pick<Database, 'createTree'> }
): Promise<TreeRecord> {
  return options.database.createTree(planRekorTree(options))
}

/**
 * Makes sure that the tree begins with its own statement, and that this is published. Does nothing where there is a
 * leaf, so that an interrupted start is finished by the next.
 *
 * @param signerOf reads the tree's key
 */
export async function addFirstEntry(log: TransparencyLog, signerOf: () => Signer): Promise<void> {
  const { treeSize } = await log.store.treeHead()
  if (treeSize > 0) return
  const proposed = await buildStatementEntry(buildLogStatement(log.record), signerOf())
  // Our own entry: what the operator lets others submit does not matter.
  const verifier = createInProcessVerifier({
    enabledKinds: ['hashedrekord'],
    clientAlgorithms: ['ecdsa-sha2-256-nistp256'],
    maxAttestationBytes: 0
  })
  const { leafHash, leafValue, searchKeys } = await verifier.verifyEntry(proposed, 'submit', 0)
  await log.add({ leafHash, leafValue, searchKeys })
}
