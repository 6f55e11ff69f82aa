import t from 'tap'
import { formatGoUri, hostnameOf, joinGoPath, parseGoUri } from '../../../src/ca/identity/go-uri.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'

t.test('URIs that stay as they are', (t) => {
  const uris = [
    'https://gitlab.com/group/project//.gitlab-ci.yml@refs/heads/main',
    'https://Example.COM:443/a/../b/./c',
    'https://example.com',
    'https://example.com/',
    'https://example.com?a=b&c=d e',
    'https://example.com/?',
    'https://example.com/a%2Fb%c3%bc',
    "https://example.com/!$&'()*+,;=:@[]~",
    'https://example.com/a#b/c?d',
    'https://[::1]:8080/a',
    'spiffe://example.com/a/b',
    'urn:uuid:0-1',
    'mailto:a@b',
    'file:///a',
    'file:/a',
    'a+b-c.d://x'
  ]
  for (const uri of uris) t.equal(formatGoUri(parseGoUri(uri)), uri)
  t.end()
})

t.test('URIs that Go changes', (t) => {
  const uris: Readonly<Record<string, string>> = {
    'HTTPS://Example.com/A': 'https://Example.com/A',
    'https://example.com/a"b': 'https://example.com/a%22b',
    'https://example.com/{a}(b)%41%2f%20%c3': 'https://example.com/%7Ba%7D%28b%29A/%20%C3',
    'https://example.com/a#b#c': 'https://example.com/a#b%23c',
    'https://example.com/a|b?c|d': 'https://example.com/a%7Cb?c|d'
  }
  for (const [uri, written] of Object.entries(uris)) {
    t.equal(formatGoUri(parseGoUri(uri)), written)
    t.equal(formatGoUri(parseGoUri(written)), written)
  }
  t.end()
})

t.test('parts', (t) => {
  const uri = parseGoUri('https://example.com:8080/p?q#f')
  t.same(uri, {
    scheme: 'https',
    host: 'example.com:8080',
    hasAuthority: true,
    path: '/p',
    query: '?q',
    fragment: '#f'
  })
  t.equal(hostnameOf(uri), 'example.com')
  t.equal(hostnameOf(parseGoUri('https://[::1]:80')), '::1')
  t.equal(hostnameOf(parseGoUri('https://[::1]')), '::1')
  t.equal(hostnameOf(parseGoUri('example.com/a')), '')
  t.equal(parseGoUri('example.com').scheme, '')
  t.equal(parseGoUri('//example.com/a').host, 'example.com')
  t.equal(parseGoUri('').path, '')
  t.end()
})

t.test('refused', async (t) => {
  const uris: Readonly<Record<string, string>> = {
    'https://a\nb': 'net/url: invalid control character in URL',
    'https://a/\u007f': 'net/url: invalid control character in URL',
    ':a': 'missing protocol scheme',
    '1a:b': 'first path segment in URL cannot contain colon',
    'https://user@a/': 'URI with user information',
    'https://user:p@a/': 'URI with user information',
    'https://a:b/': 'invalid host "a:b" in URL',
    'https://a:1:2/': 'invalid host "a:1:2" in URL',
    'https://[::1/': 'invalid host "[::1" in URL',
    'https://a b/': 'invalid host "a b" in URL',
    'https://a%41/': 'invalid host "a%41" in URL',
    'https://a<b/': 'invalid host "a<b" in URL',
    'https://a\\b/': 'invalid host "a\\\\b" in URL',
    'https://a/%': 'invalid URL escape "%"',
    'https://a/%4': 'invalid URL escape "%4"',
    'https://a/%zz1': 'invalid URL escape "%zz"',
    'https://a/#%zz': 'invalid URL escape "%zz"'
  }
  for (const [uri, problem] of Object.entries(uris)) {
    t.equal(await refusalText(() => parseGoUri(uri)), `invalid_request: ${problem}`, uri)
  }
})

t.test('joined paths', async (t) => {
  const join = (base: string, ...elements: string[]): string =>
    formatGoUri(joinGoPath(parseGoUri(base), ...elements))
  t.equal(join('https://a', 'b'), 'https://a/b')
  t.equal(join('https://a/', 'b/c'), 'https://a/b/c')
  t.equal(join('https://a/x', '/b/', '/c'), 'https://a/x/b/c')
  t.equal(join('https://a/x/', 'b/'), 'https://a/x/b/')
  t.equal(join('https://a/x', '..', '..', '..', 'b'), 'https://a/b')
  t.equal(join('https://a', ''), 'https://a/')
  t.equal(join('https://a', '.', './/.'), 'https://a/')
  t.equal(join('https://a?q', 'b'), 'https://a/b?q')
  t.equal(join('https://a', 'b?c#d'), 'https://a/b%3Fc%23d')
  t.equal(
    await refusalText(() => join('https://a', '100%')),
    'invalid_request: invalid URL escape "%"'
  )
})

t.test('fuzz: nothing but LogError; what is written reads the same', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const samples = ['https://example.com:8080/a/%41//b@c?d=e#f', 'spiffe://td/a', 'urn:x:y'].map(
    encodeUtf8
  )
  let read = 0
  for (let i = 0; i < 2000; i++) {
    const text = Buffer.from(mutate(random.pick(samples), random)).toString('latin1')
    const uri = await unlessRefused(() => parseGoUri(text))
    if (uri === undefined || uri.scheme === '') continue
    read++
    const written = formatGoUri(uri)
    t.equal(formatGoUri(parseGoUri(written)), written, text)
    t.equal(hostnameOf(parseGoUri(written)), hostnameOf(uri), text)
  }
  t.ok(read > 0, `${read} of 2000 read`)
})
