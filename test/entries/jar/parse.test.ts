import t from 'tap'
import { parseJar } from '../../../src/entries/jar/parse.js'
import { refusalText } from '../../helpers/refusals.js'
import { changed, CHANGES, computedVector, goldenAnswers, pathsOf } from '../../helpers/vectors.js'

const HASH = 'a'.repeat(64)
const base = (text: string) => Buffer.from(text).toString('base64')
const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
const hash = { algorithm: 'sha256', value: HASH }
const SIGNATURE = { content: base('signature'), publicKey: { content: base('key') } }

t.test('a proposal', async (t) => {
  const read = parseJar({ archive: { content: base('jar') }, extra: 1 })
  t.same([text(read.archive), read.hash, read.signature], ['jar', undefined, undefined])
  t.same(parseJar({ archive: { content: base('jar'), hash } }).hash, hash)
  const upper = { ...hash, value: HASH.toUpperCase() }
  t.same(parseJar({ archive: { content: base('jar'), hash: upper } }).hash, upper)
})

t.test('the committed form', async (t) => {
  const committed = parseJar({ archive: { hash }, signature: SIGNATURE })
  t.same(
    [committed.archive, committed.hash, text(committed.signature)],
    [undefined, hash, 'signature']
  )
  const both = parseJar({ archive: { content: base('jar'), hash }, signature: SIGNATURE })
  t.same([text(both.archive), text(both.signature)], ['jar', 'signature'])
  const noHash = parseJar({ archive: { content: '\n' }, signature: { content: base('s') } })
  t.same([noHash.archive, noHash.hash], [undefined, undefined])
})

t.test('what is refused', async (t) => {
  const list = 'validation failure list:\n'
  const noContent = "'content' must be specified for package"
  const archive = (members: object) => ({ archive: { content: base('jar'), ...members } })
  for (const [name, spec, message] of [
    ['text', 'text', 'unsupported input type string for DecodeEntry'],
    ['null', null, 'unsupported input type <nil> for DecodeEntry'],
    ['nothing', {}, `${list}archive in body is required`],
    ['a null', { archive: null }, `${list}archive in body is required`],
    ['no content', { archive: {} }, noContent],
    ['only a hash', { archive: { hash } }, noContent],
    ['content of line ends', { archive: { content: '\r\n' } }, noContent],
    ['null signature', { archive: { hash }, signature: null }, noContent],
    ['null in the signature', { archive: { hash }, signature: { content: null } }, noContent],
    ['empty signature', { archive: { hash }, signature: { content: '' } }, noContent],
    [
      'content base64',
      archive({ content: '!' }),
      'failed parsing base64 data for archive content: illegal base64 data at input byte 0'
    ],
    [
      'signature base64',
      { ...archive({}), signature: { content: 'AA' } },
      'failed parsing base64 data for signature content: illegal base64 data at input byte 0'
    ],
    [
      'key base64',
      { ...archive({}), signature: { publicKey: { content: ' ' } } },
      'failed parsing base64 data for signature publicKey content: illegal base64 data at input byte 0'
    ],
    [
      'hash without algorithm',
      archive({ hash: { value: HASH } }),
      `${list}archive.archive.hash.archive.hash.algorithm in body is required`
    ],
    [
      'hash algorithm',
      archive({ hash: { ...hash, algorithm: 'sha512' } }),
      `${list}archive.archive.hash.archive.hash.algorithm in body should be one of [sha256]`
    ],
    [
      'hash without value',
      archive({ hash: { algorithm: 'sha256' } }),
      `${list}archive.archive.hash.archive.hash.value in body is required`
    ],
    ['short hash', archive({ hash: { ...hash, value: 'ab' } }), 'invalid value for hash'],
    [
      'hash that is not hex',
      archive({ hash: { ...hash, value: `${HASH.slice(1)}g` } }),
      'invalid value for hash'
    ]
  ] as const) {
    t.equal(await refusalText(() => parseJar(spec)), `invalid_request: ${message}`, name)
  }
})

t.test('answers of a real Rekor', async (t) => {
  let held = 0
  for (const { base: name, path, change, body, leafHash } of goldenAnswers()) {
    if (name !== 'jar' || path[0] !== 'spec' || leafHash !== undefined) continue
    // Without a spec the envelope is refused before any kind sees it.
    if (path.length === 1 && (change === 'absent' || change === 'null')) continue
    const { spec } = changed(computedVector(name).proposedEntry, path, change)
    const message = (await refusalText(() => parseJar(spec))).replace('invalid_request: ', '')
    t.equal(`error processing entry: ${message}`, body?.message, `${path.join('.')} ${change}`)
    held++
  }
  t.equal(held, 19)
})

t.test('anything in the place of anything is read or refused', async (t) => {
  const full = { archive: { content: base('jar'), hash }, signature: SIGNATURE }
  let refused = 0
  for (const path of pathsOf(full)) {
    for (const change of CHANGES) {
      const spec = changed(full, path, change)
      const answer = await refusalText(() => parseJar(spec)).catch(String)
      if (answer.startsWith('invalid_request: ')) refused++
      else t.match(answer, /^Error: was accepted/, `${path.join('.')} ${change}`)
    }
  }
  t.ok(refused > 10)
})
