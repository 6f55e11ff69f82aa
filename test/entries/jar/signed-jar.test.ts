import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import { verifySignedJar } from '../../../src/entries/jar/signed-jar.js'
import { encodeNull } from '../../../src/encoding/der.js'
import { encodePem } from '../../../src/encoding/pem.js'
import {
  digest64,
  JAR_FILES,
  type JarParts,
  jarEntries,
  manifestOf,
  signatureFileOf,
  signedJar
} from '../../helpers/jar.js'
import { mutate } from '../../helpers/mutations.js'
import {
  attribute,
  newTestSigner,
  pkcs7,
  PKCS7_OID,
  pssAlgorithm,
  rsaSigner,
  signerInfo,
  signPkcs7,
  signPss,
  text,
  timestampToken,
  tstInfo
} from '../../helpers/pkcs7.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'
import { writeZip } from '../../helpers/zip.js'

const MIB = 1 << 20
const verify = (parts: JarParts = {}) => verifySignedJar(signedJar(parts), MIB)
const MANIFEST = manifestOf(JAR_FILES)

t.test('what is good', async (t) => {
  const block = await verifySignedJar(rekorVector('jar/test.jar'), MIB)
  t.equal(block.certificates.length, 2)
  const sectionDigest = (name: string, content: string) =>
    digest64(`Name: ${name}\r\nSHA-256-Digest: ${digest64(content)}\r\n\r\n`)
  const main = 'Manifest-Version: 1.0\r\nCreated-By: test\r\n\r\n'
  const cases: readonly (readonly [name: string, parts: JarParts])[] = [
    ['ECDSA', {}],
    ['RSA', { signer: { signer: rsaSigner }, extension: 'RSA' }],
    ['the content itself signed', { signer: { attributes: 'none' } }],
    ['signature file inside of the signature', { encapsulated: true }],
    [
      'RSA-PSS',
      {
        extension: 'RSA',
        signer: {
          signer: rsaSigner,
          signatureAlgorithm: pssAlgorithm('sha256', 32),
          signature: signPss(rsaSigner, 'sha256', 32)
        }
      }
    ],
    [
      'a timestamp',
      {
        signer: {
          unsigned: (signature) => [
            attribute(PKCS7_OID.timestampToken, timestampToken(tstInfo(signature)))
          ]
        }
      }
    ],
    ['other names', { alias: 'SIG-a', extension: 'SIG' }],
    ['files nobody lists', { after: [{ name: 'extra', content: 'extra' }] }],
    ['folders', { before: [{ name: 'META-INF/' }], after: [{ name: 'a/' }] }],
    ['no files at all', { files: {} }],
    ['an empty file', { files: { empty: '' } }],
    ['a large file', { files: { large: 'large '.repeat(MIB / 2) } }],
    ['stored files', { change: { 'a/One.class': { method: 0 } } }],
    [
      'a name that is no ASCII',
      { files: { 'gr\xc3\xb6\xc3\x9fe': 'x' }, manifest: manifestOf({ größe: 'x' }) }
    ],
    ['a manifest of LF', { manifest: MANIFEST.replaceAll('\r\n', '\n') }],
    [
      'sections signed one by one',
      {
        signatureFile:
          `Signature-Version: 1.0\r\nSHA-256-Digest-Manifest-Main-Attributes: ${digest64(main)}\r\n\r\n` +
          Object.entries(JAR_FILES)
            .map(
              ([name, content]) =>
                `Name: ${name}\r\nSHA-256-Digest: ${sectionDigest(name, content)}\r\n\r\n`
            )
            .join('')
      }
    ],
    ['magic', { manifest: `${MANIFEST}Name: nowhere\r\nMagic: yes\r\n\r\n` }],
    [
      'several digests of a file',
      {
        files: {},
        manifest:
          'Manifest-Version: 1.0\r\n\r\nName: x\r\n' +
          `MD5-Digest: ${digest64('x', 'md5')}\r\nSHA1-Digest: ${digest64('x', 'sha1')}\r\n\r\n`,
        after: [{ name: 'x', content: 'x' }]
      }
    ]
  ]
  for (const [name, parts] of cases) await t.resolves(verify(parts), name)
})

t.test('what jarsigner signed', async (t) => {
  const jarsigner = (name: string) =>
    Uint8Array.from(readFileSync(new URL(`../../vectors/jar/${name}.jar`, import.meta.url)))
  for (const [name, hasContent] of [
    ['ecdsa', false],
    ['rsa-pss', false],
    ['rsa-sha1', false],
    ['sections-only', true]
  ] as const) {
    const block = await verifySignedJar(jarsigner(name), MIB)
    t.equal(block.certificates.length, 1, name)
    t.equal(block.content !== undefined, hasContent)
  }
  t.equal(
    await refusalText(() => verifySignedJar(jarsigner('two-signatures'), MIB)),
    'invalid_request: multiple signatures detected in JAR; unable to process'
  )
})

