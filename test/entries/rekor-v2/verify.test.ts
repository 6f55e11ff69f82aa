import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { ed25519ph } from '@noble/curves/ed25519.js'
import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.js'
import { decodeUtf8, encodeUtf8 } from '../../../src/encoding/text.js'
import { parseCreateRequest } from '../../../src/entries/rekor-v2/create-request.js'
import { parseEntryBody } from '../../../src/entries/rekor-v2/entry-body.js'
import {
  verifyCreateRequest,
  type VerifiedRequest,
  type VerifyRequestOptions
} from '../../../src/entries/rekor-v2/verify.js'
import { LogError } from '../../../src/errors.js'
import { ed25519PublicKey } from '../../../src/keys/public-key.js'
import { verifyDigest } from '../../../src/keys/verify.js'
import { hashLeaf } from '../../../src/merkle/hash.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusal, unlessRefused } from '../../helpers/refusals.js'
import {
  type HashedrekordBody,
  requestBytes,
  SIGNED_WITH,
  signedHashedrekord,
  spkiBase64
} from '../../helpers/rekor-v2-requests.js'
import { bundleVector, ownVectors } from '../../helpers/rekor-v2-vectors.js'

const own = ownVectors()

function submit(request: unknown, options?: VerifyRequestOptions): Promise<VerifiedRequest> {
  return verifyCreateRequest(parseCreateRequest(requestBytes(request)), options)
}

const submitHashedrekord = (request: HashedrekordBody, options?: VerifyRequestOptions) =>
  submit({ hashedRekordRequestV002: request }, options)

/** What the client is told, with its code, and why. */
async function refusalTexts(action: () => unknown): Promise<readonly string[]> {
  const { code, message, cause } = await refusal(action)
  if (cause === undefined) return [`${code}: ${message}`]
  const { code: causeCode, message: why } = cause as LogError
  return causeCode === code ? [`${code}: ${message}`, why] : [`${code} is not ${causeCode}`]
}

t.test('requests as documented', async (t) => {
  for (const [i, request] of own.requests.entries()) {
    const { leafValue, clientAlgorithm } = await submit(request)
    t.equal(decodeUtf8(leafValue), own.bodies[i])
    t.equal(encodeHex(hashLeaf(leafValue)), own.leafHashes[i])
    t.equal(clientAlgorithm, 'ecdsa-sha2-256-nistp256')
  }
})

t.test('a request with what stands in a real log gives the same entry', async (t) => {
  for (const name of ['hashedrekord', 'hashedrekord-over-dsse'] as const) {
    const body = Buffer.from(bundleVector(name).tlogEntry.canonicalizedBody, 'base64')
    const { hashedRekordV002 } = (
      JSON.parse(body.toString()) as {
        spec: { hashedRekordV002: { data: { digest: string }; signature: object } }
      }
    ).spec
    const { data, signature } = hashedRekordV002
    const { leafValue } = await submitHashedrekord({ digest: data.digest, signature })
    t.equal(decodeUtf8(leafValue), body.toString(), name)
  }
})

t.test('an envelope whose digest a newer client logged gives the same entry', async (t) => {
  const { dsseEnvelope, certificate, tlogEntry } = bundleVector('hashedrekord-over-dsse')
  const verifier = {
    x509Certificate: { rawBytes: certificate },
    keyDetails: 'PKIX_ECDSA_P256_SHA_256'
  }
  const request = { dsseRequestV002: { envelope: dsseEnvelope, verifiers: [verifier] } }
  const { leafValue } = await submit(request)
  t.equal(encodeBase64(leafValue), tlogEntry.canonicalizedBody)
  t.same(await refusalTexts(() => submit(request, { strictTypes: true })), [
    'invalid_request: invalid type, must be hashedrekord'
  ])
})

t.test('an envelope that an older client logged is logged as newer ones would', async (t) => {
  const { dsseEnvelope, certificate } = bundleVector('dsse')
  const verifier = {
    x509Certificate: { rawBytes: certificate },
    keyDetails: 'PKIX_ECDSA_P256_SHA_256'
  }
  const { leafValue } = await submit({
    dsseRequestV002: { envelope: dsseEnvelope, verifiers: [verifier] }
  })
  t.match(parseEntryBody(leafValue), {
    kind: 'hashedrekord',
    signature: { verifier: { type: 'x509Certificate', keyDetails: 5 } }
  })
})

t.test('every kind of key', async (t) => {
  for (const keyDetails of SIGNED_WITH) {
    const request = signedHashedrekord(keyDetails)
    const { leafValue } = await submitHashedrekord(request)
    const { spec } = JSON.parse(decodeUtf8(leafValue)) as { spec: Record<string, HashedrekordBody> }
    t.same(spec['hashedRekordV002']?.signature, request.signature, keyDetails)
  }
})

