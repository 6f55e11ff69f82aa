import { Envelope, PublicKeyDetails } from '@sigstore/protobuf-specs'
import { CreateEntryRequest } from '@sigstore/protobuf-specs/rekor/v2'
import t from 'tap'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import {
  MAX_CREATE_REQUEST_BYTES,
  parseCreateRequest
} from '../../../src/entries/rekor-v2/create-request.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { requestBytes } from '../../helpers/rekor-v2-requests.js'
import { ownVectors } from '../../helpers/rekor-v2-vectors.js'

const [hashedrekord, dsse] = ownVectors().requests

t.test('requests as documented', (t) => {
  const request = parseCreateRequest(requestBytes(hashedrekord)).hashedRekordRequestV002
  t.equal(request?.digest?.length, 32)
  t.equal(request?.signature?.verifier?.keyDetails, 5)
  const { envelope, verifiers } = parseCreateRequest(requestBytes(dsse)).dsseRequestV002 ?? {}
  t.equal(envelope?.payloadType, 'application/vnd.in-toto+json')
  t.equal(envelope?.signatures?.length, 1)
  t.equal(verifiers?.length, 1)
  t.end()
})

t.test('what sigstore-js writes', (t) => {
  const rawBytes = Buffer.from('certificate')
  const verifier = {
    verifier: { $case: 'x509Certificate' as const, x509Certificate: { rawBytes } },
    keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256
  }
  const envelope = Envelope.fromJSON({
    payload: 'AQID',
    payloadType: 'text',
    signatures: [{ sig: 'AQ==' }]
  })
  t.same(
    parseCreateRequest(
      requestBytes(
        CreateEntryRequest.toJSON({
          spec: { $case: 'dsseRequestV002', dsseRequestV002: { envelope, verifiers: [verifier] } }
        })
      )
    ),
    {
      dsseRequestV002: {
        envelope: {
          payload: Uint8Array.of(1, 2, 3),
          payloadType: 'text',
          signatures: [{ sig: Uint8Array.of(1) }]
        },
        verifiers: [{ x509Certificate: { rawBytes: Uint8Array.from(rawBytes) }, keyDetails: 5 }]
      }
    }
  )
  t.same(
    parseCreateRequest(
      requestBytes(
        CreateEntryRequest.toJSON({
          spec: {
            $case: 'hashedRekordRequestV002',
            hashedRekordRequestV002: {
              digest: Buffer.of(1),
              signature: { content: Buffer.of(2), verifier }
            }
          }
        })
      )
    ).hashedRekordRequestV002?.signature?.content,
    Uint8Array.of(2)
  )
  t.end()
})

t.test('the same request in other spellings', (t) => {
  const want = parseCreateRequest(requestBytes(hashedrekord))
  const text = JSON.stringify(hashedrekord)
  for (const [title, other] of [
    ['snake case', text.replace(/(?<=")[a-zA-Z0-9]+(?=":)/g, snakeCase)],
    ['URL alphabet', text.replaceAll('+', '-').replaceAll('/', '_')],
    ['no padding', text.replace(/=+"/g, '"')],
    ['number of the enum', text.replace('"PKIX_ECDSA_P256_SHA_256"', '5')],
    ['white space', JSON.stringify(hashedrekord, null, '\t')],
    [
      'null for what is not there',
      text.replace('"publicKey"', '"x509Certificate":null,"publicKey"')
    ]
  ] as const) {
    t.not(other, text, title)
    t.same(parseCreateRequest(encodeUtf8(other)), want, title)
  }
  t.end()
})

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

t.test('nothing', (t) => {
  for (const text of ['', ' \r\n\t', '{}']) t.same(parseCreateRequest(encodeUtf8(text)), {})
  t.end()
})

t.test('how long a body may be', async (t) => {
  const padded = (length: number) => encodeUtf8('{}'.padEnd(length))
  t.same(parseCreateRequest(padded(MAX_CREATE_REQUEST_BYTES)), {})
  t.equal(
    await refusalText(() => parseCreateRequest(padded(MAX_CREATE_REQUEST_BYTES + 1))),
    'too_large: request body of more than 4194304 bytes'
  )
})

t.test('refused', async (t) => {
  for (const [body, message] of [
    [Uint8Array.of(0xff), 'not valid UTF-8'],
    [encodeUtf8('\ufeff{}'), 'proto: syntax error (line 1:1): invalid value \ufeff'],
    [encodeUtf8('null'), 'proto: syntax error (line 1:1): unexpected token null'],
    [encodeUtf8('[]'), 'proto: syntax error (line 1:1): unexpected token ['],
    [encodeUtf8('{"spec":{}}'), 'proto: (line 1:2): unknown field "spec"']
  ] as const) {
    t.equal(await refusalText(() => parseCreateRequest(body)), `invalid_request: ${message}`)
  }
})

t.test('mutated requests are read or refused', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  let accepted = 0
  for (const request of [hashedrekord, dsse]) {
    const bytes = requestBytes(request)
    for (let i = 0; i < 1000; i++) {
      const value = await unlessRefused(() => parseCreateRequest(mutate(bytes, random)))
      if (value !== undefined) accepted++
    }
  }
  t.ok(accepted < 2000, `${accepted} accepted`)
})
