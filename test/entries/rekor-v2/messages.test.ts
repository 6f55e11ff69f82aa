import t from 'tap'
import { parseProtoJson } from '../../../src/encoding/proto-json.js'
import { CREATE_ENTRY_REQUEST, ENTRY } from '../../../src/entries/rekor-v2/messages.js'
import { refusalText } from '../../helpers/refusals.js'

const BYTES = 'AQ=='
const bytes = Uint8Array.of(1)

t.test('a request under the names of the .proto files', (t) => {
  const verifier = { x509_certificate: { raw_bytes: BYTES }, key_details: 'PKIX_ED25519_PH' }
  const readVerifier = { x509Certificate: { rawBytes: bytes }, keyDetails: 8 }
  t.same(
    parseProtoJson(
      JSON.stringify({
        hashed_rekord_request_v002: { digest: BYTES, signature: { content: BYTES, verifier } }
      }),
      CREATE_ENTRY_REQUEST
    ),
    {
      hashedRekordRequestV002: {
        digest: bytes,
        signature: { content: bytes, verifier: readVerifier }
      }
    }
  )
  const envelope = { payload: BYTES, payloadType: 'text', signatures: [{ sig: BYTES, keyid: 'k' }] }
  t.same(
    parseProtoJson(
      JSON.stringify({ dsse_request_v002: { envelope, verifiers: [verifier] } }),
      CREATE_ENTRY_REQUEST
    ),
    {
      dsseRequestV002: {
        envelope: { payload: bytes, payloadType: 'text', signatures: [{ sig: bytes, keyid: 'k' }] },
        verifiers: [readVerifier]
      }
    }
  )
  t.end()
})

t.test('an entry under the names of the .proto files', (t) => {
  const entry = {
    kind: 'dsse',
    api_version: '0.0.2',
    spec: {
      dsse_v002: {
        payloadHash: { algorithm: 'SHA2_256', digest: BYTES },
        signatures: [{ content: BYTES, verifier: { public_key: { raw_bytes: BYTES } } }]
      }
    }
  }
  t.same(parseProtoJson(JSON.stringify(entry), ENTRY), {
    kind: 'dsse',
    apiVersion: '0.0.2',
    spec: {
      dsseV002: {
        payloadHash: { algorithm: 1, digest: bytes },
        signatures: [{ content: bytes, verifier: { publicKey: { rawBytes: bytes } } }]
      }
    }
  })
  t.end()
})

t.test('names that look like it and are not', async (t) => {
  for (const [text, unknown] of [
    ['{"dsseRequestV002":{"envelope":{"payload_type":""}}}', 'payload_type'],
    ['{"dsseRequestV002":{"envelope":{"signatures":[{"keyId":""}]}}}', 'keyId'],
    ['{"hashedRekordRequestV0_0_2":{}}', 'hashedRekordRequestV0_0_2'],
    ['{"hashedrekordRequestV002":{}}', 'hashedrekordRequestV002'],
    [
      '{"hashedRekordRequestV002":{"signature":{"verifier":{"x509_Certificate":{}}}}}',
      'x509_Certificate'
    ]
  ] as const) {
    t.match(
      await refusalText(() => parseProtoJson(text, CREATE_ENTRY_REQUEST)),
      `unknown field "${unknown}"`
    )
  }
  t.match(
    await refusalText(() => parseProtoJson('{"spec":{"dsseV002":{"payload_hash":{}}}}', ENTRY)),
    'unknown field "payload_hash"'
  )
})

t.test('one key only', async (t) => {
  t.equal(
    await refusalText(() =>
      parseProtoJson(
        '{"hashedRekordRequestV002":{"signature":{"verifier":{"publicKey":{},"x509Certificate":{}}}}}',
        CREATE_ENTRY_REQUEST
      )
    ),
    'invalid_request: proto: (line 1:69): error parsing "x509Certificate", oneof ' +
      'dev.sigstore.rekor.v2.Verifier.verifier is already set'
  )
  t.equal(
    await refusalText(() =>
      parseProtoJson('{"hashedRekordRequestV002":{},"dsseRequestV002":{}}', CREATE_ENTRY_REQUEST)
    ),
    'invalid_request: proto: (line 1:31): error parsing "dsseRequestV002", oneof ' +
      'dev.sigstore.rekor.v2.CreateEntryRequest.spec is already set'
  )
})
