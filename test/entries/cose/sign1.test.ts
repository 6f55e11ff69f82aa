import t from 'tap'
import { concatBytes } from '../../../src/encoding/bytes.js'
import { encodeSigStructure, parseSign1 } from '../../../src/entries/cose/sign1.js'
import { coseMessage, es256Signer } from '../../helpers/cose.js'
import {
  array,
  bstr,
  FLOAT,
  head,
  int,
  MAJOR,
  map,
  NULL,
  tag,
  tstr,
  UNDEFINED
} from '../../helpers/literal-cbor.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const MESSAGE = rekorVector('cose/test_cose.cbor')
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

t.test('the message of the tests of Rekor', (t) => {
  const { payload, signature, protectedBytes, unprotectedHeader } = parseSign1(MESSAGE)
  t.equal(text(payload), 'hello world')
  t.equal(signature.length, 64)
  t.equal(Buffer.from(protectedBytes).toString('hex'), 'a10126')
  t.equal(unprotectedHeader.size, 0)
  t.equal(
    text(encodeSigStructure({ payload, protectedBytes }, Buffer.from('aad'))),
    text(array(tstr('Signature1'), bstr(protectedBytes), bstr('aad'), bstr('hello world')))
  )
  t.end()
})

t.test('lengths longer than they need be', (t) => {
  const message = concatBytes(
    Uint8Array.of(0xd2, 0x84),
    bstr(map(int(1), int(-7)), 8),
    head(MAJOR.map, 0, 4),
    bstr('payload', 2),
    bstr('signature', 1)
  )
  const signed = parseSign1(message)
  t.equal(text(signed.payload), 'payload')
  // In what is signed they are short.
  t.equal(
    text(encodeSigStructure(signed, new Uint8Array(0))),
    text(array(tstr('Signature1'), bstr(map(int(1), int(-7))), bstr(''), bstr('payload')))
  )
  t.end()
})

t.test('what is refused', async (t) => {
  const headers = [bstr(''), map()] as const
  const good = [...headers, bstr('p'), bstr('s')] as const
  const noMessage = 'cbor: invalid COSE_Sign1_Tagged object'
  const notBytes = 'cbor: require bstr type'
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['nothing', new Uint8Array(0), noMessage],
    ['a tag alone', Uint8Array.of(0xd2), noMessage],
    ['without tag', array(...good), noMessage],
    ['another tag', tag(98, array(...good)), noMessage],
    ['the tag in two bytes', concatBytes(head(MAJOR.tag, 18, 1), array(...good)), noMessage],
    ['tagged twice', tag(18, tag(18, array(...good))), noMessage],
    ['array of three', tag(18, array(...good.slice(1))), noMessage],
    ['array of five', tag(18, array(...good, int(1))), noMessage],
    [
      'array of four, longer',
      concatBytes(Uint8Array.of(0xd2), head(MAJOR.array, 4, 1), ...good),
      noMessage
    ],
    [
      'indefinite array',
      concatBytes(Uint8Array.of(0xd2, 0x9f), ...good, Uint8Array.of(0xff)),
      noMessage
    ],
    [
      'array of four with three',
      tag(18, concatBytes(head(MAJOR.array, 4), ...good.slice(1))),
      'unexpected EOF'
    ],
    ['nothing in the array', Uint8Array.of(0xd2, 0x84), 'unexpected EOF'],
    [
      'more after it',
      concatBytes(tag(18, array(...good)), int(1)),
      'cbor: 1 bytes of extraneous data starting at index 7'
    ],
    ['null payload', tag(18, array(...headers, NULL, bstr('s'))), 'missing payload'],
    ['undefined payload', tag(18, array(...headers, UNDEFINED, bstr('s'))), notBytes],
    ['text payload', tag(18, array(...headers, tstr('p'), bstr('s'))), notBytes],
    ['null signature', tag(18, array(...headers, bstr('p'), NULL)), 'empty signature'],
    ['empty signature', tag(18, array(...headers, bstr('p'), bstr(''))), 'empty signature'],
    ['float signature', tag(18, array(...headers, bstr('p'), FLOAT)), notBytes],
    ['everything null', tag(18, array(NULL, NULL, NULL, NULL)), 'empty signature'],
    [
      'headers null',
      tag(18, array(NULL, NULL, NULL, bstr('s'))),
      'cbor: invalid protected header: cbor: nil protected header'
    ],
    [
      'a tag inside',
      tag(18, array(bstr(''), map(int(1000), tag(1, int(1))), bstr('p'), bstr('s'))),
      "cbor: CBOR tag isn't allowed"
    ],
    [
      'indefinite payload',
      tag(18, array(...headers, Uint8Array.of(0x5f, 0x41, 0x70, 0xff), bstr('s'))),
      "cbor: indefinite-length byte string isn't allowed"
    ],
    [
      'payload beyond the end',
      tag(
        18,
        concatBytes(head(MAJOR.array, 4), ...headers, head(MAJOR.bytes, 2n ** 40n), bstr('s'))
      ),
      'unexpected EOF'
    ],
    [
      'a label twice',
      tag(18, array(bstr(''), map(int(4), bstr('a'), int(4), bstr('a')), bstr('p'), bstr('s'))),
      'cbor: found duplicate map key 4 at map element index 1'
    ],
    [
      'deep',
      tag(
        18,
        array(
          bstr(''),
          map(int(1000), concatBytes(new Uint8Array(100_000).fill(0x81), int(1))),
          bstr('p'),
          bstr('s')
        )
      ),
      'cbor: exceeded max nested level 32'
    ]
  ]
  for (const [name, message, problem] of cases) {
    t.equal(await refusalText(() => parseSign1(message)), `invalid_request: ${problem}`, name)
  }
  t.equal(
    text(parseSign1(tag(18, array(...headers, bstr(''), bstr('s')))).payload),
    '',
    'empty payload'
  )
})

t.test('fuzz: only refusals', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const rich = coseMessage(es256Signer(), {
    protectedBytes: map(
      int(1),
      int(-7),
      int(2),
      array(int(4)),
      int(4),
      bstr('k'),
      int(3),
      tstr('a/b')
    ),
    unprotected: map(
      int(7),
      array(bstr(''), map(), bstr('s')),
      int(33),
      array(bstr('c'), bstr('d'))
    )
  })
  t.ok(parseSign1(rich))
  let accepted = 0
  for (let i = 0; i < 2500; i++) {
    const bytes = mutate(i % 2 === 0 ? rich : MESSAGE, random)
    if ((await unlessRefused(() => parseSign1(bytes))) !== undefined) accepted++
  }
  t.ok(accepted > 50, `${accepted} could be read`)
})
