import { decodeUtf8 } from '../encoding/text.js'
import type { BootstrapContent, BootstrapFile, ClientGuide } from '../trust/bootstrap-contract.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { escapeHtml } from './escape-html.js'

/** Path below the public address to an attribute. */
type LinkTo = (path: string) => string

/** The page at `/bootstrap`, whole: no script, nothing loaded from elsewhere, links within this server. */
export function renderBootstrapPage(content: BootstrapContent): string {
  const { publicUrl, issuers, tuf, files, clients } = content
  // A proxy may have put the server below a path.
  const base = new URL(publicUrl).pathname.replace(/\/$/, '')
  const linkTo = (path: string) => escapeHtml(`${base}/${path}`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`Trust ${publicUrl}`)}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8888; border-radius: .25rem }
pre, code { font-size: .875rem }
code { overflow-wrap: anywhere }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { text-align: left; vertical-align: top; padding: .25rem 1rem .25rem 0 }
dt { font-weight: 600 }
dd { margin: 0 0 .5rem }
</style>
</head>
<body>
<h1>How clients come to trust this server</h1>
<dl>
<dt>Server</dt><dd><code>${escapeHtml(publicUrl)}</code></dd>
<dt>TUF mirror</dt><dd><code>${escapeHtml(tuf.mirrorUrl)}</code></dd>
<dt>Issuers</dt><dd>${issuers.length === 0 ? 'none: signatures are made with keys' : issuers.map((issuer) => `<code>${escapeHtml(issuer)}</code>`).join('<br>\n')}</dd>
<dt>SHA-256 of root.json</dt><dd><code>${escapeHtml(tuf.rootSha256)}</code></dd>
</dl>
<p>Compare the hash with what the operator told you by another way than this server: whoever could answer in its place would
answer this, too. All other trust follows from that file.</p>
<p><a href="${linkTo('bootstrap.zip')}">Everything as a zip file</a>, to carry to where there is no network.
<a href="${linkTo('bootstrap.json')}">This page for programs</a>.</p>
<h2>Contents</h2>
<ul>
${clients.map(({ id, title }) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(title)}</a></li>`).join('\n')}
<li><a href="#downloads">Downloads</a></li>
<li><a href="#expiry">When the metadata expires</a></li>
</ul>
${clients.map((guide) => renderGuide(guide, files, linkTo)).join('')}<h2 id="downloads">Downloads</h2>
<table>
<thead><tr><th>File</th><th>What it is</th><th>Bytes</th><th>SHA-256</th></tr></thead>
<tbody>
${files.map((file) => renderRow(file, linkTo)).join('\n')}
</tbody>
</table>
<h2 id="expiry">When the metadata expires</h2>
<p>Clients refuse the mirror from then on. It is signed again long before.</p>
<table>
<thead><tr><th>Role</th><th>Version</th><th>Good until</th></tr></thead>
<tbody>
${tuf.expiries.map(({ role, version, expiresSeconds }) => `<tr><td>${escapeHtml(role)}</td><td>${version}</td><td>${formatUtcTime(expiresSeconds)}</td></tr>`).join('\n')}
</tbody>
</table>
<p><a href="${linkTo('')}">Home</a></p>
</body>
</html>
`
}

function renderGuide(
  { id, title, note, lines, documents }: ClientGuide,
  files: readonly BootstrapFile[],
  linkTo: LinkTo
): string {
  const written = files.filter(({ name }) => documents.includes(name))
  return `<h2 id="${escapeHtml(id)}">${escapeHtml(title)}</h2>
${note === '' ? '' : `<p>${escapeHtml(note)}</p>\n`}<pre>${escapeHtml(lines)}</pre>
${written.map((file) => renderDocument(file, linkTo)).join('')}`
}

/** Folded: one line of it is the whole root, in base64. */
function renderDocument({ name, bytes }: BootstrapFile, linkTo: LinkTo): string {
  return `<details><summary><a href="${linkTo(`bootstrap/${name}`)}">${escapeHtml(name)}</a></summary>
<pre>${escapeHtml(decodeUtf8(bytes))}</pre></details>
`
}

function renderRow({ name, about, bytes, sha256 }: BootstrapFile, linkTo: LinkTo): string {
  const link = `<a href="${linkTo(`bootstrap/${name}`)}">${escapeHtml(name)}</a>`
  return `<tr><td>${link}</td><td>${escapeHtml(about)}</td><td>${bytes.length}</td><td><code>${escapeHtml(sha256)}</code></td></tr>`
}
