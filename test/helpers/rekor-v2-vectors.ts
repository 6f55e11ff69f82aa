import { readFileSync } from 'node:fs'

/** What test/vectors/rekor-v2/README.md says about own.json. Hex, but for `publicKey` of the log and `signature`: base64. */
export interface OwnVectors {
  readonly log: {
    readonly name: string
    readonly seed: string
    readonly publicKey: string
    readonly logId: string
    readonly verifierKey: string
  }
  readonly requests: readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]
  readonly bodies: readonly [string, string]
  readonly leafHashes: readonly [string, string]
  /** Of the sizes 0, 1 and 2, as are the checkpoints. */
  readonly roots: readonly [string, string, string]
  readonly checkpoints: readonly [string, string, string]
  readonly frozenCheckpoint: string
  /** To the second request. */
  readonly response: Readonly<Record<string, unknown>>
  readonly ed25519ph: {
    readonly publicKey: string
    readonly message: string
    readonly digest: string
    readonly signature: string
  }
}

export function ownVectors(): OwnVectors {
  return readVector('own') as OwnVectors
}

/** A log as it stands in a trusted root, in base64. */
export interface LogVector {
  readonly baseUrl: string
  readonly publicKey: string
  readonly logId: string
}

export function logVectors(): readonly LogVector[] {
  return readVector('logs') as readonly LogVector[]
}

/** An entry of a real log, as in a bundle. */
export interface BundleVector {
  readonly log: LogVector
  readonly tlogEntry: {
    readonly logIndex: string
    readonly inclusionProof: {
      readonly rootHash: string
      readonly treeSize: string
      readonly hashes: readonly string[]
      readonly checkpoint: { readonly envelope: string }
    }
    readonly canonicalizedBody: string
  }
  readonly dsseEnvelope?: {
    readonly payload: string
    readonly payloadType: string
    readonly signatures: readonly { readonly sig: string }[]
  }
  /** DER in base64. */
  readonly certificate?: string
}

export function bundleVector(
  name: 'hashedrekord' | 'hashedrekord-over-dsse' | 'dsse' | 'checkpoint-two-sigs-cosigned'
): BundleVector {
  return readVector(name) as BundleVector
}

function readVector(name: string): unknown {
  return JSON.parse(
    readFileSync(new URL(`../vectors/rekor-v2/${name}.json`, import.meta.url), 'utf8')
  )
}
