import t from 'tap'
import { loadIdentityConfig } from '../../../../src/ca/identity/config/load.js'
import { encodeUtf8 } from '../../../../src/encoding/text.js'
import { fulcioVector } from '../../../helpers/fulcio-vectors.js'
import { refusal } from '../../../helpers/refusals.js'
import { createTestIssuer } from '../../../helpers/test-issuer.js'

const [ca] = fulcioVector<{ cases: readonly { certChainPem: string }[] }>('file-ca.json').cases
const caPem = ca?.certChainPem ?? ''

const issuerOf = (members: object) => ({ ClientID: 'x', Type: 'email', ...members })
const config = {
  OIDCIssuers: {
    'https://a': issuerOf({ IssuerURL: 'https://a', JWKSFile: 'keys/a.json' }),
    'https://b': issuerOf({ IssuerURL: 'https://b', CACertFile: '/etc/ca.pem' }),
    'https://c': issuerOf({ IssuerURL: 'https://c' })
  },
  MetaIssuers: { 'https://*.d': issuerOf({ CACertFile: '../ca.pem' }) }
}

function filesOf(files: Readonly<Record<string, string>>) {
  return async (path: string): Promise<Uint8Array> => {
    const text = files[path]
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
    return encodeUtf8(text)
  }
}

const files = {
  '/srv/conf/fulcio.json': JSON.stringify(config),
  '/srv/conf/keys/a.json': JSON.stringify(createTestIssuer().keySet),
  '/etc/ca.pem': caPem,
  '/srv/ca.pem': `comment\n${caPem}\n${caPem}\n`
}

t.test('files beside the configuration and elsewhere', async (t) => {
  const loaded = await loadIdentityConfig('/srv/conf/fulcio.json', filesOf(files))
  t.same(
    loaded.issuers.map(({ jwksFile, caCertFile }) => [jwksFile, caCertFile]),
    [
      ['/srv/conf/keys/a.json', ''],
      ['', '/etc/ca.pem'],
      ['', '']
    ]
  )
  t.equal(loaded.patterns[0]?.issuer.caCertFile, '/srv/ca.pem')
  t.ok(loaded.patterns[0]?.expression.test('https://x.d'))
  t.ok(Object.isFrozen(loaded) && Object.isFrozen(loaded.issuers[0]))
})

t.test('every file that cannot be used is named', async (t) => {
  const broken = {
    ...files,
    '/srv/conf/keys/a.json': '{"keys":[{"kty":"oct","k":"AA"}]}',
    '/etc/ca.pem': 'not a certificate'
  }
  const { code, message } = await refusal(() =>
    loadIdentityConfig(
      '/srv/conf/fulcio.json',
      filesOf(Object.fromEntries(Object.entries(broken).filter(([path]) => path !== '/srv/ca.pem')))
    )
  )
  t.equal(code, 'invalid_request')
  t.same(message.split('\n'), [
    'validate: JWKSFile of issuer https://a: no usable key: key 1: unknown kind of key "oct"',
    'validate: CACertFile of issuer https://b: /etc/ca.pem is not PEM of certificates',
    "validate: CACertFile of meta issuer https://*.d: /srv/ca.pem cannot be read: ENOENT: no such file or directory, open '/srv/ca.pem'"
  ])
})

t.test('no configuration', async (t) => {
  t.equal(
    (await refusal(() => loadIdentityConfig('/nowhere', filesOf({})))).message,
    "/nowhere cannot be read: ENOENT: no such file or directory, open '/nowhere'"
  )
})
