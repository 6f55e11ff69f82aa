import { encodeBase64 } from '../../encoding/base64.js'
import { encodeLeafValue, sha256Value } from '../leaf.js'
import { collectSearchKeys } from '../search-keys.js'
import type { TufMetadata } from './metadata.js'

/** Both files in canonical form; the version of the specification is that of the root, left out when empty. */
export function tufLeafValue(metadata: TufMetadata, root: TufMetadata): Uint8Array {
  const { specVersion } = root
  return encodeLeafValue('tuf', '0.0.1', {
    metadata: { content: encodeBase64(metadata.canonical) },
    root: { content: encodeBase64(root.canonical) },
    ...(specVersion === '' ? {} : { spec_version: specVersion })
  })
}

/** Bare hash of the metadata, name of the role, version, bare hash of the root. */
export function tufSearchKeys(metadata: TufMetadata, root: TufMetadata): readonly string[] {
  return collectSearchKeys([
    sha256Value(metadata.canonical).value,
    metadata.type,
    String(metadata.version),
    sha256Value(root.canonical).value
  ])
}
