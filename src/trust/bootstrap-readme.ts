import type { BootstrapContent, ClientGuide } from './bootstrap-contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { FILES_GUIDE } from './client-guides.js'

/** Columns of running text. */
const WIDTH = 100

/** README.txt of the archive. */
export function bootstrapReadme({ publicUrl, tuf, files, clients }: BootstrapContent): string {
  const rows = [
    ...files.map(({ name, about }) => [name, about] as const),
    ['tuf/', `The TUF repository, as it is at ${tuf.mirrorUrl}`] as const
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const list = rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}\n`).join('')
  const expiries = tuf.expiries.map(
    ({ role, version, expiresSeconds }) =>
      `  ${role.padEnd(9)} version ${version}, until ${formatUtcTime(expiresSeconds)}\n`
  )
  return `How clients come to trust ${publicUrl}

SHA-256 of root.json:

  ${tuf.rootSha256}

Compare it with what the operator told you by another way than this server: whoever could answer in
its place would answer this, too. Then check that everything has arrived as it was:

  sha256sum -c SHA256SUMS

Files
${list}
The TUF repository is good until its first role expires:
${expiries.join('')}
The lines below are for a shell. They run in the directory with these files.
${clients
  .filter(({ id }) => id !== FILES_GUIDE)
  .map(section)
  .join('')}`
}

function section({ title, note, lines }: ClientGuide): string {
  const heading = `${title}\n${'-'.repeat(title.length)}\n`
  return `\n${heading}${note === '' ? '' : `${wrap(note)}\n`}\n${lines}`
}

function wrap(text: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${line} ${word}`
    } else {
      lines.push(word)
    }
  }
  return lines.join('\n')
}
