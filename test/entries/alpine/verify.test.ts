import { createPublicKey } from 'node:crypto'
import t from 'tap'
import { encodeHex } from '../../../src/encoding/hex.js'
import { encodePem } from '../../../src/encoding/pem.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { parseAlpine } from '../../../src/entries/alpine/parse.js'
import { verifyAlpine } from '../../../src/entries/alpine/verify.js'
import { sha256 } from '../../../src/keys/sha256.js'
import {
  type ApkKey,
  DATA,
  datahash,
  ecKey,
  ed25519Key,
  gzip,
  join,
  rsaKey,
  signedApk,
  tarFile,
  type ApkParts
} from '../../helpers/apk.js'
import { certificate, general, subjectAltName } from '../../helpers/certificates.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

const OPTIONS = { maxAttestationBytes: 0 }
const FIXTURE = {
  publicKey: rekorVector('alpine/test_alpine.pub'),
  content: rekorVector('alpine/test_alpine.apk'),
  hash: undefined
}
const RSA = rsaKey()

const pkginfoOf = (leafValue: Uint8Array) =>
  (
    JSON.parse(Buffer.from(leafValue).toString()) as {
      spec: { package: { pkginfo: Record<string, string> } }
    }
  ).spec.package.pkginfo

const entryOf = ({ pem }: ApkKey, content: Uint8Array) => ({
  publicKey: pem,
  content,
  hash: undefined
})
const verify = ({ key, pem }: ApkKey, parts: Omit<ApkParts, 'key'> = {}) =>
  verifyAlpine(entryOf({ key, pem }, signedApk({ key, ...parts })), OPTIONS)

t.test('the limit of metadata', async (t) => {
  const { canonicalBody } = computedVector('alpine')
  const leafWith = async (maxApkMetadataBytes: number | undefined) => {
    const { leafValue } = await verifyAlpine(FIXTURE, { ...OPTIONS, maxApkMetadataBytes })
    return Buffer.from(leafValue).toString()
  }
  t.equal(await leafWith(undefined), canonicalBody, 'by default')
  t.equal(await leafWith(1024), canonicalBody)
  t.equal(await leafWith(0), canonicalBody, 'none')
  t.equal(
    await refusalText(() => leafWith(1023)),
    'invalid_request: decompressed size (1024) for signature.tar.gz exceeds max allowed size 1023'
  )
})

t.test('keys', async (t) => {
  const keys: readonly (readonly [name: string, key: ApkKey])[] = [
    ['RSA 1024', rsaKey(1024)],
    ['RSA 2048', RSA],
    ['P-256', ecKey('P-256')],
    ['P-384', ecKey('P-384')],
    ['P-521', ecKey('P-521')]
  ]
  for (const [name, key] of keys) {
    const { leafValue, searchKeys } = await verify(key)
    t.same(pkginfoOf(leafValue), { pkgname: 'test', datahash: datahash(DATA) }, name)
    t.equal(searchKeys[0], encodeHex(sha256(key.pem)), name)
  }
  t.ok(await verify(ecKey('P-256'), { dsaEncoding: 'ieee-p1363' }), 'IEEE P1363')
})

t.test('certificates', async (t) => {
  const { key } = ecKey('P-256')
  const names = subjectAltName([general.email('A@example.com'), general.dns('example.com')])
  const leaf = encodePem(
    'CERTIFICATE',
    certificate({ key: createPublicKey(key), extensions: [names] })
  )
  const stranger = encodePem('CERTIFICATE', certificate())
  for (const [name, publicKey] of [
    ['one', leaf],
    // Only the first counts for alpine (rekor-v1 §7.1).
    ['a chain that is none', leaf + stranger]
  ] as const) {
    const entry = { publicKey: encodeUtf8(publicKey), content: signedApk({ key }), hash: undefined }
    const { searchKeys } = await verifyAlpine(entry, OPTIONS)
    t.same(
      searchKeys,
      [
        encodeHex(sha256(encodeUtf8(publicKey))),
        'example.com',
        'a@example.com',
        `sha256:${encodeHex(sha256(entry.content))}`
      ],
      name
    )
    const other = { ...entry, publicKey: encodeUtf8(stranger + leaf) }
    t.match(await refusalText(() => verifyAlpine(other, OPTIONS)), 'verification_failed: ', name)
  }
})

t.test('the same package, whoever asks', async (t) => {
  const spec = computedVector('alpine').proposedEntry.spec as { package: { content: string } }
  const hash = {
    algorithm: 'sha256',
    value: 'a8ccb330c68d349b76378fad43cb6a1f6433b3418a7577fb02d9577ac0c49047'
  }
  const entry = parseAlpine({ ...spec, package: { ...spec.package, hash } })
  const { leafValue } = await verifyAlpine(entry, OPTIONS)
  t.equal(Buffer.from(leafValue).toString(), computedVector('alpine').canonicalBody)
  const other = { ...hash, value: '0'.repeat(64) }
  t.equal(
    await refusalText(() => verifyAlpine({ ...entry, hash: other }, OPTIONS)),
    `verification_failed: SHA mismatch: ${hash.value} != ${other.value}`
  )
  t.equal(
    await refusalText(() => verifyAlpine({ ...entry, content: undefined }, OPTIONS)),
    `verification_failed: SHA mismatch: ${encodeHex(sha256(new Uint8Array(0)))} != ${hash.value}`,
    'a committed form'
  )
})

