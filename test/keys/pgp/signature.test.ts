import t from 'tap'
import { MAX_SIGNATURE_BYTES, parseDetachedSignature } from '../../../src/keys/pgp/signature.js'
import { armored, bytes, makeKey, packet, signData, utf8 } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'
import { rekorVector } from '../../helpers/vectors.js'

const key = makeKey('ed25519')
const binary = signData(key, utf8('data'))
const text = Buffer.from(armored('PGP SIGNATURE', binary)).toString()

t.test('armored input stays as it is', async (t) => {
  for (const input of [
    text,
    `hello\n${text.replace('\n\n', '\nComment: hi\n\n')}bye`,
    text.replaceAll('\n', '\r\n')
  ]) {
    const signature = parseDetachedSignature(utf8(input))
    t.same(signature.canonical, utf8(input))
    t.equal(signature.packets.length, 1)
    t.equal(signature.first.type, 0)
  }
})

t.test('binary input is armored, all of it', async (t) => {
  const input = bytes(binary, packet(13, utf8('me')))
  const signature = parseDetachedSignature(input)
  t.equal(signature.packets.length, 2)
  t.match(
    Buffer.from(signature.canonical).toString(),
    /^-----BEGIN PGP SIGNATURE-----\n\n([A-Za-z0-9+/]{64}\n)+[A-Za-z0-9+/]+={0,2}\n=[A-Za-z0-9+/]{4}\n-----END PGP SIGNATURE-----$/
  )
  const again = parseDetachedSignature(signature.canonical)
  t.same(again.packets, signature.packets)
  t.same(again.canonical, signature.canonical)
})

t.test('what is refused', async (t) => {
  const cases: readonly (readonly [name: string, input: Uint8Array, message: string])[] = [
    ['nothing', bytes(), 'invalid_request: invalid PGP signature: EOF'],
    [
      'text',
      utf8('hello'),
      'invalid_request: invalid PGP signature: openpgp: invalid data: tag byte does not have MSB set'
    ],
    ['cut off', binary.subarray(0, -1), 'invalid_request: invalid PGP signature: unexpected EOF'],
    ['a user ID', packet(13, utf8('me')), 'invalid_request: valid PGP signature was not detected'],
    [
      'a marker first',
      bytes(packet(10, utf8('PGP')), binary),
      'invalid_request: valid PGP signature was not detected'
    ],
    [
      'version 3',
      packet(2, bytes(3, 5, 0)),
      'unsupported: invalid PGP signature: openpgp: unsupported feature: signature packet version 3'
    ],
    [
      'version 3 first',
      bytes(packet(2, bytes(3)), binary),
      'unsupported: invalid PGP signature: openpgp: unsupported feature: signature packet version 3'
    ],
    [
      'another block',
      armored('PGP MESSAGE', binary),
      'invalid_request: invalid PGP signature provided'
    ],
    [
      'a clear-signed message',
      rekorVector('rekord/node/sig.asc'),
      'invalid_request: invalid PGP signature provided'
    ],
    [
      'bad base64',
      utf8(text.replace('\n\n', '\n\n!')),
      'invalid_request: invalid PGP signature: armor: illegal base64 data at input byte 0'
    ],
    [
      'empty block',
      armored('PGP SIGNATURE', bytes()),
      'invalid_request: invalid PGP signature: EOF'
    ],
    [
      'too long',
      new Uint8Array(MAX_SIGNATURE_BYTES + 1),
      `invalid_request: PGP signature over ${MAX_SIGNATURE_BYTES} bytes`
    ]
  ]
  for (const [name, input, message] of cases) {
    t.equal(await refusalText(() => parseDetachedSignature(input)), message, name)
  }
})
