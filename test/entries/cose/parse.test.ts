import t from 'tap'
import { parseCose } from '../../../src/entries/cose/parse.js'
import { refusalText } from '../../helpers/refusals.js'
import { changed, computedVector, goldenAnswers, rekorVector } from '../../helpers/vectors.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const publicKey = Buffer.from(rekorVector('cose/test_cose.pub')).toString('base64')
const hash = (value: string) => ({ algorithm: 'sha256', value })
const SPEC = { message: base64('message'), publicKey, data: { aad: base64('aad') } }
const COMMITTED = { publicKey, data: { envelopeHash: hash('aa'), payloadHash: hash('bb') } }

const proposal = (spec: unknown) => {
  const entry = parseCose(spec)
  if (entry.form !== 'proposed') throw new Error('not a proposal')
  const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
  return { message: text(entry.message), aad: text(entry.aad), key: entry.key.publicKey.type }
}

t.test('a proposal', async (t) => {
  t.same(proposal(SPEC), { message: 'message', aad: 'aad', key: 'ecdsa' })
  for (const aad of ['', null, 0, {}]) t.equal(proposal({ ...SPEC, data: { aad } }).aad, '')
  t.equal(proposal({ ...SPEC, data: {} }).aad, '')
  for (const data of [undefined, null, [], 'x', 0]) {
    t.equal(proposal({ ...SPEC, data }).aad, undefined, 'no object is none')
  }
  t.equal(proposal({ ...SPEC, data: COMMITTED.data, extra: 1 }).message, 'message')
})

t.test('the committed form', async (t) => {
  const entry = parseCose(COMMITTED)
  t.match(entry, { form: 'committed', envelopeHash: hash('aa'), payloadHash: hash('bb') })
  for (const message of ['', '\n', null, {}]) {
    t.equal(parseCose({ ...COMMITTED, message }).form, 'committed')
  }
  const old = parseCose({ publicKey, data: { envelopeHash: hash('aa') } })
  t.match(old, { form: 'committed', payloadHash: undefined })
})

t.test('what is refused', async (t) => {
  const list = 'validation failure list:\n'
  const at0 = 'illegal base64 data at input byte 0'
  const uncomputed = 'envelope hash should have been previously computed'
  const data = (members: object) => ({ ...SPEC, data: members })
  const cases: readonly (readonly [name: string, spec: unknown, message: string])[] = [
    ['text', 'text', 'unsupported input type string for DecodeEntry'],
    ['nothing', {}, `${list}publicKey in body is required`],
    ['message base64', { ...SPEC, message: '!' }, `failed parsing base64 data for message: ${at0}`],
    ['key base64', { ...SPEC, publicKey: '!' }, `failed parsing base64 data for publicKey: ${at0}`],
    ['aad base64', data({ aad: '!' }), `failed parsing base64 data for aad: ${at0}`],
    ['key no PEM', { ...SPEC, publicKey: base64('x') }, 'invalid public key: failure decoding PEM'],
    ['key of line ends', { ...SPEC, publicKey: '\n' }, 'invalid public key: failure decoding PEM'],
    ['neither', { publicKey }, uncomputed],
    ['neither, with data', { publicKey, data: {} }, uncomputed],
    ['payload hash only', { publicKey, data: { payloadHash: hash('bb') } }, uncomputed],
    [
      'hash without algorithm',
      data({ envelopeHash: {} }),
      `${list}data.data.envelopeHash.data.envelopeHash.algorithm in body is required`
    ],
    [
      'hash without value',
      data({ envelopeHash: { algorithm: 'sha256' } }),
      `${list}data.data.envelopeHash.data.envelopeHash.value in body is required`
    ],
    [
      'other algorithm, and no key',
      { data: { payloadHash: { algorithm: 'sha512', value: '' } } },
      `${list}data.data.payloadHash.data.payloadHash.algorithm in body should be one of [sha256]\n` +
        'publicKey in body is required'
    ]
  ]
  for (const [name, spec, message] of cases) {
    t.equal(await refusalText(() => parseCose(spec)), `invalid_request: ${message}`, name)
  }
})

t.test('texts of Rekor', async (t) => {
  const { proposedEntry } = computedVector('cose')
  const lines = goldenAnswers().filter(
    ({ base, path }) => base === 'cose' && ['message', 'publicKey'].includes(String(path[1]))
  )
  for (const { path, change, body } of lines) {
    const { spec } = changed(proposedEntry, path, change)
    t.equal(
      await refusalText(() => parseCose(spec)),
      body?.message.replace('error processing entry', 'invalid_request'),
      `${path.join('.')}: ${change}`
    )
  }
  t.equal(lines.length, 14)
})