t.test('Ed25519ph: the documented signature and one made here', async (t) => {
  const { publicKey, message, digest, signature } = own.ed25519ph
  const request = (content: string, spki: Uint8Array): HashedrekordBody => ({
    digest: encodeBase64(decodeHex(digest)),
    signature: {
      content,
      verifier: { publicKey: { rawBytes: encodeBase64(spki) }, keyDetails: 'PKIX_ED25519_PH' }
    }
  })
  const { spki } = ed25519PublicKey(decodeHex(publicKey))
  const { clientAlgorithm, leafValue } = await submitHashedrekord(request(signature, spki))
  t.equal(clientAlgorithm, 'ed25519-ph')
  t.match(decodeUtf8(leafValue), '"data":{"algorithm":"SHA2_512"')
  const seed = new Uint8Array(32).fill(9)
  const made = encodeBase64(ed25519ph.sign(encodeUtf8(message), seed))
  const ours = ed25519PublicKey(ed25519ph.getPublicKey(seed)).spki
  t.ok(await submitHashedrekord(request(made, ours)))
  t.same(await refusalTexts(() => submitHashedrekord(request(made, spki))), [
    'verification_failed: invalid hashedrekord request',
    'verifying signature: failed to verify signature: ed25519: invalid signature'
  ])
})

t.test('spellings of a request are one entry', async (t) => {
  const text = JSON.stringify(own.requests[0])
  for (const other of [
    text.replace('"PKIX_ECDSA_P256_SHA_256"', '5'),
    text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
    text.replace('keyDetails', 'key_details')
  ]) {
    const { leafValue } = await verifyCreateRequest(parseCreateRequest(encodeUtf8(other)))
    t.equal(decodeUtf8(leafValue), own.bodies[0])
  }
})

t.test('nothing that is asked for', async (t) => {
  for (const request of [
    {},
    { hashedRekordRequestV002: null },
    { hashedRekordRequestV002: null, dsseRequestV002: null }
  ]) {
    t.same(await refusalTexts(() => submit(request)), [
      'invalid_request: invalid type, must be hashedrekord'
    ])
  }
  t.same(await refusalTexts(() => submit({ hashedRekordRequestV002: {} })), [
    'invalid_request: invalid hashedrekord request',
    'missing signature'
  ])
  t.same(await refusalTexts(() => submit({ dsseRequestV002: {} })), [
    'invalid_request: invalid dsse request',
    'missing envelope'
  ])
})

