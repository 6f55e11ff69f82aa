import { formatUtcTime } from '../encoding/utc-time.js'
import { CT_LOG_NAME_DIGITS } from '../ct/contract.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import { shellWord } from '../encoding/shell.js'
import type { RunningServer } from './command.js'

/** What whoever starts a server wants to know: where it is, and how to use it with cosign right now. */
export function welcomeText(server: RunningServer): string {
  const { publicUrl, listenUrl, metricsUrl, origin, logId } = server
  return `
Rekor API   ${publicUrl}${publicUrl === listenUrl ? '' : ` (listening on ${listenUrl})`}
Health      ${listenUrl}/healthz
Metrics     ${metricsUrl === undefined ? 'off' : `${metricsUrl}/metrics`}
Origin      ${origin}
Log ID      ${logId}
${authorityLines(server)}
${cosignLines(server)}`
}

function authorityLines(server: RunningServer): string {
  const { publicUrl, hasAuthority, issuers, ctLogId, hasTimestamps, rootSha256 } = server
  const believed =
    issuers === 0
      ? 'none: no certificate can be issued until --ca-issuers-file names some'
      : `${issuers} (${publicUrl}/api/v2/configuration)`
  const lines: string[] = []
  if (hasAuthority) lines.push(`Fulcio API  ${publicUrl}`, `Issuers     ${believed}`)
  if (ctLogId !== undefined) {
    lines.push(`CT log      ${publicUrl}/ctlog/${ctLogId.slice(0, CT_LOG_NAME_DIGITS)}`)
  }
  if (hasTimestamps) lines.push(`Timestamps  ${publicUrl}/api/v1/timestamp`)
  if (rootSha256 !== undefined) {
    lines.push(
      `TUF mirror  ${publicUrl}/tuf`,
      `Root        SHA-256 of root.json ${rootSha256}`,
      `Clients     ${publicUrl}/bootstrap`
    )
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** The same for programs. */
export function welcomeValue(server: RunningServer): JsonValue {
  const { publicUrl, listenUrl, metricsUrl, treeId, origin, logId, ctLogId, rootSha256 } = server
  return { publicUrl, listenUrl, metricsUrl, treeId, origin, logId, ctLogId, rootSha256 }
}

/**
 * Lines for a shell that sign and verify a file with this very log. Both generations of cosign take a bare log address
 * for signing; they differ in how they are told which log key to trust.
 */
export function cosignLines({ publicUrl, keyStartSeconds }: RunningServer): string {
  const url = shellWord(publicUrl)
  const start = formatUtcTime(keyStartSeconds)
  const rekor = shellWord(`url=${publicUrl},public-key=rekor.pub,start-time=${start}`)
  return `# The key of this log, a key of your own, something to sign:
curl -sSf ${shellWord(`${publicUrl}/api/v1/log/publicKey`)} -o rekor.pub
export COSIGN_PASSWORD=
cosign generate-key-pair
echo hello > hello.txt

# cosign 2.5:
cosign sign-blob --yes --key cosign.key --rekor-url ${url} --bundle hello.bundle hello.txt
SIGSTORE_REKOR_PUBLIC_KEY=rekor.pub cosign verify-blob --key cosign.pub --bundle hello.bundle hello.txt

# cosign 3.1:
cosign trusted-root create --rekor=${rekor} --out trusted_root.json
cosign sign-blob --yes --key cosign.key --use-signing-config=false --rekor-url ${url} --bundle hello.sigstore.json hello.txt
cosign verify-blob --key cosign.pub --trusted-root trusted_root.json --bundle hello.sigstore.json hello.txt
`
}
