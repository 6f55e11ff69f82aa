import type { BootstrapContent } from './bootstrap-contract.js'
import { utcTime } from './bootstrap-json.js'
import { FILES_GUIDE } from './client-guides.js'

/** README.txt of the archive. */
export function bootstrapReadme(content: BootstrapContent): string {
  const { publicUrl, tuf, files, clients } = content
  const width = Math.max(...files.map(({ name }) => name.length))
  const expiries = tuf.expiries.map(
    ({ role, version, expiresSeconds }) =>
      `  ${role.padEnd(9)} version ${version}, until ${utcTime(expiresSeconds)}\n`
  )
  return `How clients come to trust ${publicUrl}

SHA-256 of root.json:

  ${tuf.rootSha256}

Compare it with what the operator told you by another way than this server: whoever could answer in its place would answer
this, too. Then check what is here:

  sha256sum -c SHA256SUMS

Files
${files.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}\n`).join('')}  ${'tuf/'.padEnd(width)}  The TUF repository, as it is at ${tuf.mirrorUrl}

The TUF repository is good until its first role expires:
${expiries.join('')}
The lines below are for a shell, and run in the directory with these files.
${clients
  .filter(({ id }) => id !== FILES_GUIDE)
  .map(
    ({ title, note, lines }) =>
      `\n${title}\n${'-'.repeat(title.length)}\n${note === '' ? '' : `${note}\n`}\n${lines}`
  )
  .join('')}`
}