t.test('refused', async (t) => {
  const good = signedHashedrekord('PKIX_ECDSA_P256_SHA_256')
  const { content, verifier } = good.signature ?? {}
  const spki = (verifier?.publicKey as { rawBytes: string }).rawBytes
  const withVerifier = (other: object): HashedrekordBody => ({
    ...good,
    signature: { content, verifier: { ...verifier, ...other } }
  })
  const withKey = (rawBytes: string): HashedrekordBody => withVerifier({ publicKey: { rawBytes } })
  const withCertificate = (der: Uint8Array): HashedrekordBody =>
    withVerifier({ publicKey: null, x509Certificate: { rawBytes: encodeBase64(der) } })
  const pem = createPublicKey({
    key: Buffer.from(spki, 'base64'),
    format: 'der',
    type: 'spki'
  }).export({ format: 'pem', type: 'spki' })
  const certificate = Buffer.from(bundleVector('dsse').certificate ?? '', 'base64')
  const otherKey = spkiBase64(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  const secp256k1 = spkiBase64(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)
  for (const [request, code, why] of [
    [
      withKey(Buffer.from(pem).toString('base64')),
      'invalid_request',
      /^parsing verifier: parsing public key: /
    ],
    [
      withKey(Buffer.concat([Buffer.from(spki, 'base64'), Buffer.of(0)]).toString('base64')),
      'invalid_request',
      /^parsing verifier: parsing public key: x509: public key: trailing data/
    ],
    [
      withKey(secp256k1),
      'unsupported',
      /^parsing verifier: parsing public key: x509: unsupported elliptic curve$/
    ],
    [
      withCertificate(certificate.subarray(1)),
      'invalid_request',
      /^parsing verifier: parsing certificate: /
    ],
    [
      withCertificate(Buffer.concat([certificate, Buffer.of(0)])),
      'invalid_request',
      /^parsing verifier: parsing certificate: .*trailing data/
    ],
    [
      withCertificate(Buffer.from(spki, 'base64')),
      'invalid_request',
      /^parsing verifier: parsing certificate: /
    ],
    [withCertificate(certificate), 'verification_failed', /^verifying signature: /],
    [withKey(otherKey), 'verification_failed', /^verifying signature: /],
    [withVerifier({ keyDetails: 0 }), 'unsupported', /^getting key algorithm details: /],
    [withVerifier({ keyDetails: null }), 'unsupported', /^getting key algorithm details: /],
    [
      withVerifier({ keyDetails: 'PKIX_ED25519' }),
      'unsupported',
      /^unsupported entry algorithm for ECDSA key, curve P-256, digest unknown hash value 0$/
    ],
    [
      withVerifier({ keyDetails: 'PKIX_RSA_PKCS1V15_2048_SHA256' }),
      'invalid_request',
      /do not fit the key/
    ],
    [
      { ...good, digest: 'AA==' },
      'invalid_request',
      /^digest length \(1\) does not match expected size \(32\) for algorithm SHA-256$/
    ],
    [
      { ...good, digest: encodeBase64(new Uint8Array(33)) },
      'invalid_request',
      /^digest length \(33\) does not/
    ],
    [
      { ...good, digest: encodeBase64(new Uint8Array(32)) },
      'verification_failed',
      /^verifying signature: /
    ],
    [
      { ...good, signature: { content: 'AAAA', verifier } },
      'verification_failed',
      /^verifying signature: /
    ]
  ] as const) {
    const [message, cause] = await refusalTexts(() => submitHashedrekord(request))
    t.equal(message, `${code}: invalid hashedrekord request`)
    t.match(cause, why)
  }
  t.same(
    await refusalTexts(() => submitHashedrekord(good, { signingAlgorithms: ['ed25519-ph'] })),
    [
      'unsupported: invalid hashedrekord request',
      'unsupported entry algorithm for ECDSA key, curve P-256, digest SHA-256'
    ]
  )
})

t.test('an envelope that was changed', async (t) => {
  const text = JSON.stringify(own.requests[1])
  const changed = JSON.parse(text.replace('in-toto+json', 'in-toto')) as unknown
  const [message, why] = await refusalTexts(() => submit(changed))
  t.equal(message, 'verification_failed: invalid dsse request')
  t.match(why, /^verifying signature: /)
})

t.test('a signature can be checked elsewhere', async (t) => {
  const checked: string[] = []
  const { leafValue } = await submit(own.requests[0], {
    async checkDigest({ key, hashName, digest, signature }) {
      checked.push(`${key.type} ${hashName} ${digest.length}`)
      await verifyDigest(key, hashName, digest, signature)
    }
  })
  t.equal(decodeUtf8(leafValue), own.bodies[0])
  t.same(checked, ['ecdsa sha256 32'])
})

t.test('what fails elsewhere is no refusal', async (t) => {
  const broken = new Error('broken')
  await t.rejects(submit(own.requests[0], { checkDigest: () => Promise.reject(broken) }), broken)
  t.same(
    await refusalTexts(() =>
      submit(own.requests[0], {
        checkDigest: () => Promise.reject(new LogError('overloaded', 'queue is full'))
      })
    ),
    ['overloaded: verifying signature: queue is full', 'queue is full']
  )
})

t.test('an entry that fits no bundle', async (t) => {
  // What no key of ours can sign: the check is left out here.
  const { certificate } = bundleVector('dsse')
  const request = (bytes: number): HashedrekordBody => ({
    digest: encodeBase64(new Uint8Array(32)),
    signature: {
      content: encodeBase64(new Uint8Array(bytes)),
      verifier: {
        x509Certificate: { rawBytes: certificate },
        keyDetails: 'PKIX_ECDSA_P256_SHA_256'
      }
    }
  })
  const options = { checkDigest: () => Promise.resolve() }
  const { length } = (await submitHashedrekord(request(3), options)).leafValue
  const room = 3 + Math.floor((65_535 - length) / 4) * 3
  const { leafValue } = await submitHashedrekord(request(room), options)
  t.ok(leafValue.length <= 65_535 && leafValue.length > 65_531, `${leafValue.length} bytes`)
  t.same(await refusalTexts(() => submitHashedrekord(request(room + 3), options)), [
    'invalid_request: invalid entry',
    `canonical body of ${leafValue.length + 4} bytes, more than the 65535 that fit an entry bundle`
  ])
})

t.test('mutated requests are refused, or log what they say', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const options = { checkDigest: () => Promise.resolve() }
  const wrong: string[] = []
  let accepted = 0
  for (const request of own.requests) {
    const bytes = requestBytes(request)
    for (let i = 0; i < 500; i++) {
      const mutated = mutate(bytes, random)
      const verified = await unlessRefused(() =>
        verifyCreateRequest(parseCreateRequest(mutated), options)
      )
      if (verified === undefined) continue
      accepted++
      if ((await unlessRefused(() => parseEntryBody(verified.leafValue))) === undefined) {
        wrong.push(Buffer.from(mutated).toString('latin1'))
      }
    }
  }
  t.same(wrong, [])
  t.comment(`${accepted} accepted`)
})
