import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import type { BootstrapContent } from '../../src/trust/bootstrap-contract.js'
import type { TrustState } from '../../src/trust/contract.js'
import {
  BARE,
  FULL,
  HOSTILE,
  ISSUER,
  NO_CT,
  NO_TSA,
  PUBLIC_URL,
  STATES,
  build,
  guideOf,
  hostile
} from '../helpers/bootstrap.js'

const TSA = `${PUBLIC_URL}/api/v1/timestamp`

t.test('every shell can read the lines', async (t) => {
  for (const [name, state] of Object.entries(STATES)) {
    for (const content of [build(state), hostile(state)]) {
      for (const { id, lines } of content.clients) {
        for (const shell of ['bash', 'sh']) {
          const { status, stderr } = spawnSync(shell, ['-n'], { input: lines })
          t.equal(status, 0, `${name}, ${id}, ${shell}: ${stderr.toString()}`)
        }
      }
    }
  }
})

const PROGRAMS = [
  ...['curl', 'cosign', 'git', 'gitsign', 'rekor-cli', 'sigstore-go-signing'],
  ...['sigstore-go-verification', 'npm', 'sigstore', 'kubectl', 'helm']
]

/**
 * Runs all lines from top to bottom with programs that only write down how they were called. curl brings the files.
 *
 * @returns the calls by guide
 */
