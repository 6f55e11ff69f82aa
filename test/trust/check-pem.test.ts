import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { encodePem } from '../../src/encoding/pem.js'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import { checkTrustFile, type TrustFinding } from '../../src/trust/check.js'
import type { TrustState } from '../../src/trust/contract.js'
import { buildDownloads } from '../../src/trust/downloads.js'
import { buildTrustTargets } from '../../src/trust/targets.js'
import { spkiOf } from '../helpers/certificates.js'
import { createTrustState, NOW_SECONDS } from '../helpers/trust-state.js'

const state = await createTrustState()
const stranger = await createTrustState()

function check(text: string, of: TrustState = state, nowSeconds = NOW_SECONDS) {
  return checkTrustFile({ bytes: encodeUtf8(text), state: of, nowSeconds })
}

function places(findings: readonly TrustFinding[]): readonly string[] {
  return findings.map(({ severity, where }) => `${severity} ${where}`)
}

function files(of: TrustState): ReadonlyMap<string, string> {
  return new Map(
    [...buildTrustTargets(of), ...buildDownloads(of)].map(({ name, bytes }) => [
      name.replace(/[0-9a-f]{16}/, 'OLD'),
      decodeUtf8(bytes)
    ])
  )
}

const ours = files(state)

function file(name: string, of = ours): string {
  const text = of.get(name)
  if (text === undefined) throw new Error(`no ${name}`)
  return text
}

/** The certificates of a file, one text each. */
function blocks(name: string): readonly string[] {
  return file(name).match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/g) ?? []
}

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const [tsaLeaf = '', tsaIntermediate = '', tsaRoot = ''] = blocks('tsa-chain.pem')
const [issuing = '', root = ''] = blocks('fulcio-chain.pem')

const CASES: Readonly<
  Record<
    string,
    { readonly text: string; readonly found: readonly string[]; readonly says: RegExp }
  >
> = {
  'log key in use': { text: file('rekor.pub'), found: ['ok PEM block 1'], says: /log in use/ },
  'certificate log key in use': {
    text: `# a comment\r\n${file('ctfe.pub').replaceAll('\n', '\r\n')}`,
    found: ['ok PEM block 1'],
    says: /certificate log in use/
  },
  'older log key': {
    text: file('rekor-OLD.pub'),
    found: ['warning PEM block 1'],
    says: /until 2026-06-30T00:00:00Z: take rekor\.pub/
  },
  'older certificate log key': {
    text: file('ctfe-OLD.pub'),
    found: ['warning PEM block 1'],
    says: /take ctfe\.pub/
  },
  'key of another instance': {
    text: file('rekor.pub', files(stranger)),
    found: ['error PEM block 1'],
    says: /no log of this server/
  },
  'several keys': {
    text: file('rekor.pub') + file('ctfe.pub'),
    found: ['warning file', 'ok PEM block 1', 'ok PEM block 2'],
    says: /cosign reads the first only/
  },
  'key that is none': {
    text: encodePem('PUBLIC KEY', Uint8Array.of(0x30, 0)),
    found: ['error PEM block 1'],
    says: /no public key/
  },
  'chain of the certificate authority': {
    text: file('fulcio-chain.pem'),
    found: ['ok PEM block 1 to 2'],
    says: /certificate authority in use/
  },
  'all of its chains': {
    text: file('fulcio-all.pem'),
    found: ['ok PEM block 1 to 2', 'ok PEM block 3 to 4'],
    says: /in use/
  },
  'older chain of the certificate authority': {
    text: file('fulcio-chain-OLD.pem'),
    found: ['warning PEM block 1 to 2'],
    says: /had before: take fulcio-chain\.pem/
  },
  'chain of the timestamp authority': {
    text: file('tsa-chain.pem'),
    found: ['ok PEM block 1 to 3'],
    says: /timestamp authority in use/
  },
  'older chain of the timestamp authority': {
    text: file('tsa-chain-OLD.pem'),
    found: ['warning PEM block 1 to 2'],
    says: /take tsa-chain\.pem/
  },
  'two chains of timestamp authorities': {
    text: file('tsa-chain.pem') + file('tsa-chain-OLD.pem'),
    found: ['ok PEM block 1 to 3', 'ok PEM block 4 to 5', 'warning file'],
    says: /in use/
  },
  'chain reversed': {
    text: root + issuing,
    found: ['error PEM block 1 to 2'],
    says: /root first: turn it round/
  },
  'chain out of order': {
    text: tsaIntermediate + tsaLeaf + tsaRoot,
    found: ['error PEM block 1 to 3'],
    says: /not in the order of issuing/
  },
  'root alone': { text: root, found: ['warning PEM block 1'], says: /that sign are missing/ },
  'issuing certificate alone': {
    text: issuing,
    found: ['warning PEM block 1'],
    says: /above the first are missing: take fulcio-chain\.pem/
  },
  'TSA leaf alone': {
    text: file('tsa_leaf.crt.pem'),
    found: ['warning PEM block 1'],
    says: /sigstore-python wants two/
  },
  'certificate of another instance': {
    text: file('fulcio-chain.pem', files(stranger)),
    found: ['error PEM block 1 to 2'],
    says: /no authority of this server/
  },
  'certificate that is none': {
    text: encodePem('CERTIFICATE', Uint8Array.of(0x30, 0)),
    found: ['error PEM block 1'],
    says: /no certificate/
  },
  'private key': { text: privatePem, found: ['error file'], says: /private key .* delete/ },
  'private key beside a public one': {
    text: file('rekor.pub') + privatePem,
    found: ['error file'],
    says: /private key/
  },
  'private key of cosign, damaged': {
    text: '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nsecret\n',
    found: ['error file'],
    says: /private key/
  },
  'another kind of block': {
    text: encodePem('RSA PUBLIC KEY', Uint8Array.of(0x30, 0)),
    found: ['error PEM block 1'],
    says: /"RSA PUBLIC KEY"/
  },
  'damaged block': {
    text: file('rekor.pub').replace('END PUBLIC', 'END BUBLIC'),
    found: ['error file'],
    says: /1 damaged/
  },
  'damaged block among others': {
    text: `${file('rekor.pub').replace('END PUBLIC', 'END BUBLIC')}${file('ctfe.pub')}`,
    found: ['error file', 'ok PEM block 1'],
    says: /1 damaged/
  },
  'too many blocks': {
    text: encodePem('X', Uint8Array.of(1)).repeat(200),
    found: ['error file', ...Array.from({ length: 100 }, (_, i) => `error PEM block ${i + 1}`)],
    says: /100 PEM blocks or more/
  },
  'too large': {
    text: `${file('rekor.pub')}${' '.repeat(1 << 20)}`,
    found: ['error file'],
    says: /too large/
  }
}

