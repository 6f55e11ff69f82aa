import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { EMPTY_ROOT_HASH } from '../../src/merkle/hash.js'
import { formatCheckpointBody } from '../../src/note/checkpoint.js'
import { type Cosigner, signCosignature, type SignMessage } from '../../src/note/cosignature.js'
import { formatSignedNote, type NoteSignature } from '../../src/note/signed-note.js'
import {
  createVerifierKey,
  type VerifierKey,
  type VerifierKeyType
} from '../../src/note/verifier-key.js'
import { decimalLeafHashes } from './tile-tree.js'
import { referenceTree } from './rfc6962.js'
import { seededEd25519Pem } from './ed25519-key.js'

/** Both halves of a key. */
export interface TestKey extends Cosigner {
  readonly key: VerifierKey
  readonly sign: SignMessage
}

/** The Ed25519 key whose seed counts up from `firstByte`. */
export function testKey(name: string, type: VerifierKeyType, firstByte: number): TestKey {
  const pem = seededEd25519Pem(Uint8Array.from({ length: 32 }, (_, i) => firstByte + i))
  const privateKey = createPrivateKey(pem)
  const publicKey = createPublicKey(privateKey)
  const raw = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
  return {
    key: createVerifierKey(name, type, raw),
    sign: async (message) => Uint8Array.from(sign(null, message, privateKey)),
    verify(message, signature) {
      if (!verify(null, message, publicKey, signature)) throw new Error('bad signature')
    }
  }
}

/** The log of the vectors (rekor-v2-and-tiles §7.1). */
export const LOG = testKey('rekor2.example.internal', 'ed25519', 0)

/** The witness of the vectors (§7.2), and others. */
export const W1 = testKey('witness.example.internal/w1', 'ed25519-cosignature', 0x20)
export const W2 = testKey('witness.example.internal/w2', 'ed25519-cosignature', 0x60)
export const W3 = testKey('other.example/witness', 'ed25519-cosignature', 0x80)

/** When the witness of the vectors cosigned. */
export const VECTOR_SECONDS = 1767225600

/** The checkpoints of §7.1, signed by the log. */
export const CHECKPOINT_1 = `rekor2.example.internal
1
E70AgPykB4TYS+2vGbAV0mKqxjglTJjRRIyafnGE3vo=

— rekor2.example.internal pYm3vK3PbC65anQ/gUT8j8s2sn5d57cT2I0SskDhJWxSZ3UAxjwtq0nDvPxocMexamvLhMXcbP9ouUN56cnRL0jTjAY=
`
export const CHECKPOINT_2 = `rekor2.example.internal
2
zBZHYgBEJBs+jK59qGYUbWB/KTxY9WH1Z8jiJ/LVq4Q=

— rekor2.example.internal pYm3vHK6U8B55O5xH8KHa0XrRnYPWU6sMXSyhSKXdR8QpvSnpEdy284zWZL5axV50R1himgQkfJprH016juQV9OaZgg=
`

/** From the one to the other: the second leaf. */
export const PROOF_1_2 = 'o0xqrFLDYBcyTcvAWZuhNXKeEFrQcKqeqh3WATShV54='

export const COSIGNATURE_1 =
  '— witness.example.internal/w1 zmT8FgAAAABpVbkAaufVeBl121lZZ/f0ClhxxglMyG097wlEeIoGpyQZUra/BmTXiQ/ALBhunS6tXGDcw6Ide9hV4+lfx+JUOm4EAg==\n'
export const COSIGNATURE_2 =
  '— witness.example.internal/w1 zmT8FgAAAABpVbkAjrkLlNIPNbA0AFZgDQFNXWZryz1pmaEYxEQjQ5WvwAJXjpgdYBI7ilGk79m9z5wwPk0OXDh0/jOZTbVjAjTHDA==\n'

/** Signature line over the text, as a log signs. */
export async function signBody(body: string, { key, sign }: TestKey): Promise<NoteSignature> {
  return { name: key.name, keyId: key.keyId, signature: await sign(encodeUtf8(body)) }
}

const tree = referenceTree(decimalLeafHashes(100))

/** A log whose leaves are the decimal numbers, as large as one likes up to 100; with a twist, another history of it. */
export interface TestHistory {
  rootHash(treeSize: number): Uint8Array
  /** Text of the checkpoint. */
  body(treeSize: number): string
  /** Signed by LOG. */
  checkpoint(treeSize: number, signer?: TestKey): Promise<string>
  proof(firstSize: number, secondSize: number): readonly Uint8Array[]
}

export function testHistory(origin: string = LOG.key.name, twist = 0): TestHistory {
  const own =
    twist === 0
      ? tree
      : referenceTree(decimalLeafHashes(100).map((hash) => hash.map((byte) => byte ^ twist)))
  const rootHash = (treeSize: number): Uint8Array =>
    treeSize === 0 ? EMPTY_ROOT_HASH : own.mth(0, treeSize)
  const body = (treeSize: number): string =>
    formatCheckpointBody({ origin, treeSize, rootHash: rootHash(treeSize) })
  return {
    rootHash,
    body,
    async checkpoint(treeSize, signer = LOG) {
      const text = body(treeSize)
      return formatSignedNote(text, [await signBody(text, signer)])
    },
    proof: (firstSize, secondSize) => own.proof(firstSize, secondSize)
  }
}

/** Cosignature line of a witness on the text. */
export function cosign(
  body: string,
  witness: TestKey,
  timestampSeconds = VECTOR_SECONDS
): Promise<NoteSignature> {
  return signCosignature(body, timestampSeconds, witness)
}
