import { createHash } from 'node:crypto'
import { formatUtcTime } from '../encoding/utc-time.js'
import { encodeBase64 } from '../encoding/base64.js'
import { encodeHex } from '../encoding/hex.js'
import { encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import type { ProposedEntry } from '../entries/entry-type.js'
import type { Signer } from '../keys/signer.js'
import type { TreeRecord } from '../store/log-store.js'

/** What a statement names: all of it fixed when the tree is made. */
export type StatedTree = Pick<TreeRecord, 'treeId' | 'origin' | 'publicKey' | 'createdTimeSeconds'>

/**
 * The text whose signature is the first entry of a tree. Made from the record alone, so it can be published at any
 * time without being kept; the entry holds its digest, so not a byte of this function's output may ever change. A
 * new wording is a new version beside this one.
 */
export function buildLogStatement(tree: StatedTree): string {
  const created = formatUtcTime(tree.createdTimeSeconds)
  return [
    'Transparency log statement, version 1',
    '',
    'The key named below signs for the tree named below. The first entry of the tree is a signature over',
    'this text by that key, made when the tree was created. It is there so that the entry of nobody else',
    'has index 0 in the tree.',
    '',
    `origin: ${tree.origin}`,
    `tree id: ${tree.treeId}`,
    `sha256 of the public key: ${encodeHex(logIdOf(tree.publicKey))}`,
    `created: ${created}`,
    ''
  ].join('\n')
}

/** Proposal of the first entry of a tree: a hashedrekord over the statement. @param signer the key of the tree */
export async function buildStatementEntry(
  statement: string,
  signer: Signer
): Promise<ProposedEntry> {
  const bytes = encodeUtf8(statement)
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: {
      data: {
        hash: { algorithm: 'sha256', value: createHash('sha256').update(bytes).digest('hex') }
      },
      signature: {
        content: encodeBase64(await signer.sign(bytes)),
        publicKey: { content: encodeBase64(encodeUtf8(encodePem('PUBLIC KEY', signer.publicKey))) }
      }
    }
  }
}

/** Id of a log (of one tree, to be exact): SHA-256 over the SubjectPublicKeyInfo DER of its key. 32 bytes. */
export function logIdOf(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(publicKey).digest())
}
