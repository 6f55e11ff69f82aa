import t from 'tap'
import { encodeHex } from '../../../src/encoding/hex.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { claimOfDsse, claimOfHashedrekord } from '../../../src/entries/rekor-v2/claim.js'
import type { SigningHash } from '../../../src/entries/rekor-v2/signing-algorithms.js'
import { refusalText } from '../../helpers/refusals.js'

const bytes = Uint8Array.of(1)
const empty = new Uint8Array(0)
const verifier = { publicKey: { rawBytes: bytes }, keyDetails: 5 }
const signature = { content: bytes, verifier }

const sha256: SigningHash = {
  hashName: 'sha256',
  bytes: 32,
  title: 'SHA-256',
  algorithm: 'SHA2_256'
}
const sha512: SigningHash = {
  hashName: 'sha512',
  bytes: 64,
  title: 'SHA-512',
  algorithm: 'SHA2_512'
}

t.test('a hashedrekord claims the digest that was sent', (t) => {
  const claim = claimOfHashedrekord({ digest: Uint8Array.of(7), signature })
  t.same(claim.digest(sha256), Uint8Array.of(7))
  t.same(claim.content, bytes)
  t.same(claim.verifier, { type: 'publicKey', rawBytes: bytes, keyDetails: 5 })
  const certificate = { x509Certificate: { rawBytes: bytes } }
  t.same(
    claimOfHashedrekord({ digest: bytes, signature: { content: bytes, verifier: certificate } })
      .verifier,
    { type: 'x509Certificate', rawBytes: bytes, keyDetails: 0 }
  )
  t.end()
})

t.test('a dsse claims the digest of its encoding, with the hash of its key', (t) => {
  const claim = claimOfDsse({
    envelope: {
      payload: encodeUtf8('{"_type":"https://in-toto.io/Statement/v1"}'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: bytes, keyid: 'ignored' }]
    },
    verifiers: [verifier]
  })
  t.equal(
    encodeHex(claim.digest(sha256)),
    '57dd565335c70baa2e9fc48a46e80907434e3c6ea2342ef806dad983891349cd'
  )
  t.equal(claim.digest(sha512).length, 64)
  t.same(claim.content, bytes)
  // Nothing in it: SHA-256 of `DSSEv1 0  0 `.
  t.equal(
    encodeHex(
      claimOfDsse({ envelope: { signatures: [{ sig: bytes }] }, verifiers: [verifier] }).digest(
        sha256
      )
    ),
    '956e625084667c50b492ede8cbd6475245288079498c3ef6d433f3abd913f636'
  )
  t.end()
})

t.test('what a hashedrekord must not lack, in the order in which it is missed', async (t) => {
  for (const [request, message] of [
    [{}, 'missing signature'],
    [{ signature: {} }, 'missing signature'],
    [{ signature: { content: empty, verifier }, digest: bytes }, 'missing signature'],
    [{ signature: { content: bytes } }, 'missing verifier'],
    [{ signature }, 'missing digest'],
    [{ signature, digest: empty }, 'missing digest'],
    [
      { signature: { content: bytes, verifier: {} }, digest: bytes },
      'invalid verifier: missing signature public key or X.509 certificate'
    ],
    [
      { signature: { content: bytes, verifier: { publicKey: {} } }, digest: bytes },
      'invalid verifier: missing public key raw bytes'
    ],
    [
      {
        signature: { content: bytes, verifier: { publicKey: { rawBytes: empty } } },
        digest: bytes
      },
      'invalid verifier: missing public key raw bytes'
    ],
    [
      { signature: { content: bytes, verifier: { x509Certificate: {} } }, digest: bytes },
      'invalid verifier: missing X.509 certificate raw bytes'
    ]
  ] as const) {
    t.equal(await refusalText(() => claimOfHashedrekord(request)), `invalid_request: ${message}`)
  }
})

t.test('what a dsse must not lack or have more of', async (t) => {
  const envelope = { signatures: [{ sig: bytes }] }
  const two = [{ sig: bytes }, { sig: bytes }]
  for (const [request, message] of [
    [{}, 'missing envelope'],
    [{ envelope }, 'missing verifiers'],
    [{ envelope, verifiers: [] }, 'missing verifiers'],
    [{ envelope, verifiers: [verifier, verifier] }, 'too many verifiers: 2, max allowed: 1'],
    [
      { envelope, verifiers: [{}] },
      'invalid verifier: missing signature public key or X.509 certificate'
    ],
    [{ envelope: {}, verifiers: [verifier] }, 'envelope missing signatures'],
    [{ envelope: { signatures: [] }, verifiers: [verifier] }, 'envelope missing signatures'],
    [
      { envelope: { signatures: two }, verifiers: [verifier] },
      'too many signatures: 2, max allowed: 1'
    ],
    [{ envelope: { signatures: [{}] }, verifiers: [verifier] }, 'envelope signature empty'],
    [
      { envelope: { signatures: [{ sig: empty }] }, verifiers: [verifier] },
      'envelope signature empty'
    ]
  ] as const) {
    t.equal(await refusalText(() => claimOfDsse(request)), `invalid_request: ${message}`)
  }
})
