import { verify } from 'node:crypto'
import { type Key, Metadata, type Root, Signature } from '@tufjs/models'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { LogError } from '../errors.js'
import type { Signer } from '../keys/signer.js'
import type { TufRole } from './contract.js'
import { keyFromSpki, publicKeyOf, tufKeyId } from './keys.js'
import { type SignedByRole, signedBytes, type TufMetadata } from './metadata.js'
import { keysOfRole, roleOf } from './roles.js'

/** Signers whose keys a role has, each key once. */
export function signersOfRole(
  root: Root,
  role: TufRole,
  signers: readonly Signer[]
): readonly Signer[] {
  const keys = keysOfRole(root, role)
  const found = new Map<string, Signer>()
  for (const signer of signers) {
    if (signer.algorithm !== 'ecdsa-sha2-256-nistp256') continue
    const keyId = tufKeyId(signer.publicKey)
    if (keys.has(keyId)) found.set(keyId, signer)
  }
  return [...found.values()]
}

/** Whether the signers at hand reach the threshold of a role. */
export function canSign(root: Root, role: TufRole, signers: readonly Signer[]): boolean {
  return signersOfRole(root, role, signers).length >= roleOf(root, role).threshold
}

/**
 * Metadata signed with every key of the role that is at hand.
 * @throws LogError `conflict` when these are fewer than the threshold
 */
export async function signForRole<Role extends TufRole>(
  root: Root,
  role: Role,
  signed: SignedByRole[Role],
  signers: readonly Signer[]
): Promise<TufMetadata<Role>> {
  const { threshold } = roleOf(root, role)
  const able = signersOfRole(root, role, signers)
  if (able.length < threshold) {
    throw new LogError(
      'conflict',
      `${role} metadata needs ${threshold} signatures, and only ${able.length} of its keys are here`
    )
  }
  let metadata: TufMetadata<Role> = new Metadata(signed)
  for (const signer of able) metadata = await addSignature(metadata, signer)
  return metadata
}

/**
 * The same metadata with one more signature, in place of an older one by that key.
 * @throws LogError `internal` when the signer's signature does not verify
 */
export async function addSignature<Role extends TufRole>(
  metadata: TufMetadata<Role>,
  signer: Signer
): Promise<TufMetadata<Role>> {
  const bytes = signedBytes(metadata)
  const keyID = tufKeyId(signer.publicKey)
  const signature = new Signature({ keyID, sig: encodeHex(await signer.sign(bytes)) })
  const { publicKey } = signer
  if (!isSignature(bytes, keyFromSpki(publicKey), signature.sig)) {
    throw new LogError('internal', `the signer of key ${keyID} made a signature that is not good`)
  }
  return new Metadata(metadata.signed, { ...metadata.signatures, [keyID]: signature })
}

function isSignature(bytes: Uint8Array, key: Key, sig: string): boolean {
  const { keyObject } = publicKeyOf(key)
  return verify('sha256', bytes, { key: keyObject, dsaEncoding: 'der' }, decodeHex(sig))
}

/**
 * Ids of the keys that have signed metadata.
 *
 * @param keys those that may sign, by id
 * @throws LogError `verification_failed` when a signature is not a good one by one of them
 */
export function verifySignatures(
  metadata: TufMetadata,
  keys: ReadonlyMap<string, Key>
): ReadonlySet<string> {
  const { signed, signatures } = metadata
  const bytes = signedBytes(metadata)
  for (const { keyID, sig } of Object.values(signatures)) {
    const key = keys.get(keyID)
    if (key === undefined || !isSignature(bytes, key, sig)) {
      throw new LogError(
        'verification_failed',
        `${signed.type} metadata version ${signed.version}: the signature of ${keyID} is not good, or not of a key that may sign`
      )
    }
  }
  return new Set(Object.keys(signatures))
}

/** How many more keys must sign before `root` accepts metadata of `role`; 0 when it does. */
export function missingSignatures(
  signedBy: ReadonlySet<string>,
  root: Root,
  role: TufRole
): number {
  const { keyIDs, threshold } = roleOf(root, role)
  return Math.max(0, threshold - keyIDs.filter((keyId) => signedBy.has(keyId)).length)
}

/**
 * @param signedBy ids of the keys that have signed `metadata` (verifySignatures)
 * @throws LogError `verification_failed` unless the threshold of keys that `root` gives the role is among them
 */
export function assertThreshold(
  metadata: TufMetadata,
  signedBy: ReadonlySet<string>,
  root: Root
): void {
  const { type: role, version } = metadata.signed
  const missing = missingSignatures(signedBy, root, role)
  if (missing > 0) {
    throw new LogError(
      'verification_failed',
      `${role} metadata version ${version} lacks ${missing} of the ` +
        `${roleOf(root, role).threshold} signatures that root version ${root.version} wants`
    )
  }
}
