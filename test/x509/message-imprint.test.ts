import t from 'tap'
import {
  contextTag,
  encodeDer,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  parseDer
} from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import {
  checkMessageImprint,
  encodeHashAlgorithm,
  encodeMessageImprint,
  readHashAlgorithm,
  readMessageImprint
} from '../../src/x509/message-imprint.js'
import { refusalText } from '../helpers/refusals.js'

const SHA256 = encodeOid('2.16.840.1.101.3.4.2.1')
const SHA1 = encodeOid('1.3.14.3.2.26')

const imprint = (algorithm: Uint8Array, digestBytes: number, ...more: readonly Uint8Array[]) =>
  encodeSequence(algorithm, encodeOctetString(new Uint8Array(digestBytes)), ...more)

t.test('each hash, with NULL or without', (t) => {
  for (const [hash, bytes] of [
    ['sha256', 32],
    ['sha384', 48],
    ['sha512', 64]
  ] as const) {
    const digest = new Uint8Array(bytes).fill(7)
    for (const parameters of ['absent', 'null'] as const) {
      const algorithm = encodeHashAlgorithm(hash, parameters)
      const der = encodeSequence(algorithm, encodeOctetString(digest))
      t.same(readMessageImprint(parseDer(der), 'test'), { hash, digest })
      t.equal(readHashAlgorithm(parseDer(algorithm), 'test'), hash)
    }
    const written = encodeMessageImprint({ hash, digest })
    t.ok(encodeHex(written).includes(encodeHex(encodeHashAlgorithm(hash, 'null'))))
    t.same(readMessageImprint(parseDer(written), 'test'), { hash, digest })
  }
  t.equal(encodeHex(encodeHashAlgorithm('sha256', 'absent')), '300b0609608648016503040201')
  t.equal(encodeHex(encodeHashAlgorithm('sha256', 'null')), '300d06096086480165030402010500')
  t.end()
})

t.test('refusals', async (t) => {
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'SHA-1',
      imprint(encodeSequence(SHA1), 20),
      'unsupported: Weak hash algorithm in timestamp request'
    ],
    [
      'SHA-1 of a strange length',
      imprint(encodeSequence(SHA1), 1),
      'unsupported: Weak hash algorithm in timestamp request'
    ],
    ['no digest', imprint(encodeSequence(SHA256), 0), 'invalid_request: test: empty digest'],
    ['SHA-1, no digest', imprint(encodeSequence(SHA1), 0), 'invalid_request: test: empty digest'],
    [
      'short digest',
      imprint(encodeSequence(SHA256), 31),
      'verification_failed: Message digest has incorrect length for specified algorithm'
    ],
    [
      'long digest',
      imprint(encodeSequence(SHA256), 33),
      'verification_failed: Message digest has incorrect length for specified algorithm'
    ],
    [
      'MD5',
      imprint(encodeSequence(encodeOid('1.2.840.113549.2.5'), encodeNull()), 16),
      'invalid_request: test: unknown hash algorithm 1.2.840.113549.2.5'
    ],
    [
      'third field',
      imprint(encodeSequence(SHA256), 32, encodeNull()),
      'invalid_request: test: more than two fields in messageImprint'
    ],
    [
      'third field in the algorithm',
      imprint(encodeSequence(SHA256, encodeNull(), encodeNull()), 32),
      'invalid_request: test: more than two fields in algorithm identifier'
    ],
    [
      'other parameters',
      imprint(encodeSequence(SHA256, encodeSequence()), 32),
      'invalid_request: test: parameters of the hash algorithm: expected tag 0x5, found tag 0x30'
    ],
    [
      'NULL that is not',
      imprint(encodeSequence(SHA256, encodeDer(0x05, Uint8Array.of(0))), 32),
      'invalid_request: test: NULL with content'
    ],
    [
      'digest under another tag',
      encodeSequence(
        encodeSequence(SHA256),
        encodeDer(contextTag(0, 'primitive'), new Uint8Array(32))
      ),
      'invalid_request: test: expected tag 0x4, found tag 0x80'
    ]
  ]
  for (const [name, der, text] of cases) {
    t.equal(await refusalText(() => readMessageImprint(parseDer(der), 'test')), text, name)
  }
  t.equal(
    await refusalText(() => readHashAlgorithm(parseDer(encodeSequence(SHA1)), 'test')),
    'unsupported: Weak hash algorithm in timestamp request'
  )
})

t.test('digests that come by name', async (t) => {
  const digest = new Uint8Array(48)
  t.same(checkMessageImprint('sha384', digest, 'test'), { hash: 'sha384', digest })
  t.equal(
    await refusalText(() => checkMessageImprint('sha1', new Uint8Array(20), 'test')),
    'unsupported: Weak hash algorithm in timestamp request'
  )
})
