import t from 'tap'
import {
  encodeInteger,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger,
  parseDer
} from '../../src/encoding/der.js'
import { readPkcs7Hash, readPkcs7Scheme } from '../../src/x509/pkcs7-algorithms.js'
import { algorithmId, HASH_OIDS, PKCS7_OID, pssAlgorithm } from '../helpers/pkcs7.js'
import { refusalText } from '../helpers/refusals.js'

const hashOf = (oid: string) => readPkcs7Hash(parseDer(algorithmId(oid)))
const schemeOf = (der: Uint8Array, hash: Parameters<typeof readPkcs7Scheme>[1] = 'sha256') =>
  readPkcs7Scheme(parseDer(der), hash)

t.test('hash functions', async (t) => {
  for (const hash of ['sha1', 'sha224', 'sha256', 'sha384', 'sha512']) {
    t.equal(hashOf(HASH_OIDS[hash] ?? ''), hash)
  }
  t.equal(readPkcs7Hash(parseDer(encodeSequence(encodeOid(HASH_OIDS['sha1'] ?? '')))), 'sha1')
  for (const oid of [HASH_OIDS['md5'] ?? '', '1.2.3']) {
    t.equal(
      await refusalText(() => hashOf(oid)),
      `unsupported: pkcs7: unsupported hash algorithm ${oid}`
    )
  }
})

t.test('schemes', async (t) => {
  const ecdsa = { keyType: 'ecdsa' }
  const pkcs1 = { keyType: 'rsa', padding: 'pkcs1' }
  for (const [oid, hash, expected] of [
    [PKCS7_OID.ecdsa, 'sha512', ecdsa],
    ['1.2.840.10045.4.1', 'sha1', ecdsa],
    ['1.2.840.10045.4.3.2', 'sha256', ecdsa],
    ['1.2.840.10045.4.3.3', 'sha384', ecdsa],
    ['1.2.840.10045.4.3.4', 'sha512', ecdsa],
    [PKCS7_OID.rsa, 'sha224', pkcs1],
    ['1.2.840.113549.1.1.5', 'sha1', pkcs1],
    ['1.3.14.3.2.29', 'sha1', pkcs1],
    ['1.2.840.113549.1.1.11', 'sha256', pkcs1],
    ['1.2.840.113549.1.1.12', 'sha384', pkcs1],
    ['1.2.840.113549.1.1.13', 'sha512', pkcs1]
  ] as const) {
    t.same(schemeOf(algorithmId(oid), hash), expected, oid)
  }
  t.equal(
    await refusalText(() => schemeOf(algorithmId('1.2.840.113549.1.1.11'), 'sha512')),
    'verification_failed: signature type does not match digest type'
  )
  t.equal(
    await refusalText(() => schemeOf(algorithmId('1.2.840.10040.4.1'))),
    'unsupported: pkcs7: unsupported public key algorithm 1.2.840.10040.4.1',
    'DSA'
  )
})

t.test('PSS', async (t) => {
  const pss = (saltBytes: number) => ({ keyType: 'rsa', padding: 'pss', saltBytes })
  t.same(schemeOf(pssAlgorithm('sha256', 32)), pss(32))
  t.same(schemeOf(pssAlgorithm('sha384', 0), 'sha384'), pss(0))
  const invalid = /^invalid_request: pkcs7: invalid RSA-PSS parameters/
  const mismatch = 'verification_failed: digest type mismatch in RSA-PSS parameters'
  const sha1 = algorithmId(HASH_OIDS['sha1'] ?? '')
  const sha256 = algorithmId(HASH_OIDS['sha256'] ?? '')
  const number = encodeUnsignedInteger(1n)
  const cases: readonly (readonly [name: string, der: Uint8Array, message: string | RegExp])[] = [
    ['no parameters', encodeSequence(encodeOid(PKCS7_OID.pss)), invalid],
    ['NULL', algorithmId(PKCS7_OID.pss), invalid],
    ['the defaults', algorithmId(PKCS7_OID.pss, encodeSequence()), invalid],
    ['another hash', pssAlgorithm('sha256', 32, [sha1]), mismatch],
    [
      'another hash in the mask',
      pssAlgorithm('sha256', 32, [undefined, algorithmId(PKCS7_OID.mgf1, sha1)]),
      mismatch
    ],
    [
      'another mask',
      pssAlgorithm('sha256', 32, [undefined, algorithmId('1.2.3', sha256)]),
      'unsupported: unsupported MGF in RSA-PSS parameters'
    ],
    [
      'a mask of NULL',
      pssAlgorithm('sha256', 32, [undefined, algorithmId(PKCS7_OID.mgf1)]),
      invalid
    ],
    [
      'a mask of three fields',
      pssAlgorithm('sha256', 32, [
        undefined,
        encodeSequence(encodeOid(PKCS7_OID.mgf1), sha256, number)
      ]),
      invalid
    ],
    ['a hash that is none', pssAlgorithm('sha256', 32, [number]), invalid],
    [
      'a hash without name',
      pssAlgorithm('sha256', 32, [encodeSequence()]),
      /^invalid_request: pkcs7: digest algorithm/
    ],
    [
      'a negative salt',
      pssAlgorithm('sha256', 0, [undefined, undefined, encodeInteger(-1n)]),
      invalid
    ],
    ['a long salt', pssAlgorithm('sha256', 2049), invalid],
    [
      'a salt that is no number',
      pssAlgorithm('sha256', 0, [undefined, undefined, encodeNull()]),
      invalid
    ],
    [
      'two salts',
      pssAlgorithm('sha256', 0, [undefined, undefined, Uint8Array.from([...number, ...number])]),
      invalid
    ],
    [
      'the trailer spelled out',
      pssAlgorithm('sha256', 32, [undefined, undefined, undefined, number]),
      invalid
    ]
  ]
  for (const [name, der, message] of cases) {
    t.match(await refusalText(() => schemeOf(der)), message, name)
  }
})
