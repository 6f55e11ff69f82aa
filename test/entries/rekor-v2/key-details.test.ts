import { HashAlgorithm, PublicKeyDetails } from '@sigstore/protobuf-specs'
import t from 'tap'
import {
  enumName,
  HASH_ALGORITHMS,
  PUBLIC_KEY_DETAILS
} from '../../../src/entries/rekor-v2/key-details.js'

/** Without the way back from numbers that TypeScript's enums have. */
function namesAndNumbers(anEnum: Readonly<Record<string, string | number>>): unknown {
  return Object.fromEntries(Object.entries(anEnum).filter(([, value]) => typeof value === 'number'))
}

t.test('all names and numbers of the specification', (t) => {
  t.same(PUBLIC_KEY_DETAILS, namesAndNumbers(PublicKeyDetails))
  t.same(HASH_ALGORITHMS, namesAndNumbers(HashAlgorithm))
  t.end()
})

t.test('names of numbers', (t) => {
  t.equal(enumName(PUBLIC_KEY_DETAILS, 5), 'PKIX_ECDSA_P256_SHA_256')
  t.equal(enumName(HASH_ALGORITHMS, 0), 'HASH_ALGORITHM_UNSPECIFIED')
  t.equal(enumName(HASH_ALGORITHMS, 99), '99')
  t.equal(enumName(HASH_ALGORITHMS, -1), '-1')
  t.end()
})
