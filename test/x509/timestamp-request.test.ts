import { execFileSync } from 'node:child_process'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  contextTag,
  DER_TAG,
  encodeDer,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  parseDer
} from '../../src/encoding/der.js'
import { decodeHex, encodeHex } from '../../src/encoding/hex.js'
import { hashData } from '../../src/keys/verify.js'
import { encodeMessageImprint } from '../../src/x509/message-imprint.js'
import {
  encodeTimestampRequest,
  parseTimestampRequest,
  readExtensionList,
  type TimestampRequest
} from '../../src/x509/timestamp-request.js'
import { boolean, extension } from '../helpers/certificates.js'
import { fromBase64 } from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { tsaVector } from '../helpers/tsa-vectors.js'

const IMPRINT = { hash: 'sha256', digest: new Uint8Array(32).fill(1) } as const
const BARE: TimestampRequest = {
  imprint: IMPRINT,
  policyOid: undefined,
  nonce: undefined,
  wantsCertificates: false,
  extensions: []
}
const EXTENSION = extension('1.2.3.4', encodeNull())
const extensions = (...list: readonly Uint8Array[]) =>
  encodeDer(contextTag(0, 'constructed'), ...list)

/** A request with these fields after the imprint. */
const request = (...fields: readonly Uint8Array[]) =>
  encodeSequence(encodeInteger(1n), encodeMessageImprint(IMPRINT), ...fields)

t.test('requests of clients', async (t) => {
  const digests = {
    sha256: hashData('sha256', fromBase64(tsaVector.artifactB64)),
    sha384: hashData('sha384', fromBase64(tsaVector.artifactB64)),
    sha512: hashData('sha512', fromBase64(tsaVector.artifactB64))
  }
  let accepted = 0
  for (const { name, requestB64, contentType, expect } of tsaVector.requests) {
    if (contentType !== 'application/timestamp-query' || requestB64 === undefined) continue
    const parsed = await unlessRefused(() => parseTimestampRequest(fromBase64(requestB64)))
    // Policies and extensions are for the authority to judge.
    const isOurs = ['unsupported policy', 'extension requested while custom extensions are off']
    if (expect.status !== 200 && !isOurs.includes(name)) {
      t.equal(parsed, undefined, name)
      continue
    }
    if (parsed === undefined) {
      t.fail(name)
      continue
    }
    accepted++
    const { imprint, nonce, wantsCertificates } = parsed
    t.ok(equalBytes(imprint.digest, digests[imprint.hash]), name)
    if (expect.hash !== undefined) t.equal(imprint.hash, expect.hash)
    if (expect.nonceHex !== undefined) {
      t.equal(encodeHex(nonce ?? IMPRINT.digest).replace(/^00/, ''), expect.nonceHex)
    } else if (expect.status === 200) {
      t.equal(nonce, undefined)
    }
    if (expect.embedsCertificates !== undefined) {
      t.equal(wantsCertificates, expect.embedsCertificates)
    }
  }
  t.equal(accepted, 9)
})

t.test('every field, both ways', (t) => {
  const full: TimestampRequest = {
    imprint: IMPRINT,
    policyOid: '1.3.6.1.4.1.57264.2',
    nonce: decodeHex('ff0001'),
    wantsCertificates: true,
    extensions: [EXTENSION, extension('1.2.3.5', encodeNull(), true)]
  }
  for (const value of [BARE, full]) {
    t.same(parseTimestampRequest(encodeTimestampRequest(value)), value)
  }
  t.end()
})

t.test('a request as OpenSSL writes it', (t) => {
  const digest = '11'.repeat(48)
  const der = execFileSync('openssl', [
    'ts',
    '-query',
    '-digest',
    digest,
    '-sha384',
    '-cert',
    '-tspolicy',
    '1.2.3.4'
  ])
  const parsed = parseTimestampRequest(Uint8Array.from(der))
  t.equal(encodeHex(parsed.imprint.digest), digest)
  t.equal(parsed.policyOid, '1.2.3.4')
  t.equal(parsed.wantsCertificates, true)
  t.ok(equalBytes(encodeTimestampRequest(parsed), der))
  t.end()
})

t.test('a certReq that is FALSE, and nonces of any size', (t) => {
  t.same(parseTimestampRequest(request(boolean(false))), BARE)
  for (const nonce of ['00', '80', 'ff7f', `00${'ff'.repeat(20)}`, '7f'.repeat(100_000)]) {
    const { nonce: found } = parseTimestampRequest(
      request(encodeDer(DER_TAG.integer, decodeHex(nonce)))
    )
    t.ok(found !== undefined && equalBytes(found, decodeHex(nonce)), nonce.slice(0, 20))
  }
  t.end()
})

