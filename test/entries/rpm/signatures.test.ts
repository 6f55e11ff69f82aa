import t from 'tap'
import { parseRpm } from '../../../src/archive/rpm.js'
import { readRpmSignatures } from '../../../src/entries/rpm/signatures.js'
import { bytes, makeKey, packet, signData, utf8 } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'
import { binary, int32, makeRpm, NAMES, PAYLOAD, type TestTag } from '../../helpers/rpm.js'

const key = makeKey('ed25519')
const signature = signData(key, utf8('x'))
const read = (...tags: TestTag[]) =>
  readRpmSignatures(parseRpm(makeRpm({ tags: NAMES, signatures: () => tags })))

t.test('each tag and what it signs', async (t) => {
  const tags = [267, 268, 1002, 1005].map((tag) =>
    binary(tag, signData(key, utf8('x'), { created: tag }))
  )
  const { header, headerAndPayload } = parseRpm(makeRpm({ tags: NAMES }))
  t.same(
    read(...tags).map(({ signature: { createdSeconds }, signed }) => [createdSeconds, signed]),
    [
      [268, header.bytes],
      [267, header.bytes],
      [1002, headerAndPayload],
      [1005, headerAndPayload]
    ]
  )
  t.same(headerAndPayload, bytes(header.bytes, PAYLOAD))
})

t.test('none', async (t) => {
  t.same(read(), [])
  t.same(read(binary(278, signature)), [], 'a tag that Rekor does not know')
})

t.test('what is refused', async (t) => {
  const cases: readonly (readonly [name: string, tag: TestTag, message: string])[] = [
    ['no bytes', int32(268, 1), 'invalid_request: unsupported datatype for bytes: 4, tag: 268'],
    [
      'trailing garbage',
      binary(1002, bytes(signature, 0)),
      'invalid_request: trailing garbage after PGP signature packet'
    ],
    [
      'version 3',
      binary(267, packet(2, bytes(3, 5, 0))),
      'unsupported: openpgp: unsupported feature: signature packet version 3'
    ],
    [
      'no signature',
      binary(1005, packet(13, utf8('x'))),
      'invalid_request: no supported PGP signature packet found'
    ]
  ]
  for (const [name, tag, message] of cases)
    t.equal(await refusalText(() => read(tag)), message, name)
})
