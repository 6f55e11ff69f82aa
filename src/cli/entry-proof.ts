import type { TreeAnswer } from '../client/answers.js'
import { headBefore } from '../client/earlier-head.js'
import { verifyEntry, verifyTreeHead } from '../client/verify-entry.js'
import { encodeHex } from '../encoding/hex.js'
import { decodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { verifyConsistency } from '../merkle/consistency-proof.js'
import type { TreeHead } from '../merkle/tree.js'
import { parseCheckpoint } from '../note/checkpoint.js'
import { type Command, type CommandCall, EXIT, UsageError } from './command.js'
import {
  REMOTE_CONFIG,
  REMOTE_FLAGS,
  type Remote,
  connectRemote,
  parseCount,
  readArgument,
  readInputFile
} from './remote.js'

/** One tree of the server and where it stands among them. */
interface Tree {
  readonly answer: TreeAnswer
  /** Leaves in all earlier trees. */
  readonly offset: number
}

export const entryProofCommand: Command = {
  description:
    'Checks that the tree of the first size is the beginning of the tree of the last size, and that one of the tree\n' +
    'that the log signs now. The older tree is best given as a checkpoint that was kept: --checkpoint. With\n' +
    '--first-size alone its root hash is taken from the log too, proved to be part of what it signs now.',
  flags: [
    ...REMOTE_FLAGS,
    { name: 'checkpoint', value: 'FILE', meaning: 'Signed checkpoint of the older tree.' },
    { name: 'first-size', value: 'N', meaning: 'Size of the older tree. Default: 1.' },
    { name: 'last-size', value: 'N', meaning: 'Size of the newer tree. Default: the size now.' },
    { name: 'tree-id', value: 'ID', meaning: 'Which tree, in decimal. Default: the active one.' }
  ],
  config: REMOTE_CONFIG,
  run: async (call) => {
    const remote = connectRemote(call)
    const kept = readCheckpoint(call)
    const tree = await findTree(remote, call.flags.get('tree-id') ?? kept?.treeId)
    const key = await remote.keyOf(tree.answer.treeId, undefined)
    await verifyTreeHead(tree.answer, key)
    if (kept !== undefined) await verifyTreeHead(kept, key)

    const last = await headAt(remote, tree, sizeFlag(call, 'last-size') ?? tree.answer.treeSize)
    const first = kept ?? (await headAt(remote, tree, sizeFlag(call, 'first-size') ?? 1))
    await checkGrowth(remote, tree, first, last)
    await checkGrowth(remote, tree, last, tree.answer)

    const value = {
      treeId: tree.answer.treeId,
      first: { treeSize: first.treeSize, rootHash: encodeHex(first.rootHash) },
      last: { treeSize: last.treeSize, rootHash: encodeHex(last.rootHash) },
      checkpoint: tree.answer.checkpoint,
      verified: true,
      keyPinned: remote.isPinned
    }
    const lines = [
      `tree        ${value.treeId}`,
      `first       size ${first.treeSize}, root hash ${value.first.rootHash}`,
      `last        size ${last.treeSize}, root hash ${value.last.rootHash}`,
      `verified    the first is the beginning of the last, and that of the signed tree of size ` +
        String(tree.answer.treeSize)
    ]
    call.print(lines.join('\n'), value)
    return EXIT.ok
  }
}

function sizeFlag({ flags }: CommandCall, name: string): number | undefined {
  const text = flags.get(name)
  return text === undefined ? undefined : parseCount(text, `--${name}`, 1)
}

/** The kept checkpoint, read but not verified. */
function readCheckpoint({ flags }: CommandCall): TreeAnswer | undefined {
  const fileName = flags.get('checkpoint')
  if (fileName === undefined) return undefined
  if (flags.has('first-size') || flags.has('tree-id')) {
    throw new UsageError('--checkpoint says size and tree: leave out --first-size and --tree-id')
  }
  const bytes = readInputFile(fileName, '--checkpoint')
  const { checkpoint, origin, treeSize, rootHash } = readArgument(
    `--checkpoint: ${fileName}`,
    () => {
      const text = decodeUtf8(bytes)
      return { checkpoint: text, ...parseCheckpoint(text) }
    }
  )
  const treeId = / - ([1-9][0-9]{0,18})$/.exec(origin)?.[1]
  if (treeId === undefined) {
    throw new UsageError(`--checkpoint: origin "${origin}" names no tree`)
  }
  return { treeId, treeSize, rootHash, checkpoint }
}

async function findTree({ client }: Remote, treeId: string | undefined): Promise<Tree> {
  const { active, inactive } = await client.logInfo()
  let offset = 0
  for (const answer of [...inactive, active]) {
    if (answer.treeId === (treeId ?? active.treeId)) return { answer, offset }
    offset += answer.treeSize
  }
  throw new LogError('not_found', `the server has no tree ${treeId ?? active.treeId}`)
}

/** Head of the tree at an earlier size, proved by what the log signs. */
async function headAt(remote: Remote, tree: Tree, treeSize: number): Promise<TreeHead> {
  const { answer, offset } = tree
  if (treeSize === answer.treeSize) return answer
  if (treeSize > answer.treeSize) {
    throw new LogError(
      'invalid_request',
      `size ${treeSize} is beyond the tree, which has ${answer.treeSize} leaves`
    )
  }
  const entry = await remote.client.entryByIndex(offset + treeSize)
  await verifyEntry(entry, await remote.keyOf(answer.treeId, entry.logId))
  if (entry.inclusionProof.leafIndex !== treeSize) {
    throw new LogError(
      'verification_failed',
      `the server answered with leaf ${entry.inclusionProof.leafIndex} instead of ${treeSize}`
    )
  }
  return headBefore(entry.inclusionProof)
}

async function checkGrowth(
  { client }: Remote,
  { answer }: Tree,
  first: TreeHead,
  last: TreeHead
): Promise<void> {
  const { treeId } = answer
  const sizes = { firstSize: first.treeSize, lastSize: last.treeSize }
  const hashes =
    sizes.firstSize === sizes.lastSize ? [] : (await client.proof({ ...sizes, treeId })).hashes
  verifyConsistency(first, last, hashes)
}
