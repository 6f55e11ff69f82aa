import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodePem } from '../../src/encoding/pem.js'
import { circumstancesOf, readIssuers } from '../../src/site/circumstances.js'
import { tempFolder, testConfig } from '../helpers/cli.js'
import { newSigner } from '../helpers/test-tsa.js'

const URL = 'https://sigstead.example.test:8443/sig'

function issuers(...types: readonly string[]): string {
  const entries = types.map((type, i) => {
    const url = `https://${type}-${i}.example.test`
    const more = type === 'uri' ? { SubjectDomain: url } : {}
    return [url, { IssuerURL: url, ClientID: 'sigstore', Type: type, ...more }]
  })
  return JSON.stringify({ OIDCIssuers: Object.fromEntries(entries) as object })
}

t.test('clients are sent to the issuer where people log in', async (t) => {
  const folder = tempFolder(t)
  const cases: [
    types: readonly string[],
    flags: Record<string, string>,
    want: string | undefined
  ][] = [
    [['email'], {}, 'https://email-0.example.test'],
    [['uri', 'email', 'email'], {}, 'https://email-1.example.test'],
    [['uri', 'uri'], {}, 'https://uri-0.example.test'],
    [['email'], { 'trust-oidc-issuer': 'https://login.example.test' }, 'https://login.example.test']
  ]
  for (const [i, [types, flags, want]] of cases.entries()) {
    const file = join(folder, `${i}.json`)
    writeFileSync(file, issuers(...types))
    const config = testConfig(join(folder, 'data'), { 'ca-issuers-file': file, ...flags })
    const read = await readIssuers(config)
    t.equal(read.issuers.length, types.length)
    t.equal(circumstancesOf(config, read, URL).oidcIssuer, want, types.join())
  }
  const config = testConfig(join(folder, 'data'))
  const nobody = await readIssuers(config)
  t.strictSame(nobody.issuers, [])
  t.equal(circumstancesOf(config, nobody, URL).oidcIssuer, undefined)
})

t.test('who runs it, and what is on', async (t) => {
  const of = (flags: Record<string, string>) => {
    const config = testConfig('/nowhere', flags)
    return circumstancesOf(
      config,
      { issuers: [], patterns: [], ciProviders: new Map(), warnings: [] },
      URL
    )
  }
  t.strictSame(of({}), {
    publicUrl: URL,
    operator: 'sigstead.example.test',
    serves: { ca: true, tsa: true },
    oidcIssuer: undefined
  })
  t.match(of({ 'trust-operator': 'ops.example.test', 'tsa-enabled': 'false' }), {
    operator: 'ops.example.test',
    serves: { ca: true, tsa: false }
  })
})

t.test('a certificate log elsewhere', async (t) => {
  const folder = tempFolder(t)
  const { publicKey } = await newSigner()
  const file = join(folder, 'ct.pub')
  writeFileSync(file, encodePem('PUBLIC KEY', publicKey))
  const remote = {
    'ca-ct-log-url': 'https://ct.example.test/2026',
    'ca-ct-log-public-key-file': file
  }
  const of = (flags: Record<string, string>) => {
    const config = testConfig('/nowhere', { ...remote, ...flags })
    return circumstancesOf(
      config,
      { issuers: [], patterns: [], ciProviders: new Map(), warnings: [] },
      URL
    ).remoteCtLog
  }
  t.match(of({}), { url: 'https://ct.example.test/2026', publicKey })
  t.equal(of({ 'ca-enabled': 'false' }), undefined)
  t.equal(of({ 'ca-sct': 'none' }), undefined)
  writeFileSync(file, 'hello')
  t.throws(() => of({}), { name: 'LogError' })
})
