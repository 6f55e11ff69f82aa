import t from 'tap'
import { parseManifest } from '../../src/archive/jar-manifest.js'
import { verifySignatureFile } from '../../src/archive/jar-signature-file.js'
import { readZipDirectory } from '../../src/archive/zip-directory.js'
import { readWholeZipMember } from '../../src/archive/zip-member.js'
import { digest64 } from '../helpers/jar.js'
import { refusalText } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const MAIN = 'Manifest-Version: 1.0\r\n\r\n'
const ONE = 'Name: one\r\nSHA-256-Digest: x\r\n\r\n'
const TWO = 'Name: two\r\nSHA-256-Digest: y\r\n\r\n'
const MANIFEST = MAIN + ONE + TWO

const verify = (signatureFile: string, manifest = MANIFEST) => {
  const bytes = Buffer.from(manifest, 'latin1')
  verifySignatureFile(Buffer.from(signatureFile, 'latin1'), parseManifest(bytes), bytes)
}
const section = (name: string, digest: string) =>
  `Name: ${name}\r\nSHA-256-Digest: ${digest}\r\n\r\n`
const main = (...lines: readonly string[]) =>
  ['Signature-Version: 1.0', ...lines, '', ''].join('\r\n')
const MAIN_DIGEST = `SHA-256-Digest-Manifest-Main-Attributes: ${digest64(MAIN)}`

t.test('the one of a real JAR file, as it is and without the digest of the whole', async (t) => {
  const [manifest, signatureFile] = await Promise.all(
    readZipDirectory(rekorVector('jar/test.jar'))
      .slice(0, 2)
      .map((member) => readWholeZipMember(member, 2000))
  )
  if (manifest === undefined || signatureFile === undefined) throw new Error('nothing there')
  const read = parseManifest(manifest)
  const text = Buffer.from(signatureFile).toString('latin1')
  const sectionsOnly = text.replace(/SHA-256-Digest-Manifest: .*\r\n/, '')
  t.not(sectionsOnly, text)
  t.doesNotThrow(() => {
    verifySignatureFile(signatureFile, read, manifest)
    verifySignatureFile(Buffer.from(sectionsOnly, 'latin1'), read, manifest)
  })
})

t.test('what is good', async (t) => {
  const whole = main(`SHA-256-Digest-Manifest: ${digest64(MANIFEST)}`)
  const sections = main(MAIN_DIGEST)
  t.doesNotThrow(() => {
    verify(whole)
  }, 'all of it')
  t.doesNotThrow(() => {
    verify(whole + section('three', 'wrong'))
  }, 'sections do not matter then')
  t.doesNotThrow(() => {
    verify(sections + section('one', digest64(ONE)) + section('two', digest64(TWO)))
  }, 'section by section')
  t.doesNotThrow(() => {
    verify(sections + section('two', digest64(TWO)))
  }, 'a section that is not signed')
  t.doesNotThrow(() => {
    verify(sections)
  })
})

t.test('what is not', async (t) => {
  const wrong = digest64('wrong')
  const sections = main(MAIN_DIGEST)
  for (const [name, signatureFile, message] of [
    [
      'another manifest',
      main(`SHA-256-Digest-Manifest: ${wrong}`, MAIN_DIGEST),
      `verification_failed: manifest signature: Sha-256-Digest-Manifest mismatch: manifest ${wrong} != calculated ${digest64(MANIFEST)}`
    ],
    [
      'one good digest of two',
      main(`SHA-256-Digest-Manifest: ${digest64(MANIFEST)}`, `SHA1-Digest-Manifest: ${wrong}`),
      /^verification_failed: manifest signature: Sha1-Digest-Manifest mismatch/
    ],
    [
      'an unknown hash',
      main('SHA3-Digest-Manifest: x', MAIN_DIGEST),
      'unsupported: manifest signature: unknown digest key in manifest: SHA3'
    ],
    [
      'no digests',
      main(),
      'invalid_request: manifest main attributes signature: no recognized digests found'
    ],
    [
      'another main section',
      main(`SHA-256-Digest-Manifest-Main-Attributes: ${wrong}`),
      /^verification_failed: manifest main attributes signature: Sha-256-Digest-Manifest-Main-Attributes mismatch/
    ],
    [
      'another section',
      sections + section('one', digest64(TWO)),
      /^verification_failed: manifest signature over section "one": Sha-256-Digest mismatch/
    ],
    [
      'a section that is missing',
      sections + section('three', wrong),
      'verification_failed: manifest is missing signed section "three"'
    ],
    [
      'a section without digest',
      `${sections}Name: one\r\n\r\n`,
      'invalid_request: manifest signature over section "one": no recognized digests found'
    ],
    [
      'wrong line endings',
      `Signature-Version: 1.0\r\n${MAIN_DIGEST}\r\n`,
      'invalid_request: manifest has incorrect line ending sequence'
    ],
    ['nothing', '', 'invalid_request: manifest has no sections']
  ] as const) {
    t.match(
      await refusalText(() => {
        verify(signatureFile)
      }),
      message,
      name
    )
  }
})
