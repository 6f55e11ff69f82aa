import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import {
  createChainChecker,
  MAX_CERTIFICATE_BYTES,
  MAX_CHAIN_CERTIFICATES
} from '../../src/ct/chain.js'
import type { SubmissionKind } from '../../src/ct/contract.js'
import { mutate } from '../helpers/mutations.js'
import { createTestAuthority } from '../helpers/ct-log.js'
import { pemBytes } from '../helpers/ct-vectors.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

const authority = await createTestAuthority()
const stranger = await createTestAuthority()
const { root, issuing } = authority
const certificate = await authority.issue('certificate')
const precertificate = await authority.issue('precertificate')
const { check } = createChainChecker(() => [stranger.root.der, root.der])

t.test('chains that may be logged', async (t) => {
  const full = await check('precertificate', [precertificate, issuing.der, root.der])
  t.strictSame(full.submitted.der, precertificate)
  t.strictSame(full.issuer.der, issuing.der)
  t.strictSame(full.rest, [issuing.der, root.der])
  const short = await check('certificate', [certificate, issuing.der])
  t.strictSame(short.rest, [issuing.der, root.der], 'the root is added')
})

t.test('an intermediate may be the accepted root', async (t) => {
  const { check } = createChainChecker(() => [issuing.der])
  t.strictSame((await check('certificate', [certificate, issuing.der])).rest, [issuing.der])
  t.strictSame((await check('certificate', [certificate])).rest, [issuing.der])
})

t.test('expired certificates are logged all the same', async (t) => {
  const old = await createTestAuthority(1_000_000_000_000)
  const { check } = createChainChecker(() => [old.root.der])
  t.ok(await check('certificate', [await old.issue('certificate'), ...old.chain]))
})

t.test('roots may change at any time', async (t) => {
  const roots: Uint8Array[] = []
  const { check } = createChainChecker(() => roots)
  const submit = () => check('certificate', [certificate, issuing.der])
  t.match(await refusalText(submit), /does not lead to an accepted root/)
  roots.push(root.der)
  t.ok(await submit())
})

t.test('chains that may not', async (t) => {
  const other = await stranger.issue('certificate')
  const twin = await createTestAuthority()
  const cases: [name: string, kind: SubmissionKind, chain: Uint8Array[], message: RegExp][] = [
    ['nothing', 'certificate', [], /^invalid_request: chain: empty$/],
    [
      'too many',
      'certificate',
      Array<Uint8Array>(MAX_CHAIN_CERTIFICATES + 1).fill(root.der),
      /chain: 11 certificates, at most 10/
    ],
    [
      'too large',
      'certificate',
      [new Uint8Array(MAX_CERTIFICATE_BYTES + 1)],
      /chain\[0\]: certificate of 65537 bytes, at most 65536/
    ],
    ['no certificate', 'certificate', [Uint8Array.of(0x30, 0)], /chain\[0\]: x509: malformed/],
    [
      'no certificate behind it',
      'certificate',
      [certificate, Uint8Array.of(1)],
      /chain\[1\]: x509: malformed/
    ],
    [
      'bytes after a certificate',
      'certificate',
      [Uint8Array.from([...certificate, 0])],
      /chain\[0\]: .*trailing data/
    ],
    [
      'a precertificate for a certificate',
      'certificate',
      [precertificate, ...authority.chain],
      /cert \/ precert mismatch: chain\[0\] is a precertificate/
    ],
    [
      'a certificate for a precertificate',
      'precertificate',
      [certificate, ...authority.chain],
      /cert \/ precert mismatch: chain\[0\] is a certificate/
    ],
    ['a root', 'certificate', [root.der], /not for code signing/],
    ['the leaf alone', 'certificate', [certificate], /does not lead to an accepted root/],
    [
      'the wrong order',
      'certificate',
      [certificate, root.der, issuing.der],
      /^verification_failed: /
    ],
    [
      'an issuer of another',
      'certificate',
      [other, ...authority.chain],
      /certificate 0 was not signed by the one after it/
    ],
    [
      'a root of the same name',
      'certificate',
      [certificate, issuing.der, twin.root.der],
      /does not lead to an accepted root/
    ],
    [
      'a leaf as issuer',
      'certificate',
      [certificate, certificate, issuing.der, root.der],
      /certificate 0 was not issued by the one after it: names differ/
    ]
  ]
  for (const [name, kind, chain, message] of cases) {
    t.match(await refusalText(() => check(kind, chain)), message, name)
  }
})

t.test('purposes other than code signing', async (t) => {
  const dir = t.testdir({})
  const make = (...ext: string[]): Uint8Array => {
    const args = [
      'req',
      '-x509',
      '-new',
      '-nodes',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256'
    ]
    const rest = [
      '-keyout',
      join(dir, 'key'),
      '-subj',
      '/CN=x',
      ...ext.flatMap((text) => ['-addext', text])
    ]
    const pem = execFileSync('openssl', [...args, ...rest], { stdio: ['ignore', 'pipe', 'ignore'] })
    return pemBytes(pem.toString())
  }
  const web = make('extendedKeyUsage=serverAuth')
  const code = make('extendedKeyUsage=serverAuth,codeSigning')
  const { check } = createChainChecker(() => [web, code])
  t.match(await refusalText(() => check('certificate', [web])), /not for code signing/)
  const alone = await check('certificate', [code])
  t.strictSame([alone.issuer.der, alone.rest], [code, []], 'an accepted root may be logged itself')
})

t.test('a byte changed anywhere is noticed', async (t) => {
  const random = seededRandom(7)
  let refused = 0
  for (let i = 0; i < 300; i++) {
    const changed = mutate(precertificate, random)
    if (Buffer.from(changed).equals(precertificate)) continue
    const passed = await unlessRefused(() => check('precertificate', [changed, ...authority.chain]))
    t.equal(passed, undefined)
    refused++
  }
  t.ok(refused > 250)
})
