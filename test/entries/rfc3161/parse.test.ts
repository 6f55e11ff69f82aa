import t from 'tap'
import { MAX_TSR_BYTES, parseRfc3161 } from '../../../src/entries/rfc3161/parse.js'
import { refusalText } from '../../helpers/refusals.js'

const spec = (content: unknown) => ({ tsr: { content } })
const ofBytes = (length: number) => spec(Buffer.alloc(length).toString('base64'))

t.test('an answer', async (t) => {
  t.equal(Buffer.from(parseRfc3161(spec('YWJj')).tsr).toString(), 'abc')
  t.equal(Buffer.from(parseRfc3161({ ...spec('YWJj\n'), extra: 1 }).tsr).toString(), 'abc')
  t.equal(parseRfc3161(ofBytes(MAX_TSR_BYTES)).tsr.length, 10_240)
})

t.test('what is refused', async (t) => {
  const list = 'validation failure list:\n'
  const noContent = `${list}tsr.tsr.content in body is required`
  const cases: readonly (readonly [name: string, spec: unknown, message: string])[] = [
    ['array', [], 'unsupported input type []interface {} for DecodeEntry'],
    ['nothing', {}, `${list}tsr in body is required`],
    ['tsr null', { tsr: null }, `${list}tsr in body is required`],
    ['tsr an array', { tsr: [] }, `${list}tsr in body is required`],
    ['tsr text', { tsr: 'YWJj' }, `${list}tsr in body is required`],
    ['tsr empty', { tsr: {} }, noContent],
    ['content null', spec(null), noContent],
    ['content empty', spec(''), noContent],
    ['content an object', spec({}), noContent],
    ['content of line ends', spec('\r\n'), "'content' must be specified for data"],
    [
      'base64',
      spec('!'),
      'failed parsing base64 data for tsr content: illegal base64 data at input byte 0'
    ],
    ['a byte too many', ofBytes(MAX_TSR_BYTES + 1), 'tsr exceeds maximum allowed size (10kB)'],
    ['a million', ofBytes(1_000_000), 'tsr exceeds maximum allowed size (10kB)']
  ]
  for (const [name, spec, message] of cases) {
    t.equal(await refusalText(() => parseRfc3161(spec)), `invalid_request: ${message}`, name)
  }
})