const content = text(signatureFileOf(MANIFEST))

t.test('what is not', async (t) => {
  const one = 'META-INF/TEST'
  const badSignature = /^verification_failed: invalid signature when validating ASN.1/
  const mismatch = 'verification_failed: pkcs7: content digest does not match'
  const endings = 'invalid_request: manifest has incorrect line ending sequence'
  const other = newTestSigner('ec', 'other')
  const listing = (lines: string) => ({
    manifest: `Manifest-Version: 1.0\r\n\r\nName: a/One.class\r\n${lines}\r\n`
  })
  const cases: readonly (readonly [name: string, parts: JarParts, message: string | RegExp])[] = [
    [
      'another file',
      { change: { 'a/One.class': { content: 'ONE' } } },
      /^verification_failed: file "a\/One.class" in MANIFEST.MF: Sha-256-Digest mismatch/
    ],
    [
      'a file that is missing',
      { without: ['a/Two.class'] },
      'verification_failed: file a/Two.class is in manifest but not JAR'
    ],
    [
      'a file of another case',
      {
        without: ['a/Two.class'],
        after: [{ name: 'A/Two.class', content: JAR_FILES['a/Two.class'] }]
      },
      'verification_failed: file a/Two.class is in manifest but not JAR'
    ],
    [
      'a file without digest',
      listing(''),
      'invalid_request: file "a/One.class" in MANIFEST.MF: no recognized digests found'
    ],
    [
      'an unknown digest',
      listing('SHA3-256-Digest: x\r\n'),
      'unsupported: file "a/One.class" in MANIFEST.MF: unknown digest key in manifest: SHA3-256'
    ],
    [
      'another manifest',
      { manifest: `${MANIFEST}Name: more\r\n\r\n`, signatureFile: signatureFileOf(MANIFEST) },
      /^verification_failed: manifest signature: Sha-256-Digest-Manifest mismatch/
    ],
    ['another signature file', { block: signPkcs7(text('other')) }, mismatch],
    [
      'another signature file, without attributes',
      { block: signPkcs7(text('other'), { attributes: 'none' }) },
      badSignature
    ],
    [
      'another signature file inside',
      { block: signPkcs7(text('other'), {}, true) },
      'verification_failed: pkcs7: internal and external content were both provided but are not equal'
    ],
    ['line endings of the manifest', { manifest: MANIFEST.slice(0, -2) }, endings],
    ['empty sections', { manifest: `${MANIFEST}\r\n\r\n` }, endings],
    [
      'line endings of the signature file',
      { signatureFile: signatureFileOf(MANIFEST).slice(0, -2) },
      endings
    ],
    ['no manifest', { without: ['META-INF/MANIFEST.MF'] }, /contains no META-INF\/MANIFEST.MF$/],
    [
      'no signature file',
      { without: [`${one}.SF`] },
      'invalid_request: JAR contains no signatures'
    ],
    [
      'no signature',
      { without: [`${one}.EC`] },
      'invalid_request: JAR contains sigfile META-INF/TEST.SF with no matching signature'
    ],
    [
      'not signed',
      { without: [`${one}.SF`, `${one}.EC`] },
      'invalid_request: JAR contains no signatures'
    ],
    [
      'two signatures',
      {
        after: jarEntries({ alias: 'SECOND' }).filter(({ name }) => name.includes('SECOND'))
      },
      'invalid_request: multiple signatures detected in JAR; unable to process'
    ],
    [
      'a first signature that belongs to nothing',
      { before: [{ name: 'META-INF/0.EC', content: signPkcs7(content, { signer: other }) }] },
      'invalid_request: multiple signatures detected in JAR; unable to process'
    ],
    [
      'a number of bytes that is not that of the contents',
      { change: { 'a/One.class': { declaredBytes: 4 } } },
      'invalid_request: zip: a/One.class has 3 of the 4 declared'
    ],
    ['an empty signature', { block: new Uint8Array(0) }, /^invalid_request: pkcs7/],
    ['a null signature', { block: encodeNull() }, /^invalid_request: pkcs7/],
    [
      'a signature in PEM',
      { block: text(encodePem('PKCS7', signPkcs7(content))) },
      /^invalid_request: pkcs7/
    ],
    [
      'nobody signs',
      { block: pkcs7({ signers: [] }) },
      'verification_failed: pkcs7 contains no signatures'
    ],
    [
      'no certificate',
      { block: pkcs7({ certificates: [], signers: [signerInfo({ content })] }) },
      /^verification_failed: certificate missing from signedData/
    ],
    [
      'another certificate of the same name',
      { block: pkcs7({ certificates: [other.certificate], signers: [signerInfo({ content })] }) },
      /^verification_failed: certificate missing from signedData/
    ],
    [
      'a timestamp of something else',
      {
        signer: {
          unsigned: () => [attribute(PKCS7_OID.timestampToken, timestampToken(tstInfo(content)))]
        }
      },
      'verification_failed: verifying timestamp imprint: pkcs9: digest check failed'
    ],
    [
      'one file twice',
      { after: [{ name: 'a/One.class', content: 'ONE' }] },
      'invalid_request: zip: two members are named a/One.class'
    ],
    [
      'a section twice',
      { manifest: `${MANIFEST}Name: a/One.class\r\n\r\n` },
      'invalid_request: manifest has two sections "a/One.class"'
    ],
    [
      'a checksum that is wrong',
      { change: { 'a/One.class': { crc32: 1 } } },
      'invalid_request: zip: a/One.class has another checksum'
    ],
    [
      'packed by something else',
      { change: { 'META-INF/MANIFEST.MF': { method: 9 } } },
      'unsupported: zip: unsupported compression algorithm 9'
    ]
  ]
  for (const [name, parts, message] of cases) {
    t.match(await refusalText(() => verify(parts)), message, name)
  }
})