for (const [title, { text, found, says }] of Object.entries(CASES)) {
  t.test(title, (t) => {
    const findings = check(text)
    t.same(places(findings), found)
    t.match(findings[0]?.message, says)
    t.end()
  })
}

t.test('nothing of a private key is repeated', (t) => {
  const findings = JSON.stringify(check(privatePem))
  const lines = privatePem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'))
  t.ok(lines.length > 1)
  for (const line of lines) t.notOk(findings.includes(line.slice(0, 8)))
  t.end()
})

t.test('a chain in use that has expired', (t) => {
  const aYearOn = NOW_SECONDS + 365 * 24 * 3600
  t.same(places(check(file('tsa-chain.pem'), state, aYearOn)), [
    'error PEM block 1',
    'error PEM block 2',
    'error PEM block 3'
  ])
  const [early] = check(file('fulcio-chain.pem'), state, 0)
  t.match(early?.message, /valid only from .*: look at the clock/)
  t.end()
})

t.test('a server without any service knows nothing', (t) => {
  const none = {
    ...state,
    rekorLogs: [],
    ctLogs: [],
    certificateAuthorities: [],
    timestampAuthorities: []
  }
  for (const name of ['rekor.pub', 'fulcio-chain.pem', 'tsa-chain.pem']) {
    t.ok(
      check(file(name), none).every(({ severity }) => severity === 'error'),
      name
    )
  }
  const key = encodePem('PUBLIC KEY', spkiOf(pair.publicKey))
  t.same(places(check(key, none)), ['error PEM block 1'])
  t.end()
})

t.test('damage of any byte: findings, and never a throw', (t) => {
  for (const name of ['tsa-chain.pem', 'rekor.pub']) {
    const bytes = encodeUtf8(file(name))
    for (let i = 0; i < bytes.length; i += 7) {
      const damaged = Uint8Array.from(bytes)
      damaged[i] = (damaged[i] ?? 0) ^ 0x02
      const findings = checkTrustFile({ bytes: damaged, state, nowSeconds: NOW_SECONDS })
      if (findings.length === 0) t.fail(`${name} ${i}`)
    }
  }
  t.pass()
  t.end()
})
