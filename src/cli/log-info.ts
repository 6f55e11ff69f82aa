import type { TreeAnswer } from '../client/answers.js'
import { verifyTreeHead } from '../client/verify-entry.js'
import { encodeHex } from '../encoding/hex.js'
import { type Command, EXIT } from './command.js'
import { REMOTE_CONFIG, REMOTE_FLAGS, type Remote, connectRemote } from './remote.js'

export const logInfoCommand: Command = {
  flags: REMOTE_FLAGS,
  config: REMOTE_CONFIG,
  run: async (call) => {
    const remote = connectRemote(call)
    const { active, inactive } = await remote.client.logInfo()
    const trees = []
    for (const tree of [...inactive, active]) {
      trees.push(await checkTree(remote, tree, tree === active))
    }
    const total = trees.reduce((sum, { treeSize }) => sum + treeSize, 0)
    const lines = trees.flatMap((tree) => [
      `tree        ${tree.treeId} (${tree.state})`,
      `  origin    ${tree.origin}`,
      `  log ID    ${tree.logId}`,
      `  size      ${tree.treeSize}`,
      `  root hash ${tree.rootHash}`
    ])
    const how = remote.isPinned ? '' : ' with the keys the server gave'
    lines.push(`entries     ${total}`, `verified    the signature on every checkpoint${how}`)
    call.print(lines.join('\n'), {
      trees,
      entries: total,
      verified: true,
      keyPinned: remote.isPinned
    })
    return EXIT.ok
  }
}

async function checkTree(remote: Remote, tree: TreeAnswer, isActive: boolean) {
  const key = await remote.keyOf(tree.treeId, undefined)
  const { origin } = await verifyTreeHead(tree, key)
  return {
    treeId: tree.treeId,
    state: isActive ? 'active' : 'frozen',
    origin,
    logId: encodeHex(key.logId),
    treeSize: tree.treeSize,
    rootHash: encodeHex(tree.rootHash),
    checkpoint: tree.checkpoint
  }
}
