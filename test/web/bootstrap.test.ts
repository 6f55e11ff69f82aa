import t from 'tap'
import { loadTrustContract } from '../../src/http/contract.js'
import { renderBootstrapPage } from '../../src/web/bootstrap.js'
import { stubContent } from '../helpers/trust-app.js'

const CONTENT = stubContent()

t.test('the page says what there is', async (t) => {
  const page = renderBootstrapPage(CONTENT)
  t.match(page, /^<!doctype html>\n<html lang="en">/)
  for (const text of [
    'https://log.example/tuf',
    'https://issuer.example',
    CONTENT.tuf.rootSha256,
    '<td>2</td><td>2030-03-17T17:46:40Z</td>',
    '<pre>cosign version\n</pre>',
    '<p>a note</p>',
    '<h2 id="cosign-2">',
    '<a href="#cosign-2">'
  ]) {
    t.ok(page.includes(text), text)
  }
  for (const { name, sha256, about, bytes } of CONTENT.files) {
    t.ok(page.includes(`<a href="/bootstrap/${name}">${name}</a>`), name)
    t.ok(page.includes(`<td>${about}</td><td>${bytes.length}</td><td><code>${sha256}</code></td>`))
  }
  t.match(renderBootstrapPage({ ...CONTENT, issuers: [] }), /<dd>none: /)
})

t.test('documents for a client are on the page, folded', async (t) => {
  const [client] = CONTENT.clients
  if (client === undefined) throw new Error('no client')
  const page = renderBootstrapPage({
    ...CONTENT,
    clients: [{ ...client, documents: ['kyverno.yaml'] }]
  })
  t.ok(page.includes('<pre>a: 1\n</pre></details>'))
  t.notMatch(renderBootstrapPage(CONTENT), /<details>/)
})

t.test('every link leads to an operation or to a place on the page', async (t) => {
  const page = renderBootstrapPage(CONTENT)
  const paths = new Set(loadTrustContract().operations.map(({ path }) => path))
  const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link)
  t.ok(links.length > 8)
  for (const link of links) {
    if (link === '/') continue
    if (link.startsWith('#')) t.ok(page.includes(`id="${link.slice(1)}"`), link)
    else t.ok(paths.has(link.replace(/(?<=^\/bootstrap\/).+/, '{file}')), link)
  }
})

t.test('links hold below the path that a proxy serves it at', async (t) => {
  const page = renderBootstrapPage({ ...CONTENT, publicUrl: 'https://host.example/logs/one' })
  const links = [...page.matchAll(/href="([^"#]+)"/g)].map(([, link = '']) => link)
  t.ok(links.length > 5)
  t.ok(links.every((link) => link.startsWith('/logs/one/')))
})

t.test('nothing is loaded from elsewhere, and nothing runs', async (t) => {
  const page = renderBootstrapPage(CONTENT)
  t.notMatch(page, /<script|<link|<img|<iframe|<form|\ssrc=|@import|url\(|\son\w+=|javascript:/i)
  t.notMatch(page, /href="(https?:)?\/\//)
})

t.test('text stays text', async (t) => {
  const hostile = `"><script>alert(1)</script><b id='x' onclick="y">&amp;`
  const [file] = CONTENT.files
  if (file === undefined) throw new Error('no file')
  const page = renderBootstrapPage({
    publicUrl: `https://log.example/${hostile}`,
    operator: hostile,
    issuers: [hostile, hostile],
    tuf: { ...CONTENT.tuf, mirrorUrl: hostile, rootSha256: hostile },
    files: [
      {
        ...file,
        name: hostile,
        about: hostile,
        sha256: hostile,
        bytes: Buffer.from(`</pre>${hostile}`)
      }
    ],
    clients: [{ id: hostile, title: hostile, note: hostile, lines: hostile, documents: [hostile] }]
  })
  t.notMatch(page, /<script|<b |onclick="y"|id='x'/)
  t.equal(page.match(/<\/pre>/g)?.length, 2, 'the lines and the document')
  t.ok(page.includes('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'))
  t.ok(page.includes('&amp;amp;'))
})
