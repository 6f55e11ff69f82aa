import t from 'tap'
import {
  contextTag,
  encodeBitString,
  encodeDer,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeUnsignedInteger
} from '../../src/encoding/der.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { decodePem } from '../../src/encoding/pem.js'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { parseCertificateRequest } from '../../src/x509/csr.js'
import { csrVectors } from '../helpers/fulcio-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

function derOf(name: string): Uint8Array {
  const pem = csrVectors().find((vector) => vector.name === name)?.csrPem ?? ''
  return decodePem(encodeUtf8(pem))?.block.bytes ?? new Uint8Array(0)
}

t.test('parts of a request', (t) => {
  const der = derOf('RSA-2048 SHA-256')
  const request = parseCertificateRequest(der)
  t.equal(encodeHex(request.subject), '3000')
  t.equal(parsePublicKey(request.subjectPublicKeyInfo).type, 'rsa')
  t.equal(request.signatureAlgorithmOid, '1.2.840.113549.1.1.11')
  t.same(request.signatureParameters, encodeNull())
  t.equal(request.signature.length, 256)
  t.same(request.requestInfo, der.subarray(4, 4 + request.requestInfo.length))

  const ecdsa = parseCertificateRequest(derOf('P-256 SHA-256 empty subject'))
  t.equal(ecdsa.signatureParameters, undefined)
  t.equal(ecdsa.signatureAlgorithmOid, '1.2.840.10045.4.3.2')
  t.end()
})

const version = encodeUnsignedInteger(0n)
const empty = encodeSequence()
const attributes = encodeDer(contextTag(0, 'constructed'))
const algorithm = encodeSequence(encodeOid('1.2.3'))
const signature = encodeBitString(Uint8Array.of(1))

const info = (...parts: readonly Uint8Array[]) => encodeSequence(...parts)
const goodInfo = info(version, empty, empty, attributes)

t.test('the smallest structure', (t) => {
  const request = parseCertificateRequest(encodeSequence(goodInfo, algorithm, signature))
  t.same(request.requestInfo, goodInfo)
  t.same(request.subjectPublicKeyInfo, empty)
  t.end()
})

t.test('malformed structures', async (t) => {
  const good = encodeSequence(goodInfo, algorithm, signature)
  const cases: Readonly<Record<string, readonly [Uint8Array, string]>> = {
    'trailing byte': [Uint8Array.from([...good, 0]), 'trailing data'],
    empty: [new Uint8Array(0), 'element missing'],
    'not a sequence': [version, 'expected tag 0x30, found tag 0x2'],
    'nothing inside': [empty, 'expected tag 0x30, found nothing'],
    'no key': [encodeSequence(info(version, empty), algorithm, signature), 'cut short'],
    'no attributes': [
      encodeSequence(info(version, empty, empty), algorithm, signature),
      'expected tag 0xa0, found nothing'
    ],
    'no signature': [encodeSequence(goodInfo, algorithm), 'expected tag 0x3, found nothing'],
    'no algorithm': [encodeSequence(goodInfo), 'expected tag 0x30, found nothing'],
    'a fourth element': [
      encodeSequence(goodInfo, algorithm, signature, empty),
      'more elements than the structure has'
    ],
    'a fifth field': [
      encodeSequence(info(version, empty, empty, attributes, empty), algorithm, signature),
      'more elements than the structure has'
    ],
    'two parameters': [
      encodeSequence(
        goodInfo,
        encodeSequence(encodeOid('1.2.3'), encodeNull(), encodeNull()),
        signature
      ),
      'more elements than the structure has'
    ],
    'version 2': [
      encodeSequence(
        info(encodeUnsignedInteger(1n), empty, empty, attributes),
        algorithm,
        signature
      ),
      'version is not v1'
    ],
    'subject of another type': [
      encodeSequence(info(version, version, empty, attributes), algorithm, signature),
      'expected tag 0x30, found tag 0x2'
    ]
  }
  for (const [name, [der, problem]] of Object.entries(cases)) {
    t.equal(
      await refusalText(() => parseCertificateRequest(der)),
      `invalid_request: x509: malformed certificate request: ${problem}`,
      name
    )
  }
})

t.test('fuzz: nothing but LogError, and what parses is made of the input', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const samples = csrVectors()
    .map(({ name }) => derOf(name))
    .filter((der) => der.length > 0)
  for (let i = 0; i < 500; i++) {
    const der = mutate(random.pick(samples), random)
    const request = await unlessRefused(() => parseCertificateRequest(der))
    if (request !== undefined) t.ok(Buffer.from(der).includes(Buffer.from(request.requestInfo)))
  }
})