t.test('malformed requests', async (t) => {
  const imprint = encodeMessageImprint(IMPRINT)
  const nonce = encodeInteger(5n)
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['nothing', new Uint8Array(0), 'element missing'],
    ['not DER', fromBase64('aW52YWxpZA=='), 'length beyond the end'],
    ['trailing byte', Uint8Array.of(...request(), 0), 'trailing data'],
    ['an INTEGER', encodeInteger(1n), 'expected tag 0x30, found tag 0x2'],
    ['empty', encodeSequence(), 'version: expected tag 0x2, found nothing'],
    ['version 0', encodeSequence(encodeInteger(0n), imprint), 'version is not 1'],
    ['version 2', encodeSequence(encodeInteger(2n), imprint), 'version is not 1'],
    [
      'no imprint',
      encodeSequence(encodeInteger(1n)),
      'messageImprint: expected tag 0x30, found nothing'
    ],
    ['nonce twice', request(nonce, nonce), 'a field that does not belong there'],
    ['wrong order', request(boolean(true), nonce), 'a field that does not belong there'],
    [
      'nonce not in its shortest form',
      request(encodeDer(DER_TAG.integer, Uint8Array.of(0, 1))),
      'nonce: INTEGER not in its shortest form'
    ],
    ['empty nonce', request(encodeDer(DER_TAG.integer)), 'nonce: empty INTEGER'],
    [
      'BER TRUE',
      request(encodeDer(DER_TAG.boolean, Uint8Array.of(1))),
      'certReq: BOOLEAN neither 00 nor ff'
    ],
    [
      'policy of a hundred thousand arcs',
      request(encodeDer(DER_TAG.oid, new Uint8Array(100_000).fill(1))),
      'reqPolicy: OBJECT IDENTIFIER longer than 128 bytes'
    ],
    [
      'policy with one arc of a megabyte',
      request(encodeDer(DER_TAG.oid, Uint8Array.of(...new Uint8Array(100_000).fill(0xff), 1))),
      'reqPolicy: OBJECT IDENTIFIER longer than 128 bytes'
    ],
    ['no extension', request(extensions()), 'extensions: empty'],
    [
      'extension twice',
      request(extensions(EXTENSION, EXTENSION)),
      'extensions: 1.2.3.4 stands there twice'
    ],
    [
      'extension without value',
      request(extensions(encodeSequence(encodeOid('1.2.3.4')))),
      'extensions: expected tag 0x4, found nothing'
    ],
    [
      'extension with a fourth field',
      request(
        extensions(
          encodeSequence(
            encodeOid('1.2.3.4'),
            boolean(true),
            encodeNull(),
            encodeOctetString(IMPRINT.digest)
          )
        )
      ),
      'extensions: malformed extension'
    ],
    [
      'extension with critical FALSE',
      request(
        extensions(
          encodeSequence(encodeOid('1.2.3.4'), boolean(false), encodeOctetString(IMPRINT.digest))
        )
      ),
      'extensions: malformed extension'
    ]
  ]
  for (const [name, der, problem] of cases) {
    t.equal(
      await refusalText(() => parseTimestampRequest(der)),
      `invalid_request: timestamp request: ${problem}`,
      name
    )
  }
  t.equal(
    await refusalText(() => parseTimestampRequest(new Uint8Array(2 ** 20 + 1))),
    'invalid_request: timestamp request: longer than 1048576 bytes'
  )
})

t.test('a list of extensions may be empty elsewhere', (t) => {
  t.same(readExtensionList([], 'test'), [])
  t.same(readExtensionList([parseDer(EXTENSION)], 'test'), [EXTENSION])
  t.end()
})

t.test('mutated requests: a LogError, or one that is written as it is read', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const start = encodeTimestampRequest({
    ...BARE,
    policyOid: '1.2.3.4',
    nonce: Uint8Array.of(1, 2, 3),
    wantsCertificates: true,
    extensions: [EXTENSION]
  })
  let accepted = 0
  for (let i = 0; i < 3000; i++) {
    const parsed = await unlessRefused(() => parseTimestampRequest(mutate(start, random)))
    if (parsed === undefined) continue
    accepted++
    const again = parseTimestampRequest(encodeTimestampRequest(parsed))
    if (JSON.stringify(again) !== JSON.stringify(parsed)) t.fail('reads differently')
  }
  t.ok(accepted > 0, `${accepted} accepted`)
})
