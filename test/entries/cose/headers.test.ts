import t from 'tap'
import { concatBytes } from '../../../src/encoding/bytes.js'
import { parseCbor } from '../../../src/encoding/cbor.js'
import { algorithmOf, contentTypeOf, readHeaders } from '../../../src/entries/cose/headers.js'
import { array, bstr, FLOAT, int, map, NULL, tag, tstr } from '../../helpers/literal-cbor.js'
import { refusalText } from '../../helpers/refusals.js'

const item = (bytes: Uint8Array) => parseCbor(bytes, { tags: 'kept' })
const read = (protectedItem: Uint8Array, unprotected = map()) =>
  readHeaders(item(protectedItem), item(unprotected))
const inside = (...entries: readonly Uint8Array[]) => bstr(map(...entries))

t.test('labels and values', (t) => {
  const nothing = read(bstr(''))
  t.equal(nothing.protectedBytes.length, 0)
  t.equal(nothing.protectedHeader.size, 0)
  t.equal(algorithmOf(nothing.protectedHeader), undefined)
  t.equal(contentTypeOf(nothing.protectedHeader), undefined)

  const bytes = map(int(1), int(-7), tstr('1'), int(5), int(3), tstr('a/b'), int(-1000), FLOAT)
  const some = read(bstr(bytes), map(int(1), int(-8), int(4), bstr('me'), int(2000), NULL))
  t.equal(Buffer.compare(some.protectedBytes, bytes), 0)
  t.same([...some.protectedHeader.keys()], [1n, '1', 3n, -1000n])
  t.same([...some.unprotectedHeader.keys()], [1n, 4n, 2000n])
  t.equal(algorithmOf(some.protectedHeader), -7n)
  t.equal(contentTypeOf(some.protectedHeader), 'a/b')
  t.equal(algorithmOf(read(inside(int(1), tstr('ES256'))).protectedHeader), 'ES256')
  t.equal(contentTypeOf(read(inside(int(3), int(50))).protectedHeader), undefined, 'of CoAP')
  t.end()
})

const counterSignature = (signature = 's', protectedItem = inside(int(1), int(-7))) =>
  array(protectedItem, map(int(4), bstr('k')), bstr(signature))

t.test('what may stand there', (t) => {
  const cases: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ['an empty map', bstr(map()), map()],
    ['tags', inside(int(1000), tag(1, int(5))), map()],
    [
      'critical labels',
      inside(int(2), array(int(4), tstr('x')), int(4), bstr('k'), tstr('x'), int(1)),
      map()
    ],
    ['algorithm critical', inside(int(2), array(int(1)), int(1), int(-7)), map()],
    ['IV', inside(int(5), bstr('iv')), map(int(5), bstr('iv'))],
    ['partial IV', inside(int(6), bstr('iv')), map(int(6), bstr('iv'))],
    ['type', inside(int(16), tstr('application/cose')), map(int(16), int(0))],
    ['countersignature', bstr(''), map(int(7), counterSignature())],
    ['countersignatures', bstr(''), map(int(11), array(counterSignature(), counterSignature()))],
    ['none of them', bstr(''), map(int(11), array())],
    [
      'countersigned countersignature',
      bstr(''),
      map(int(7), array(bstr(''), map(int(7), counterSignature()), bstr('s')))
    ],
    ['short ones', bstr(''), map(int(9), bstr('s'), int(12), bstr('s'))]
  ]
  for (const [name, protectedItem, unprotected] of cases) {
    t.doesNotThrow(() => read(protectedItem, unprotected), name)
  }
  t.end()
})

