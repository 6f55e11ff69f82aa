import t from 'tap'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import {
  encodeEcdsaSignature,
  invalidEcdsaSignature,
  readEcdsaSignature
} from '../../src/keys/ecdsa-signature.js'
import { refusalText } from '../helpers/refusals.js'

const asn1 = 'verification_failed: invalid signature when validating ASN.1 encoded signature'
const p1363 = 'verification_failed: ecdsa: Invalid IEEE_P1363 encoded bytes'

t.test('which encoding a signature has', (t) => {
  for (const [name, hex, encoding, der] of [
    ['DER', '3006020101020102', 'ASN.1', '3006020101020102'],
    [
      'DER with negative numbers, left to the verifier',
      '30060201ff0201fe',
      'ASN.1',
      '30060201ff0201fe'
    ],
    ['P1363', '00010002', 'IEEE_P1363', '3006020101020102'],
    ['P1363 with the high bit', 'ff80', 'IEEE_P1363', '3008020200ff02020080'],
    ['P1363 of zeros', '0000', 'IEEE_P1363', '3006020100020100'],
    ['a sequence of one number', '300402020101', 'IEEE_P1363', undefined],
    ['a number not in its shortest form', '300802020001020200ff', 'IEEE_P1363', undefined],
    ['a set of numbers', '3106020101020102', 'IEEE_P1363', undefined],
    ['132 bytes', '01'.repeat(132), 'IEEE_P1363', undefined]
  ] as const) {
    const signature = readEcdsaSignature(decodeHex(hex))
    t.equal(signature.encoding, encoding, name)
    if (der !== undefined) t.equal(encodeHex(signature.der), der, name)
  }
  t.end()
})

t.test('refused with the words of its encoding', async (t) => {
  for (const [name, hex, message] of [
    ['trailing byte after DER', '300602010102010200', asn1],
    ['three numbers', '3009020101020102020103', asn1],
    ['empty', '', p1363],
    ['odd length', '010203', p1363],
    ['134 bytes', '01'.repeat(134), p1363]
  ] as const) {
    t.equal(await refusalText(() => readEcdsaSignature(decodeHex(hex))), message, name)
  }
  t.equal(
    invalidEcdsaSignature('IEEE_P1363').message,
    'invalid signature when validating IEEE_P1363 encoded signature'
  )
})

t.test('encodes', (t) => {
  t.equal(encodeHex(encodeEcdsaSignature(255n, 0n)), '3007020200ff020100')
  t.end()
})