function runLines(t: Test, content: BootstrapContent, shell: string): Map<string, string[][]> {
  const dir = t.testdir({ bin: {}, files: {}, home: { node_modules: { sigstore: {} } } })
  for (const { name, bytes } of content.files) writeFileSync(`${dir}/files/${name}`, bytes)
  for (const program of PROGRAMS) {
    const path = `${dir}/bin/${program}`
    writeFileSync(
      path,
      `#!/bin/bash
printf '%s\\0' ${program} "$@" >> "$CALLS"
printf '\\1' >> "$CALLS"
case "${program} $1" in
  curl*) cp "$FILES/\${!###*/}" . ;;
  'cosign generate-key-pair') touch cosign.key cosign.pub ;;
  'git init') mkdir "\${!#}" ;;
  sigstore-go-signing*) printf 'public key\\n\\n{"bundle":1}\\n' ;;
esac
`
    )
    chmodSync(path, 0o755)
  }
  writeFileSync(
    `${dir}/home/node_modules/sigstore/index.js`,
    `const { appendFileSync } = require('node:fs')
const call = (name) => async (...args) => {
  const words = [name, ...args.map((arg) => Buffer.isBuffer(arg) ? arg.toString() : JSON.stringify(arg))]
  appendFileSync(process.env.CALLS, words.map((word) => word + '\\0').join('') + '\\x01')
  return { bundle: 2 }
}
exports.sign = call('sign')
exports.verify = call('verify')
`
  )
  const calls = new Map<string, string[][]>()
  const script = content.clients
    .map(({ id, lines }) => `export CALLS='${dir}/calls-${id}'\n${lines}`)
    .join('')
  const { status, stderr } = spawnSync(shell, ['-e'], {
    cwd: `${dir}/home`,
    input: script,
    env: {
      PATH: `${dir}/bin:${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: `${dir}/home`,
      FILES: `${dir}/files`,
      SIGSTORE_ID_TOKEN: 'a.b.c'
    }
  })
  t.equal(status, 0, `${shell}: ${stderr.toString()}`)
  for (const { id } of content.clients) {
    const text = readFileSync(`${dir}/calls-${id}`, 'utf8')
    calls.set(
      id,
      text
        .split('\x01')
        .slice(0, -1)
        .map((call) => call.split('\0').slice(0, -1))
    )
  }
  const made = readdirSync(`${dir}/home`, { recursive: true }).map(String)
  t.notOk(
    made.some((name) => name.includes('pwned')),
    'nothing was run that was only named'
  )
  for (const [name, text] of [
    ['hello.go.sigstore.json', '{"bundle":1}\n'],
    ['hello.js.sigstore.json', '{"bundle":2}']
  ] as const) {
    if (content.issuers.length === 0) continue
    t.equal(readFileSync(`${dir}/home/sigstead-trust/${name}`, 'utf8'), text)
  }
  return calls
}

/** What each program has to be told: clients §4 to §11. */
function expectedCalls(content: BootstrapContent, odd: string): Record<string, string[][]> {
  const [url, issuer] = [`${PUBLIC_URL}${odd}`, `${ISSUER}${odd}`]
  const [mirror, tsa] = [`${url}/tuf`, `${TSA}${odd}`]
  const who = 'you@example.com'
  const expecting = ['--certificate-identity', who, '--certificate-oidc-issuer', issuer]
  const initialize = ['initialize', '--mirror', mirror, '--root', 'root.json']
  const stamp = (file: string) => ['--timestamp-server-url', tsa, '--rfc3161-timestamp', file]
  const stamped = (file: string) => ['--rfc3161-timestamp', file, '--use-signed-timestamps']
  const hello = (bundle: string) => ['--bundle', bundle, 'hello.txt']
  const own = ['--key', 'cosign.key']
  const other = ['--key', 'cosign.pub']
  const trusted = ['--trusted-root', 'trusted_root.json']
  const goTuf = ['-tufRootURL', mirror, '-tufTrustedRoot', 'root.json']
  const goKey = ['-artifact', 'hello.txt', '-publicKey', 'cosign.pub', '-requireCTlog=false']
  const python = ['sigstore', '--instance', mirror]
  const pythonExpecting = ['--cert-identity', who, '--cert-oidc-issuer', issuer]
  return {
    files: content.files.map(({ name }) => ['curl', '-sSfO', `${url}/bootstrap/${name}`]),
    'cosign-3': [
      initialize,
      ['sign-blob', '--yes', ...hello('hello.sigstore.json')],
      ['verify-blob', ...expecting, '--use-signed-timestamps', ...hello('hello.sigstore.json')],
      ['generate-key-pair'],
      ['sign-blob', '--yes', ...own, ...hello('hello.key.sigstore.json')],
      ['verify-blob', ...other, '--use-signed-timestamps', ...hello('hello.key.sigstore.json')],
      [
        'sign-blob',
        '--yes',
        ...own,
        '--signing-config',
        'signing_config.v0.2.json',
        ...trusted,
        ...hello('hello.files.sigstore.json')
      ],
      [
        'verify-blob',
        ...other,
        ...trusted,
        '--use-signed-timestamps',
        ...hello('hello.files.sigstore.json')
      ]
    ].map((args) => ['cosign', ...args]),
    'cosign-2': [
      initialize,
      [
        'sign-blob',
        '--yes',
        '--fulcio-url',
        url,
        '--rekor-url',
        url,
        '--oidc-issuer',
        issuer,
        ...stamp('hello.ts.json'),
        ...hello('hello.bundle')
      ],
      ['verify-blob', ...expecting, ...stamped('hello.ts.json'), ...hello('hello.bundle')],
      [
        'sign-blob',
        '--yes',
        ...own,
        '--rekor-url',
        url,
        ...stamp('hello.key.ts.json'),
        ...hello('hello.key.bundle')
      ],
      ['verify-blob', ...other, ...stamped('hello.key.ts.json'), ...hello('hello.key.bundle')],
      [
        'sign-blob',
        '--yes',
        ...own,
        '--rekor-url',
        url,
        '--new-bundle-format',
        ...hello('hello.new.sigstore.json')
      ],
      [
        'verify-blob',
        ...other,
        '--new-bundle-format',
        ...trusted,
        ...hello('hello.new.sigstore.json')
      ]
    ].map((args) => ['cosign', ...args]),
    gitsign: [
      ['gitsign', ...initialize],
      ['git', 'init', '--quiet', 'hello-repository'],
      ...[
        ['gpg.format', 'x509'],
        ['gpg.x509.program', 'gitsign'],
        ['commit.gpgsign', 'true'],
        ['gitsign.fulcio', url],
        ['gitsign.rekor', url],
        ['gitsign.issuer', issuer],
        ['gitsign.timestampServerURL', tsa],
        ['gitsign.timestampCertChain', '<dir>/hello-repository/../tsa-all.pem']
      ].map((setting) => ['git', 'config', ...setting]),
      ['git', 'commit', '--allow-empty', '-m', 'A signed commit'],
      ['gitsign', 'verify', ...expecting, 'HEAD']
    ],
    'rekor-cli': [
      ['rekor-cli', 'loginfo'],
      ['rekor-cli', 'get', '--log-index', '0']
    ],
    'sigstore-go': [
      [
        'sigstore-go-signing',
        '-signing-config',
        'signing_config.v0.2.json',
        '-trusted-root',
        'trusted_root.json',
        '-rekor',
        '-tsa',
        '-id-token',
        'a.b.c',
        'hello.txt'
      ],
      [
        'sigstore-go-verification',
        '-artifact',
        'hello.txt',
        ...goTuf,
        '-expectedIssuer',
        issuer,
        '-expectedSAN',
        who,
        'hello.go.sigstore.json'
      ],
      ['sigstore-go-verification', ...goKey, ...goTuf, 'hello.key.sigstore.json'],
      [
        'sigstore-go-verification',
        ...goKey,
        '-trustedrootJSONpath',
        'trusted_root.json',
        'hello.key.sigstore.json'
      ]
    ],
    'sigstore-js': [
      ['npm', 'install', 'sigstore'],
      [
        'sign',
        'hello\n',
        JSON.stringify({ fulcioURL: url, rekorURL: url, tsaServerURL: tsa, identityToken: 'a.b.c' })
      ],
      [
        'verify',
        '{"bundle":2}',
        'hello\n',
        JSON.stringify({
          tufMirrorURL: mirror,
          tufRootPath: 'root.json',
          certificateIdentityEmail: who,
          certificateIssuer: issuer
        })
      ]
    ],
    'sigstore-python': [
      [...python, 'trust-instance', 'root.json'],
      [...python, 'sign', ...hello('hello.py.sigstore.json')],
      [...python, 'verify', 'identity', ...pythonExpecting, ...hello('hello.py.sigstore.json')],
      [
        'sigstore',
        '--trust-config',
        'client_trust_config.json',
        'verify',
        'identity',
        ...pythonExpecting,
        ...hello('hello.py.sigstore.json')
      ]
    ],
    'policy-controller': [
      ['kubectl', 'apply', '-f', 'policy-controller.yaml'],
      ['kubectl', 'label', 'namespace', 'default', 'policy.sigstore.dev/include=true']
    ],
    kyverno: [
      ['kubectl', 'apply', '-f', 'kyverno.yaml'],
      [
        'helm',
        'upgrade',
        'kyverno',
        'kyverno/kyverno',
        '--namespace',
        'kyverno',
        '--reuse-values',
        '--values',
        'kyverno-values.yaml'
      ]
    ]
  }
}

for (const shell of ['bash', 'sh']) {
  for (const [name, content, odd] of [
    ['plain', build(), ''],
    ['hostile', hostile(), HOSTILE]
  ] as const) {
    t.test(`what programs are told, ${name}, by ${shell}`, async (t) => {
      const calls = runLines(t, content, shell)
      const expected = expectedCalls(content, odd)
      t.same([...calls.keys()], Object.keys(expected))
      for (const [id, made] of calls) {
        const general = made.map((call) =>
          call.map((word) =>
            word.replace(/^\/.*(?=\/hello-repository\/\.\.\/tsa-all\.pem$)/, '<dir>')
          )
        )
        t.same(general, expected[id], id)
      }
    })
  }
}

t.test('nothing is named that this server does not have', async (t) => {
  const calls = new Map(
    [FULL, NO_CT, NO_TSA, BARE].map((state) => [state, runLines(t, build(state), 'bash')])
  )
  const flagsOf = (state: TrustState, id: string) => calls.get(state)?.get(id)?.flat() ?? []
  for (const id of ['cosign-2', 'cosign-3']) {
    const flags = (state: TrustState) => flagsOf(state, id)
    const all = flags(FULL)
    t.ok(all.includes('--use-signed-timestamps') && all.includes('--certificate-identity'))
    t.notOk(all.includes('--insecure-ignore-sct'))
    const noTsa = flags(NO_TSA)
    for (const flag of [
      '--use-signed-timestamps',
      '--rfc3161-timestamp',
      '--timestamp-server-url'
    ]) {
      t.notOk(noTsa.includes(flag), flag)
    }
    t.ok(flags(NO_CT).includes('--insecure-ignore-sct'))
    const bare = flags(BARE)
    for (const flag of ['--certificate-identity', '--fulcio-url', '--oidc-issuer']) {
      t.notOk(bare.includes(flag), flag)
    }
    t.ok(bare.includes('cosign.pub'), 'keys remain')
  }
  t.ok(flagsOf(NO_CT, 'cosign-2').includes('--insecure-skip-verify'))
  t.match(guideOf(build(NO_CT), 'gitsign').note, /insists on a CT log/)
  t.match(guideOf(build(NO_CT), 'sigstore-js').lines, /ctLogThreshold: 0/)
  t.same(build(BARE).issuers, [])
  const ids = build(BARE).clients.map(({ id }) => id)
  for (const id of ['gitsign', 'sigstore-js', 'sigstore-python']) t.notOk(ids.includes(id), id)
  const { lines } = guideOf(build(NO_TSA), 'gitsign')
  t.notMatch(lines, /timestamp/)
  t.notMatch(guideOf(build(), 'sigstore-python').note, /root of the host/)
  t.match(guideOf(hostile(), 'sigstore-python').note, /root of the host/)
})
