import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { runCommand, tempFolder } from '../helpers/cli.js'
import { createTestIssuer } from '../helpers/test-issuer.js'

const ISSUER = 'https://idp.example.com'
const NOW_SECONDS = 1_800_000_000

/** A folder with an issuer whose keys are in a file, and a way to explain its tokens. */
function site(t: Parameters<typeof tempFolder>[0]) {
  const folder = tempFolder(t)
  const issuer = createTestIssuer()
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.keySet))
  writeFileSync(
    join(folder, 'issuers.yaml'),
    `oidc-issuers:
  ${ISSUER}:
    issuer-url: ${ISSUER}
    client-id: sigstore
    type: email
    jwks-file: jwks.json
`
  )
  const claims = {
    iss: ISSUER,
    aud: 'sigstore',
    sub: 'user-7',
    email: 'jane@example.com',
    email_verified: true,
    exp: NOW_SECONDS + 60
  }
  const explain = (token: string, ...flags: string[]) =>
    runCommand(
      ['ca', 'explain-token', '-', '--ca-issuers-file', join(folder, 'issuers.yaml'), ...flags],
      { now: () => NOW_SECONDS * 1000, stdin: Readable.from([Buffer.from(`${token}\n`)]) }
    )
  return { folder, issuer, claims, explain }
}

t.test('what would be issued, step by step', async (t) => {
  const { issuer, claims, explain } = site(t)
  const { code, stdout, stderr } = await explain(issuer.token(claims))
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^ok {7}has three parts and is not too long: \d+ characters$/m)
  t.match(stdout, /^ok {7}is signed by a key of the issuer: .*test-1/m)
  t.match(stdout, /^challenge +jane@example\.com$/m)
  t.match(stdout, /^subject alternative name +rfc822Name jane@example\.com$/m)
  t.match(stdout, /^1\.3\.6\.1\.4\.1\.57264\.1\.8 +issuer: https:\/\/idp\.example\.com$/m)
  t.match(stdout, /^1\.3\.6\.1\.4\.1\.57264\.1\.24 +subject: user-7$/m)
  t.notMatch(stdout, /REFUSED/)
})

t.test('the same for programs', async (t) => {
  const { issuer, claims, explain } = site(t)
  const { stdout } = await explain(issuer.token(claims), '--json')
  const value = JSON.parse(stdout) as { issued: boolean; checks: { outcome: string }[] }
  t.equal(value.issued, true)
  t.match(value, {
    challenge: 'jane@example.com',
    subjectAlternativeName: { kind: 'rfc822Name', value: 'jane@example.com' },
    extensions: [{ oid: '1.3.6.1.4.1.57264.1.1', name: 'issuer', text: ISSUER }, {}, {}]
  })
  t.ok(value.checks.every(({ outcome }) => outcome === 'passed'))
})

t.test('why a token is refused, and what was not reached for it', async (t) => {
  const { issuer, claims, explain } = site(t)
  const cases: [name: string, claims: object, refused: RegExp][] = [
    ['expired', { ...claims, exp: NOW_SECONDS - 1 }, /^REFUSED {2}is not expired: /m],
    [
      'for somebody else',
      { ...claims, aud: ['a', 'b'] },
      /^REFUSED {2}is meant for this server: /m
    ],
    [
      'of a stranger',
      { ...claims, iss: 'https://x.test' },
      /^REFUSED {2}comes from an issuer that /m
    ],
    [
      'of an address nobody checked',
      { ...claims, email_verified: false },
      /^REFUSED {2}says what its issuer type asks for: email_verified claim was false$/m
    ]
  ]
  for (const [name, wrong, refused] of cases) {
    const { code, stdout } = await explain(issuer.token(wrong))
    t.equal(code, 1, name)
    t.match(stdout, refused, name)
    t.match(stdout, /^- {8}gives a certificate$/m, `${name}: the last check was not reached`)
    t.match(stdout, /\n\nwould be refused\n$/, name)
  }
  const { code, stdout } = await explain('not a token', '--json')
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { issued: false, checks: [{ check: 'form', outcome: 'refused' }] })
})

t.test('tokens from a file, and what is wrong with the call itself', async (t) => {
  const { folder, issuer, claims } = site(t)
  const now = () => NOW_SECONDS * 1000
  const config = ['--ca-issuers-file', join(folder, 'issuers.yaml')]
  const file = join(folder, 'token')
  writeFileSync(file, `  ${issuer.token(claims)}\n`)
  const good = await runCommand(['ca', 'explain-token', file, ...config], { now })
  t.equal(good.code, 0)

  const cases: [argv: string[], code: number, message: RegExp][] = [
    [[file], 2, /no issuers are configured, so every token is refused/],
    [['nowhere', ...config], 1, /token file nowhere cannot be read: ENOENT/],
    [[folder, ...config], 1, /cannot be read: EISDIR/],
    [[file, '--ca-issuers-file', file], 1, /.+/],
    [[file, '--ca-issuers-file', join(folder, 'none')], 1, /none cannot be read/]
  ]
  for (const [argv, code, message] of cases) {
    const result = await runCommand(['ca', 'explain-token', ...argv], { now })
    t.equal(result.code, code, argv.join(' '))
    t.match(result.stderr, message)
  }
  const endless = Readable.from([Buffer.alloc(100_000), Buffer.alloc(100_000)])
  const long = await runCommand(['ca', 'explain-token', '-', ...config], { now, stdin: endless })
  t.match(long.stderr, /token file - cannot be read: longer than 131072 bytes/)
})
