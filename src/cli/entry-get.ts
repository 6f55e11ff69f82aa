import type { EntryAnswer } from '../client/answers.js'
import { treeIdOf, verifyEntry } from '../client/verify-entry.js'
import { encodeBase64 } from '../encoding/base64.js'
import { encodeHex } from '../encoding/hex.js'
import { parseJson } from '../encoding/json.js'
import { LogError } from '../errors.js'
import { type Command, EXIT } from './command.js'
import { REMOTE_CONFIG, REMOTE_FLAGS, type Remote, connectRemote, parseCount } from './remote.js'

export const entryGetCommand: Command = {
  description:
    'ENTRY is a log index, a leaf hash (64 hex digits) or an entry ID (80 hex digits). Checked are the ID against\n' +
    'the body, the signed entry timestamp, the inclusion proof and the signature on the checkpoint.',
  positionals: ['ENTRY'],
  flags: REMOTE_FLAGS,
  config: REMOTE_CONFIG,
  run: async (call) => {
    const [wanted = ''] = call.positionals
    const remote = connectRemote(call)
    const entry = await fetchEntry(remote, wanted)
    const key = await remote.keyOf(treeIdOf(entry.entryId), entry.logId)
    const checkpoint = await verifyEntry(entry, key)
    const body = parseJson(entry.leafValue)
    const { leafIndex, treeSize } = entry.inclusionProof
    const value = {
      entryId: entry.entryId,
      logIndex: entry.logIndex,
      treeId: treeIdOf(entry.entryId),
      leafIndex,
      logId: encodeHex(entry.logId),
      integratedTime: entry.integratedTimeSeconds,
      body,
      attestation: entry.attestation === undefined ? undefined : encodeBase64(entry.attestation),
      checkpoint: entry.inclusionProof.checkpoint,
      verified: true,
      keyPinned: remote.isPinned
    }
    const lines = [
      `entry ID    ${entry.entryId}`,
      `log index   ${entry.logIndex}`,
      `tree        ${value.treeId}, leaf ${leafIndex} of ${treeSize} (${checkpoint.origin})`,
      `log ID      ${value.logId}`,
      `integrated  ${new Date(entry.integratedTimeSeconds * 1000).toISOString()}`,
      `verified    entry ID, signed entry timestamp, inclusion proof, checkpoint` +
        (remote.isPinned ? '' : ' (with the key the server gave)'),
      ...(entry.attestation === undefined
        ? []
        : [`attestation ${entry.attestation.length} bytes (--json prints them)`]),
      '',
      JSON.stringify(body, undefined, 2)
    ]
    call.print(lines.join('\n'), value)
    return EXIT.ok
  }
}

async function fetchEntry({ client }: Remote, wanted: string): Promise<EntryAnswer> {
  if (/^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{80})$/.test(wanted)) {
    const entry = await client.entryById(wanted)
    if (!entry.entryId.endsWith(wanted.toLowerCase())) {
      throw new LogError(
        'verification_failed',
        `the server answered with entry ${entry.entryId} instead of ${wanted}`
      )
    }
    return entry
  }
  const logIndex = parseCount(wanted, 'ENTRY without 64 or 80 hex digits', 0)
  const entry = await client.entryByIndex(logIndex)
  // The signed timestamp covers the index, so an honest index cannot be put on another entry.
  if (entry.logIndex !== logIndex) {
    throw new LogError(
      'verification_failed',
      `the server answered with log index ${entry.logIndex} instead of ${logIndex}`
    )
  }
  return entry
}
