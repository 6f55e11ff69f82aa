import {
  flipBase64,
  flipBodyHash,
  flipCheckpointRoot,
  flipCheckpointSignature,
  plusOne
} from './tamper.js'
import type { Json, Path } from './tamper.js'

/** One change to a bundle, and the words by which a client must refuse it. */
export interface Tampering {
  readonly name: string
  readonly path: Path
  readonly change: (value: Json) => Json
  readonly reason: RegExp
}

/** Where cosign's own bundle keeps what the log answered. */
export const OLD_ENTRY: Path = ['rekorBundle', 'Payload']
/** Where a Sigstore bundle keeps it. */
export const NEW_ENTRY: Path = ['verificationMaterial', 'tlogEntries', 0]

const BAD_SET = /unable to verify SET/
// The signature or hash inside the body is compared with the artifact before anybody asks who logged it.
const BAD_OLD_BODY =
  /unable to verify SET|matching bundle to payload|failed to extract signature from bundle: verifying signature: /
const NO_LOG_KEY = /rekor log public key not found for payload/

/** Everything the log vouches for in an old bundle. */
export const OLD_BUNDLE_TAMPERINGS: readonly Tampering[] = [
  {
    name: 'SET',
    path: ['rekorBundle', 'SignedEntryTimestamp'],
    change: flipBase64,
    reason: BAD_SET
  },
  {
    name: 'entry body',
    path: [...OLD_ENTRY, 'body'],
    change: flipBodyHash,
    reason: BAD_OLD_BODY
  },
  { name: 'time', path: [...OLD_ENTRY, 'integratedTime'], change: plusOne, reason: BAD_SET },
  { name: 'log index', path: [...OLD_ENTRY, 'logIndex'], change: plusOne, reason: BAD_SET },
  {
    name: 'log id',
    path: [...OLD_ENTRY, 'logID'],
    change: () => 'ab'.repeat(32),
    reason: NO_LOG_KEY
  }
]

const PROOF: Path = [...NEW_ENTRY, 'inclusionProof']
const ENVELOPE: Path = [...PROOF, 'checkpoint', 'envelope']
// sigstore-go does not say why it does not count an entry whose SET fails or whose log it does not know.
const NOT_COUNTED = /not enough verified log entries from transparency log: 0 < 1/
// A hashedrekord body is refused when it is read, for the signature in it; cosign 3 then takes the bundle for one in the
// old format and complains about that. A dsse body is read, and then nothing vouches for it.
const BAD_NEW_BODY =
  /not enough verified log entries|validation error: .*verifying signature: |only supported with --new-bundle-format/
const BAD_ROOT = /failed to verify log inclusion: calculated root/
const BAD_CHECKPOINT = /signature on checkpoint did not verify/

/** The same for a Sigstore bundle, which carries the proof besides. */
export const NEW_BUNDLE_TAMPERINGS: readonly Tampering[] = [
  {
    name: 'SET',
    path: [...NEW_ENTRY, 'inclusionPromise', 'signedEntryTimestamp'],
    change: flipBase64,
    reason: NOT_COUNTED
  },
  {
    name: 'entry body',
    path: [...NEW_ENTRY, 'canonicalizedBody'],
    change: flipBodyHash,
    reason: BAD_NEW_BODY
  },
  {
    name: 'time',
    path: [...NEW_ENTRY, 'integratedTime'],
    change: plusOne,
    reason: NOT_COUNTED
  },
  { name: 'log index', path: [...NEW_ENTRY, 'logIndex'], change: plusOne, reason: NOT_COUNTED },
  {
    name: 'log id',
    path: [...NEW_ENTRY, 'logId', 'keyId'],
    change: flipBase64,
    reason: NOT_COUNTED
  },
  {
    name: 'proof hash',
    path: [...PROOF, 'hashes', 0],
    change: flipBase64,
    reason: BAD_ROOT
  },
  { name: 'proof root', path: [...PROOF, 'rootHash'], change: flipBase64, reason: BAD_ROOT },
  {
    name: 'proof index',
    path: [...PROOF, 'logIndex'],
    change: plusOne,
    reason: /index is beyond size|calculated root|wrong proof size/
  },
  {
    name: 'proof size',
    path: [...PROOF, 'treeSize'],
    change: plusOne,
    reason: /calculated root|wrong proof size/
  },
  {
    name: 'checkpoint root',
    path: ENVELOPE,
    change: flipCheckpointRoot,
    reason: BAD_CHECKPOINT
  },
  {
    name: 'checkpoint signature',
    path: ENVELOPE,
    change: flipCheckpointSignature,
    reason: BAD_CHECKPOINT
  }
]
