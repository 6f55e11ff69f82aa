import t from 'tap'
import { chartHash, readProvenance } from '../../../src/entries/helm/provenance.js'
import { utf8 } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const FIXTURE = rekorVector('helm/test-0.1.0.tgz.prov')
const DIGEST = '6dec7ea21e655d5796c1e214cfb75b73428b2abfa2e66c8f7bc64ff4a7b3b29f'
const message = (text: string) =>
  utf8(
    `-----BEGIN PGP SIGNED MESSAGE-----\n\n${text}\n-----BEGIN PGP SIGNATURE-----\n\naGk=\n-----END PGP SIGNATURE-----`
  )
const sums = (text: string) => readProvenance(message(`name: test\n\n...\n${text}`))

t.test('the provenance file of a chart', async (t) => {
  const provenance = readProvenance(FIXTURE)
  t.same(provenance.fileHashes, [`sha256:${DIGEST}`])
  t.same(chartHash(provenance), { algorithm: 'sha256', value: DIGEST })
  t.match(Buffer.from(provenance.message.text).toString(), /^apiVersion: v2\n/)
})

t.test('text that is read', async (t) => {
  const upper = DIGEST.toUpperCase()
  t.same(chartHash(sums(`files: {a: "sha256:${upper}"}`)).value, upper, 'case as written')
  t.same(chartHash(sums(`files: {b: "sha256:${DIGEST}", a: "sha256:${upper}"}`)).value, DIGEST)
  t.same(chartHash(sums(`files: {a: "sha256:${DIGEST}"}\n...\n[`)).value, DIGEST, 'a third part')
  const metadata = readProvenance(message(`{\u0000\n...\nfiles: {é: "sha256:${DIGEST}"}`))
  t.same(chartHash(metadata).value, DIGEST, 'the first part is not looked at')
})

t.test('files that are refused', async (t) => {
  const inBlock = 'error occurred parsing message block: '
  const parts = `${inBlock}message block must have at least two parts`
  const cases: Readonly<Record<string, readonly [bytes: Uint8Array, message: string]>> = {
    nothing: [new Uint8Array(0), 'provenance file contains no content'],
    'no message': [utf8('files: {}'), 'unable to decode provenance file'],
    'an empty message': [message(''), parts],
    'one part': [message('files: {}'), parts],
    'the separator at the begin': [message('...\nfiles: {}'), parts],
    'the separator at the end': [message('files: {}\n...'), parts],
    'sums that are no map': [
      message('a\n...\n- b'),
      `${inBlock}error occurred parsing SumCollection: not a map`
    ],
    'sums that are not UTF-8': [
      Uint8Array.from(Buffer.from(message('a\n...\nfiles: {ä: 1}')), (byte) =>
        byte === 0xc3 ? 0xff : byte
      ),
      `${inBlock}error occurred parsing SumCollection: a name or a hash is not a string`
    ]
  }
  for (const [name, [bytes, problem]] of Object.entries(cases)) {
    t.equal(await refusalText(() => readProvenance(bytes)), `invalid_request: ${problem}`, name)
  }
})

t.test('hashes that are refused', async (t) => {
  const invalid = 'invalid hash found in Provenance file'
  const other =
    'validation failure list:\nchart.chart.hash.chart.hash.algorithm in body should be one of [sha256]'
  const cases: Readonly<Record<string, readonly [text: string, message: string]>> = {
    'no files': ['images: {a: b}', 'unable to locate chart hash'],
    'null for files': ['files: null', 'unable to locate chart hash'],
    'no file': ['files: {}', 'no checksums found'],
    'no algorithm': [`files: {a: "${DIGEST}"}`, invalid],
    'an empty hash': ['files: {a: ""}', invalid],
    'two colons': [`files: {a: "sha256:${DIGEST}:"}`, invalid],
    'an empty algorithm': [`files: {a: ":${DIGEST}"}`, other],
    'another algorithm': [`files: {a: "sha512:${DIGEST}${DIGEST}"}`, other],
    'an algorithm in upper case': [`files: {a: "SHA256:${DIGEST}"}`, other],
    'no digits': ['files: {a: "sha256:"}', invalid],
    'few digits': [`files: {a: "sha256:${DIGEST.slice(1)}"}`, invalid],
    'no hex': [`files: {a: "sha256:${DIGEST.slice(1)}g"}`, invalid]
  }
  for (const [name, [text, problem]] of Object.entries(cases)) {
    t.equal(await refusalText(() => chartHash(sums(text))), `invalid_request: ${problem}`, name)
  }
})
