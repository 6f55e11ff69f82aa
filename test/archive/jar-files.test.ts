import t from 'tap'
import {
  DEFAULT_MAX_JAR_METADATA_BYTES,
  findJarSignature,
  MAX_JAR_METADATA_BYTES
} from '../../src/archive/jar-files.js'
import type { ZipMember } from '../../src/archive/zip-directory.js'
import { readZipDirectory } from '../../src/archive/zip-directory.js'
import { refusalText } from '../helpers/refusals.js'
import { rekorVector } from '../helpers/vectors.js'

const member = (name: string, declaredBytes = 1): ZipMember => ({
  name,
  method: 0,
  crc32: 0,
  declaredBytes,
  compressed: new Uint8Array(0)
})
const find = (names: readonly string[], limit = DEFAULT_MAX_JAR_METADATA_BYTES) => {
  const found = findJarSignature(
    names.map((name) => member(name)),
    limit
  )
  return [found.manifest.name, found.signatureFile.name, found.signatureBlock.name]
}
const M = 'META-INF/MANIFEST.MF'

t.test('limits', async (t) => {
  t.equal(DEFAULT_MAX_JAR_METADATA_BYTES, 1024 * 1024)
  t.ok(MAX_JAR_METADATA_BYTES > DEFAULT_MAX_JAR_METADATA_BYTES)
})

t.test('what is found', async (t) => {
  const jar = findJarSignature(readZipDirectory(rekorVector('jar/test.jar')), 5881)
  t.equal(jar.manifest.name, M)
  t.equal(jar.signatureFile.name, 'META-INF/SIGSTORE.SF')
  t.equal(jar.signatureBlock.name, 'META-INF/SIGSTORE.EC')
  for (const names of [
    [M, 'META-INF/A.SF', 'META-INF/A.RSA'],
    [M, 'META-INF/A.SF', 'META-INF/A.DSA'],
    ['Meta-Inf/Manifest.mf', 'meta-inf/a.sf', 'META-INF/A.ec'],
    [M, 'META-INF/SIG-A.SF', 'META-INF/SIG-A.SIG'],
    [M, 'META-INF/a.b.SF', 'META-INF/A.B.RSA']
  ]) {
    t.same(find(names), names)
    t.same(find([...names].reverse()), names, 'in any order')
  }
  const others = [
    'META-INF/',
    'META-INF/x/B.SF',
    'META-INF/x/B.RSA',
    'x/META-INF/B.SF',
    'META-INF/noextension',
    'META-INF/B.SFX',
    'META-INF/LICENSE.txt',
    'META-\u0131NF/B.SF',
    'B.SF',
    M.slice(1)
  ]
  const names = [M, 'META-INF/A.SF', 'META-INF/A.RSA']
  t.same(find([...others, ...names]), names)
})

t.test('what is not', async (t) => {
  const multiple = 'multiple signatures detected in JAR; unable to process'
  for (const [names, message] of [
    [[], 'JAR contains no META-INF/MANIFEST.MF'],
    [['META-INF/A.SF', 'META-INF/A.RSA'], 'JAR contains no META-INF/MANIFEST.MF'],
    [[M, 'META-INF/manifest.mf', 'META-INF/A.SF', 'META-INF/A.RSA'], 'JAR contains two manifests'],
    [[M], 'JAR contains no signatures'],
    [[M, 'META-INF/A.RSA'], 'JAR contains no signatures'],
    [[M, 'META-INF/A.SF'], 'JAR contains sigfile META-INF/A.SF with no matching signature'],
    [
      [M, 'META-INF/A.SF', 'META-INF/B.RSA'],
      'JAR contains sigfile META-INF/A.SF with no matching signature'
    ],
    [
      [M, 'META-INF/A.SF', 'META-INF/A.RSA', 'META-INF/B.SF'],
      'JAR contains sigfile META-INF/B.SF with no matching signature'
    ],
    [[M, 'META-INF/A.SF', 'META-INF/A.RSA', 'META-INF/B.SF', 'META-INF/B.RSA'], multiple],
    [[M, 'META-INF/A.SF', 'META-INF/a.sf', 'META-INF/A.RSA'], multiple],
    [[M, 'META-INF/A.SF', 'META-INF/A.RSA', 'META-INF/A.EC'], multiple],
    // Rekor would log the first, which nobody has verified.
    [[M, 'META-INF/0.RSA', 'META-INF/A.SF', 'META-INF/A.RSA'], multiple]
  ] as const) {
    t.equal(await refusalText(() => find(names)), `invalid_request: ${message}`, names.join(' '))
  }
})

t.test('huge metadata', async (t) => {
  const good = [M, 'META-INF/A.SF', 'META-INF/A.RSA'].map((name) => member(name, 100))
  const huge = (name: string) => [...good, member(name, 0xfffffffe)]
  const limit = DEFAULT_MAX_JAR_METADATA_BYTES
  for (const name of ['META-INF/LICENSE.txt', 'meta-inf/x.y', 'META-INF/.']) {
    t.equal(
      await refusalText(() => findJarSignature(huge(name), limit)),
      'invalid_request: uncompressed jar metadata of size 4294967294 exceeds max allowed size 1048576'
    )
  }
  for (const name of ['META-INF/LICENSE', 'META-INF/x/y.z', 'x.y']) {
    t.doesNotThrow(() => findJarSignature(huge(name), limit), name)
  }
  t.doesNotThrow(() => findJarSignature(good, 100))
  t.equal(
    await refusalText(() => findJarSignature(readZipDirectory(rekorVector('jar/test.jar')), 10)),
    'invalid_request: uncompressed jar metadata of size 891 exceeds max allowed size 10'
  )
})
