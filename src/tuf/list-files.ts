import { encodeUtf8 } from '../encoding/text.js'
import type { TufRepository } from './contract.js'
import { currentTargets } from './current.js'
import { hashedName } from './target-files.js'

/**
 * What a mirror needs: every root, the newest of the other metadata, and the files they name, by path below the address of
 * the mirror.
 */
export function listFiles(
  repository: TufRepository
): readonly { readonly path: string; readonly bytes: Uint8Array }[] {
  const { roots, targets, snapshots, timestamp, files } = repository
  const versioned = (role: string, version: number, text: string) => ({
    path: `${version}.${role}.json`,
    bytes: encodeUtf8(text)
  })
  return [
    ...roots.map((text, i) => versioned('root', i + 1, text)),
    ...roots.slice(-1).map((text) => ({ path: 'root.json', bytes: encodeUtf8(text) })),
    { path: 'timestamp.json', bytes: encodeUtf8(timestamp.text) },
    ...snapshots.slice(0, 1).map(({ version, text }) => versioned('snapshot', version, text)),
    ...targets.slice(0, 1).map(({ version, text }) => versioned('targets', version, text)),
    ...Object.values(currentTargets(repository).targets).flatMap((file) => {
      const name = hashedName(file)
      const bytes = files.get(name)
      return bytes === undefined ? [] : [{ path: `targets/${name}`, bytes }]
    })
  ]
}