t.test('huge metadata', async (t) => {
  const huge = deflateRawSync(new Uint8Array(20 * MIB))
  const size = 'invalid_request: uncompressed jar metadata of size'
  for (const name of ['META-INF/MANIFEST.MF', 'META-INF/TEST.SF', 'META-INF/TEST.EC']) {
    t.equal(
      await refusalText(() => verify({ change: { [name]: { declaredBytes: MIB + 1 } } })),
      `${size} 1048577 exceeds max allowed size 1048576`,
      `${name} declared huge`
    )
    t.match(
      await refusalText(() => verify({ change: { [name]: { compressed: huge } } })),
      new RegExp(`^invalid_request: zip: ${name} does not unpack to what is declared`),
      `${name} really huge`
    )
  }
  t.match(
    await refusalText(() => verify({ after: [{ name: 'META-INF/x.y', declaredBytes: 2 * MIB }] })),
    /^invalid_request: uncompressed jar metadata/,
    'a file that nobody reads'
  )
})

t.test('bombs', async (t) => {
  const bomb = deflateRawSync(new Uint8Array(40 * MIB))
  const files = { bomb: 'x' }
  t.match(
    await refusalText(() =>
      verify({ files, change: { bomb: { compressed: bomb, declaredBytes: 40 * MIB } } })
    ),
    /^invalid_request: zip: members of \d+ bytes exceed the \d+ allowed for this archive/,
    'declared as it is'
  )
  t.equal(
    await refusalText(() => verify({ files, change: { bomb: { compressed: bomb } } })),
    'invalid_request: zip: bomb does not unpack to what is declared',
    'declared small'
  )
  t.match(
    await refusalText(() => verify({ files, change: { bomb: { declaredBytes: 0xfffffffe } } })),
    /^invalid_request: zip: members of \d+ bytes exceed/,
    'declared huge'
  )
  // Four hundred members that share the bytes of one: a few kB for 200 MiB.
  const first = { name: 'file0', content: new Uint8Array(MIB / 2) }
  const many = Array.from({ length: 400 }, (_, i) => ({
    ...first,
    name: `file${i + 1}`,
    offset: 0,
    isOnlyListed: true
  }))
  t.equal(
    await refusalText(() => verifySignedJar(writeZip([first, ...jarEntries(), ...many]), MIB)),
    'invalid_request: zip: the header of file1 differs from the directory'
  )
  const inside = writeZip([
    { name: 'out', content: writeZip([{ name: 'in', content: 'in' }]), method: 0 },
    { name: 'in', content: 'in', offset: 33, isOnlyListed: true }
  ])
  t.equal(
    await refusalText(() => verifySignedJar(inside, MIB)),
    'invalid_request: zip: in overlaps with something else'
  )
})

t.test('mutated archives are refused, or have the same files', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const fixture = signedJar()
  const block = await verifySignedJar(fixture, MIB)
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 700; i++) {
    const bytes = mutate(fixture, random)
    const verified = await unlessRefused(() => verifySignedJar(bytes, MIB))
    if (verified === undefined) continue
    accepted++
    // Times, comments and the like may differ; what was signed may not.
    const [signature] = verified.signers
    const [expected] = block.signers
    if (Buffer.compare(signature?.signature ?? bytes, expected?.signature ?? fixture) !== 0) {
      failures.push(Buffer.from(bytes).toString('hex'))
    }
  }
  t.same(failures, [])
  t.comment(`${accepted} of 700 accepted`)
})
