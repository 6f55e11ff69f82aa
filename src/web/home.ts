import { escapeHtml } from './escape-html.js'

export interface HomeFacts {
  readonly version: string
  /** First line of the checkpoints. */
  readonly origin: string
  /** Decimal ID of the active tree. */
  readonly treeId: string
  /** Leaves over all trees. */
  readonly entries: number
  /** Whether there is a page that tells clients how to trust this server. */
  readonly hasBootstrap?: boolean
}

interface Link {
  readonly path: string
  readonly text: string
}

/** The page at `/`, whole: no script, nothing loaded from elsewhere. */
export function renderHomePage({
  version,
  origin,
  treeId,
  entries,
  hasBootstrap = false
}: HomeFacts): string {
  const bootstrap = {
    path: '/bootstrap',
    text: 'How clients come to trust this server: files, hashes, and lines to paste for each of them'
  }
  const links: readonly Link[] = [
    ...(hasBootstrap ? [bootstrap] : []),
    { path: '/api/v1/log', text: 'Log info: size, root hash and signed tree head' },
    { path: '/api/v1/log/publicKey', text: 'Public key of the log (PEM)' },
    { path: `/log-statement/${treeId}`, text: 'Statement that the first entry of the tree signs' },
    { path: '/openapi/rekor-v1.yaml', text: 'API document (OpenAPI 3.1)' },
    { path: '/swagger.json', text: 'The same as JSON' },
    { path: '/healthz', text: 'Health of the write path' }
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(origin)}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
code { overflow-wrap: anywhere }
dt { font-weight: 600 }
dd { margin: 0 0 .5rem }
</style>
</head>
<body>
<h1>Transparency log</h1>
<p>This server keeps an append-only log of signatures on software. What is in it can be proved, and nobody can
take anything out of it or change it without being noticed. It speaks the Rekor v1 API, so <code>cosign</code>,
<code>rekor-cli</code> and other Sigstore clients work with it.</p>
<dl>
<dt>Origin</dt><dd><code>${escapeHtml(origin)}</code></dd>
<dt>Entries</dt><dd>${escapeHtml(String(entries))}</dd>
<dt>Software</dt><dd>Sigstead ${escapeHtml(version)}</dd>
</dl>
<ul>
${links.map(({ path, text }) => `<li><a href="${escapeHtml(path)}">${escapeHtml(text)}</a></li>`).join('\n')}
</ul>
</body>
</html>
`
}
