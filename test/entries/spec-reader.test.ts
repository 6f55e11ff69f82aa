import t from 'tap'
import { encodeHex } from '../../src/encoding/hex.js'
import {
  arrayMember,
  asString,
  bytesMember,
  decodeField,
  objectMember,
  readSpec,
  stringMember
} from '../../src/entries/spec-reader.js'
import { refusalText } from '../helpers/refusals.js'

t.test('a spec that is no object, by the name of its Go type', async (t) => {
  t.same(readSpec({ a: 1 }), { a: 1 })
  for (const [spec, type] of [
    [null, '<nil>'],
    [undefined, '<nil>'],
    [[], '[]interface {}'],
    [0, 'json.Number'],
    [true, 'bool'],
    ['', 'string']
  ] as const) {
    t.equal(
      await refusalText(() => readSpec(spec)),
      `invalid_request: unsupported input type ${type} for DecodeEntry`
    )
  }
})

t.test('a member of another type is absent', (t) => {
  const values = { object: {}, array: [], text: 'x', number: 1, boolean: false, null: null }
  for (const name of [...Object.keys(values), 'missing']) {
    t.equal(objectMember(values, name) !== undefined, name === 'object', `object ${name}`)
    t.equal(arrayMember(values, name, name, 1) !== undefined, name === 'array', `array ${name}`)
    t.equal(stringMember(values, name) !== undefined, name === 'text', `text ${name}`)
    t.equal(bytesMember({ ...values, text: 'aGk=' }, name, 'f') !== undefined, name === 'text')
  }
  t.equal(asString('a'), 'a')
  t.equal(asString(1), undefined)
  t.equal(stringMember({ Text: 'x' }, 'text'), undefined, 'names are exact')
  t.end()
})

t.test('an array that is too long', async (t) => {
  t.equal(arrayMember({ a: [1, 2] }, 'a', 'x.a', 2)?.length, 2)
  t.equal(
    await refusalText(() => arrayMember({ a: [1, 2, 3] }, 'a', 'x.a', 2)),
    'invalid_request: validation failure list:\nx.a in body should have at most 2 items'
  )
})

t.test('byte members', async (t) => {
  t.equal(encodeHex(bytesMember({ a: 'aG\r\nk=' }, 'a', 'f') ?? new Uint8Array(0)), '6869')
  t.equal(bytesMember({ a: '' }, 'a', 'f'), undefined)
  t.same(decodeField('', 'f'), new Uint8Array(0))
  for (const [base64, at] of [
    ['aGk', 0],
    ['aGk= ', 4],
    ['a-_=', 1],
    ['!', 0]
  ] as const) {
    t.equal(
      await refusalText(() => bytesMember({ a: base64 }, 'a', 'signature content')),
      `invalid_request: failed parsing base64 data for signature content: illegal base64 data at input byte ${at}`
    )
  }
})
