import t from 'tap'
import { renderHomePage } from '../../src/web/home.js'
import { loadRekorV1Contract, loadTrustContract } from '../../src/http/contract.js'

const FACTS = {
  version: '1.2.3',
  origin: 'log.example - 12',
  treeId: '12',
  entries: 7,
  hasBootstrap: true
}

t.test('the page says what there is', async (t) => {
  const page = renderHomePage(FACTS)
  t.match(page, /^<!doctype html>\n<html lang="en">/)
  for (const text of ['log.example - 12', '<dd>7</dd>', 'Sigstead 1.2.3'])
    t.ok(page.includes(text), text)
})

t.test('every link leads to an operation', async (t) => {
  const operations = [loadRekorV1Contract(), loadTrustContract()].flatMap((one) => one.operations)
  const paths = operations.map(({ path }) => path.replace(/\{\w+\}/g, '12'))
  const links = [...renderHomePage(FACTS).matchAll(/href="([^"]+)"/g)].map(([, path]) => path)
  t.ok(links.length >= 7)
  for (const link of links) t.ok(paths.includes(link ?? ''), link ?? '')
  t.ok(links.includes('/bootstrap'))
  t.notMatch(renderHomePage({ ...FACTS, hasBootstrap: false }), /bootstrap/)
})

t.test('nothing is loaded from elsewhere, and nothing runs', async (t) => {
  t.notMatch(renderHomePage(FACTS), /<script|src=|https?:|@import|url\(|\son\w+=/i)
})

t.test('text stays text', async (t) => {
  const page = renderHomePage({ ...FACTS, origin: `<b>"'&`, version: '</p>', treeId: '"><i>' })
  t.ok(page.includes('&lt;b&gt;&quot;&#39;&amp;'))
  t.notMatch(page, /<b>|<i>|Sigstead <\/p>/)
})