t.test('what may not', async (t) => {
  const prot = 'cbor: invalid protected header: '
  const unprot = 'cbor: invalid unprotected header: '
  const parameter = 'protected header: header parameter: '
  const aCounter = 'counter signature is not a Countersignature or a list'
  const cases: readonly (readonly [string, Uint8Array, Uint8Array, string])[] = [
    ['null', NULL, map(), `${prot}cbor: nil protected header`],
    ['a map itself', map(), map(), `${prot}cbor: require bstr type`],
    ['an array in it', bstr(array()), map(), `${prot}cbor: protected header: require map type`],
    ['cut off', bstr(Uint8Array.of(0xa1)), map(), `${prot}unexpected EOF`],
    [
      'more in it',
      bstr(concatBytes(map(), int(0))),
      map(),
      `${prot}cbor: 1 bytes of extraneous data starting at index 1`
    ],
    [
      'a label twice',
      inside(int(1), int(-7), int(1), int(-7)),
      map(),
      `${prot}cbor: found duplicate map key 1 at map element index 1`
    ],
    [
      'bytes as label',
      inside(bstr('x'), int(1)),
      map(),
      `${prot}cbor: header label: require int / tstr type`
    ],
    [
      'an array for a map',
      bstr(''),
      array(),
      `${unprot}cbor: unprotected header: require map type`
    ],
    ['null for a map', bstr(''), NULL, `${unprot}cbor: unprotected header: require map type`],
    [
      'bytes as label, unprotected',
      bstr(''),
      map(bstr('x'), int(1)),
      `${unprot}cbor: header label: require int / tstr type`
    ],
    [
      'algorithm a float',
      inside(int(1), FLOAT),
      map(),
      `${prot}${parameter}alg: require int / tstr type`
    ],
    [
      'algorithm bytes, unprotected',
      bstr(''),
      map(int(1), bstr('')),
      `${unprot}unprotected header: header parameter: alg: require int / tstr type`
    ],
    [
      'crit no array',
      inside(int(2), int(1), int(1), int(1)),
      map(),
      `${prot}${parameter}crit: invalid crit header`
    ],
    ['crit empty', inside(int(2), array()), map(), `${prot}${parameter}crit: empty crit header`],
    [
      'crit with bytes',
      inside(int(2), array(bstr('x'))),
      map(),
      `${prot}${parameter}crit: require int / tstr type, got 'bytes'`
    ],
    [
      'crit of nothing',
      inside(int(2), array(int(4))),
      map(),
      `${prot}${parameter}crit: missing critical header: 4`
    ],
    [
      'crit of the other header',
      inside(int(2), array(int(4))),
      map(int(4), bstr('k')),
      `${prot}${parameter}crit: missing critical header: 4`
    ],
    [
      'crit unprotected',
      bstr(''),
      map(int(2), array(int(1)), int(1), int(1)),
      `${unprot}unprotected header: header parameter: crit: not allowed`
    ],
    [
      'content type negative',
      inside(int(3), int(-1)),
      map(),
      `${prot}${parameter}content type: require tstr / uint type`
    ],
    [
      'content type bytes',
      inside(int(3), bstr('a/b')),
      map(),
      `${prot}${parameter}content type: require tstr / uint type`
    ],
    [
      'content type empty',
      inside(int(3), tstr('')),
      map(),
      `${prot}${parameter}content type: require non-empty string`
    ],
    [
      'content type with a space',
      inside(int(3), tstr(' a/b')),
      map(),
      `${prot}${parameter}content type: require no leading/trailing whitespace`
    ],
    [
      'content type with a space after it',
      inside(int(3), tstr('a/b ')),
      map(),
      `${prot}${parameter}content type: require no leading/trailing whitespace`
    ],
    [
      'content type without subtype',
      inside(int(3), tstr('text')),
      map(),
      `${prot}${parameter}content type: require text of form type/subtype`
    ],
    [
      'content type with two',
      inside(int(3), tstr('a/b/c')),
      map(),
      `${prot}${parameter}content type: require text of form type/subtype`
    ],
    [
      'type',
      inside(int(16), tstr('text')),
      map(),
      `${prot}${parameter}type: require text of form type/subtype`
    ],
    ['key id text', inside(int(4), tstr('me')), map(), `${prot}${parameter}kid: require bstr type`],
    ['IV text', inside(int(5), tstr('iv')), map(), `${prot}${parameter}IV: require bstr type`],
    [
      'partial IV text',
      inside(int(6), tstr('iv')),
      map(),
      `${prot}${parameter}Partial IV: require bstr type`
    ],
    [
      'both',
      inside(int(5), bstr('iv'), int(6), bstr('iv')),
      map(),
      `${prot}${parameter}IV and PartialIV: parameters must not both be present`
    ],
    [
      'one each',
      inside(int(5), bstr('iv')),
      map(int(6), bstr('iv')),
      'IV (protected) and PartialIV (unprotected) parameters must not both be present'
    ],
    [
      'one each, exchanged',
      inside(int(6), bstr('iv')),
      map(int(5), bstr('iv')),
      'IV (unprotected) and PartialIV (protected) parameters must not both be present'
    ],
    ...([7, 9, 11, 12] as const).map(
      (label, i) =>
        [
          `countersignature ${label} protected`,
          inside(int(label), bstr('s')),
          map(),
          `${prot}${parameter}${
            [
              'counter signature',
              'countersignature0',
              'Countersignature version 2',
              'Countersignature0 version 2'
            ][i] ?? ''
          }: not allowed`
        ] as const
    ),
    ...[
      ['no array', bstr('s')],
      ['of two', array(bstr(''), map())],
      ['without signature', counterSignature('')],
      ['signature null', array(bstr(''), map(), NULL)],
      ['with a bad header', counterSignature('s', map())],
      ['one bad of two', array(counterSignature(), int(1))]
    ].map(
      ([name, value]) =>
        [
          `countersignature ${String(name)}`,
          bstr(''),
          map(int(7), value as Uint8Array),
          `${unprot}unprotected header: header parameter: ${aCounter}`
        ] as const
    ),
    [
      'short countersignature text',
      bstr(''),
      map(int(9), tstr('s')),
      `${unprot}unprotected header: header parameter: countersignature0: require bstr type`
    ]
  ]
  for (const [name, protectedItem, unprotected, message] of cases) {
    t.equal(
      await refusalText(() => read(protectedItem, unprotected)),
      `invalid_request: ${message}`,
      name
    )
  }
})