t.test('what .PKGINFO says goes into the leaf', async (t) => {
  const hash = datahash(DATA)
  const { leafValue } = await verify(RSA, {
    pkginfo: `# made by hand\nurl = https://example.com/#top\ndepend = a\ndepend = b\ndatahash = ${hash}\n__proto__ = c`
  })
  t.same(Object.entries(pkginfoOf(leafValue)), [
    ['__proto__', 'c'],
    ['datahash', hash],
    ['depend', 'b'],
    ['url', 'https://example.com/']
  ])
  const upper = await verify(RSA, { pkginfo: `datahash = ${hash.toUpperCase()}` })
  t.equal(pkginfoOf(upper.leafValue)['datahash'], hash.toUpperCase(), 'digits of either case')
})

t.test('data of several members, or none', async (t) => {
  t.ok(await verify(RSA, { data: join(gzip('one'), gzip('two'), Uint8Array.of(1)) }))
  t.ok(await verify(RSA, { data: new Uint8Array(0) }))
})

t.test('a data hash that does not match', async (t) => {
  const pkginfo = (text: string) => refusalText(() => verify(RSA, { pkginfo: text }))
  const mismatch = (stated: string) =>
    `verification_failed: checksum for data.tar.gz (${datahash(DATA)}) does not match value from .PKGINFO (${stated})`
  t.equal(await pkginfo(`datahash = ${'00'.repeat(32)}`), mismatch('00'.repeat(32)))
  t.equal(await pkginfo('datahash = ab'), mismatch('ab'))
  t.equal(await pkginfo('pkgname = a'), mismatch(''), 'none')
  t.equal(await pkginfo(''), mismatch(''), 'nothing at all')
  t.equal(
    await pkginfo(`datahash = ${datahash(DATA)}\n[DEFAULT]\ndatahash = cd`),
    mismatch('cd'),
    'the last of two'
  )
  t.equal(
    await pkginfo('datahash = a'),
    'invalid_request: parsing datahash: not valid hex: odd length'
  )
  t.equal(await pkginfo('datahash = xy'), 'invalid_request: parsing datahash: not valid hex')
  t.equal(
    await pkginfo(`datahash = ${'00'.repeat(33)}`),
    'invalid_request: parsing datahash: too many digits'
  )
  const apk = signedApk({ key: RSA.key })
  const more = join(apk, Uint8Array.of(0))
  t.match(
    await refusalText(() => verifyAlpine(entryOf(RSA, more), OPTIONS)),
    'does not match value from .PKGINFO',
    'a byte behind'
  )
  const less = apk.slice(0, -1)
  t.match(
    await refusalText(() => verifyAlpine(entryOf(RSA, less), OPTIONS)),
    'does not match value from .PKGINFO',
    'a byte less'
  )
})

t.test('signatures that are none', async (t) => {
  const failed = 'verification_failed: crypto/rsa: verification error'
  const signed = (make: (signature: Uint8Array) => Uint8Array) =>
    refusalText(() => verify(RSA, { signatureTar: (bytes) => tarFile('.SIGN.RSA.a', make(bytes)) }))
  t.equal(await signed((bytes) => bytes.map((byte) => byte ^ 1)), failed)
  t.equal(await signed((bytes) => bytes.slice(1)), failed)
  t.equal(await signed(() => new Uint8Array(0)), failed, 'empty')
  t.equal(await signed(() => seededRandom(1).bytes(100_000)), failed, 'long')
  t.equal(
    await refusalText(() => verifyAlpine(entryOf(rsaKey(), signedApk(RSA)), OPTIONS)),
    failed,
    'another key'
  )
})

t.test('keys of the wrong kind', async (t) => {
  const ed25519 = ed25519Key()
  const apk = signedApk(RSA)
  const refused = (publicKey: Uint8Array) =>
    refusalText(() => verifyAlpine({ publicKey, content: apk, hash: undefined }, OPTIONS))
  t.equal(
    await refused(ed25519.pem),
    'verification_failed: unsupported hash algorithm: "SHA-1" not in [SHA-512]'
  )
  t.match(await refused(ecKey('P-256').pem), 'verification_failed: ')
  t.equal(
    await refused(rekorVector('rpm/test_rpm_public_key.key')),
    'invalid_request: invalid public key: failure decoding PEM'
  )
  t.equal(
    await refused(rekorVector('pki/minisign/minisign.pub')),
    'invalid_request: invalid public key: failure decoding PEM'
  )
  t.equal(await refused(apk), 'invalid_request: invalid public key: failure decoding PEM', 'apk')
})

t.test('strangers bytes are refused and nothing else', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const accepted: string[] = []
  for (let i = 0; i < 600; i++) {
    const content = mutate(FIXTURE.content, random)
    const verified = await unlessRefused(() => verifyAlpine({ ...FIXTURE, content }, OPTIONS))
    // The header of the first member has a time, a name of an operating system and nothing to protect it.
    if (verified !== undefined && !isSamePackage(content)) accepted.push(encodeHex(content))
  }
  t.same(accepted, [])
})

function isSamePackage(content: Uint8Array): boolean {
  return encodeHex(content).endsWith(encodeHex(FIXTURE.content.subarray(407)))
}
