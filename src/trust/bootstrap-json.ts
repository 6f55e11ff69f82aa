import { formatUtcTime } from '../encoding/utc-time.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import type { BootstrapContent } from './bootstrap-contract.js'

/** The content for programs: openapi/trust.yaml, schema `Bootstrap`. */
export function bootstrapValue(content: BootstrapContent): JsonValue {
  const { publicUrl, operator, issuers, tuf, files, clients } = content
  const urlOf = (name: string) => `${publicUrl}/bootstrap/${name}`
  return {
    publicUrl,
    operator,
    issuers: [...issuers],
    tuf: {
      mirrorUrl: tuf.mirrorUrl,
      rootUrl: urlOf('root.json'),
      rootSha256: tuf.rootSha256,
      roles: tuf.expiries.map(({ role, version, expiresSeconds }) => ({
        role,
        version,
        expires: formatUtcTime(expiresSeconds)
      }))
    },
    files: files.map(({ name, about, mediaType, bytes, sha256 }) => ({
      name,
      url: urlOf(name),
      about,
      mediaType,
      size: bytes.length,
      sha256
    })),
    archiveUrl: `${publicUrl}/bootstrap.zip`,
    clients: clients.map(({ id, title, note, lines, documents }) => ({
      id,
      title,
      note,
      lines,
      documents: [...documents]
    }))
  }
}
