import type { LoggedEntry } from '../rekor/log-entry.js'

/**
 * JSON of entries, as JSON.stringify would write `{ [entryId]: entry }`, in UTF-8 and with a newline behind it. Written out by
 * hand because it is most of what this server says: all members but the checkpoint are numbers, hex and base64, which need no
 * escapes, and the checkpoint is the same for every entry of a batch.
 */
export function encodeLogEntry(logged: LoggedEntry): Buffer {
  return toBytes(entryText(logged))
}

/** The same of a list. */
export function encodeLogEntries(list: readonly LoggedEntry[]): Buffer {
  return toBytes(`[${list.map(entryText).join(',')}]`)
}

// The text has one character for each byte: a single character beyond Latin-1, such as the dash of a checkpoint, would double
// its memory, and converting that to UTF-8 takes several times as long.
function toBytes(text: string): Buffer {
  return Buffer.from(`${text}\n`, 'latin1')
}

function entryText({ entryId, entry }: LoggedEntry): string {
  const { attestation, body, integratedTime, logID, logIndex, verification } = entry
  const { inclusionProof, signedEntryTimestamp } = verification
  const { checkpoint, hashes, rootHash, treeSize } = inclusionProof
  return (
    `{"${entryId}":{` +
    (attestation === undefined ? '' : `"attestation":{"data":"${attestation.data}"},`) +
    `"body":"${body}","integratedTime":${integratedTime},"logID":"${logID}","logIndex":${logIndex},` +
    `"verification":{"inclusionProof":{"checkpoint":${checkpointText(checkpoint)},` +
    `"hashes":[${hashes.length === 0 ? '' : `"${hashes.join('","')}"`}],` +
    `"logIndex":${inclusionProof.logIndex},"rootHash":"${rootHash}","treeSize":${treeSize}},` +
    `"signedEntryTimestamp":"${signedEntryTimestamp}"}}}`
  )
}

/** The checkpoint seen last and its text. */
let last = { checkpoint: '', text: '""' }

/** JSON text of a checkpoint, one character for each byte of its UTF-8. */
function checkpointText(checkpoint: string): string {
  if (last.checkpoint !== checkpoint) {
    const text = Buffer.from(JSON.stringify(checkpoint), 'utf8').toString('latin1')
    last = { checkpoint, text }
  }
  return last.text
}
