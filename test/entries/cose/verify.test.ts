import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { encodePem } from '../../../src/encoding/pem.js'
import type { VerifyOptions } from '../../../src/entries/entry-type.js'
import { parseCose } from '../../../src/entries/cose/parse.js'
import { verifyCose } from '../../../src/entries/cose/verify.js'
import { certificate, general, subjectAltName } from '../../helpers/certificates.js'
import {
  base64,
  coseMessage,
  coseSpec,
  ES256,
  es256Signer,
  PS256,
  ps256Signer,
  type CoseParts,
  type CoseSigner
} from '../../helpers/cose.js'
import { array, bstr, int, map, NULL, tstr } from '../../helpers/literal-cbor.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { computedVector, rekorVector } from '../../helpers/vectors.js'

const sha256 = (...parts: readonly (Uint8Array | string)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
const LIMIT: VerifyOptions = { maxAttestationBytes: 1000 }
const submit = (spec: unknown, options = LIMIT) => verifyCose(parseCose(spec), options)
const VECTOR = computedVector('cose')
const SPEC = VECTOR.proposedEntry.spec as {
  readonly message: string
  readonly publicKey: string
  readonly data: { readonly aad: string }
}
const FAILED = 'verification_failed: verification error'

t.test('computed vector', async (t) => {
  const { leafValue, searchKeys, attestation, clientAlgorithm } = await submit(SPEC)
  t.equal(Buffer.from(leafValue).toString(), VECTOR.canonicalBody)
  t.equal(sha256(Uint8Array.of(0), leafValue), VECTOR.leafHash)
  t.same(searchKeys, VECTOR.indexKeys)
  t.equal(attestation?.key, VECTOR.attestation?.key)
  t.equal(base64(attestation?.value ?? new Uint8Array(0)), VECTOR.attestation?.bytesBase64)
  t.equal(clientAlgorithm, undefined, 'the policy is for hashedrekord')
})

t.test('the attestation is the whole message, up to the limit', async (t) => {
  const length = rekorVector('cose/test_cose.cbor').length
  const keeps = async (maxAttestationBytes: number) =>
    (await submit(SPEC, { maxAttestationBytes })).attestation !== undefined
  t.same([await keeps(length), await keeps(length - 1), await keeps(0)], [true, false, false])
})

t.test('data of the vector', async (t) => {
  for (const data of [{}, { aad: '' }, { aad: base64(Buffer.from('test aae')) }]) {
    t.equal(await refusalText(() => submit({ ...SPEC, data })), FAILED)
  }
  for (const data of [undefined, null, [], 'x', 0]) {
    t.equal(
      await refusalText(() => submit({ ...SPEC, data })),
      'invalid_request: cose object data cannot be nil'
    )
  }
})

const SIGNERS: Readonly<Record<string, CoseSigner>> = {
  ES256: es256Signer(),
  'PS256 of 2048 bits': ps256Signer(2048),
  'PS256 of 3072 bits': ps256Signer(3072)
}
const signer = SIGNERS['ES256'] as CoseSigner

t.test('messages of others', async (t) => {
  for (const [name, signer] of Object.entries(SIGNERS)) {
    const algorithm = [int(1), int(signer.algorithm)]
    const cases: Readonly<Record<string, CoseParts>> = {
      plain: {},
      'empty payload': { payload: '' },
      'with AAD': { aad: 'some aad' },
      'long AAD': { aad: 'a'.repeat(70_000) },
      'no algorithm, with AAD': { protectedBytes: new Uint8Array(0), aad: 'aad' },
      'an empty map, with AAD': { protectedBytes: map(), aad: 'aad' },
      'labels out of order': {
        protectedBytes: map(int(4), bstr('kid'), ...algorithm, int(-70_000), array(NULL))
      },
      'integers longer than they need be': {
        protectedBytes: Uint8Array.of(0xa1, 0x18, 0x01, 0x39, 0, -signer.algorithm - 1)
      },
      'long protected header': { protectedBytes: map(...algorithm, int(4), bstr('k'.repeat(300))) },
      'byte string with a long head': {
        protectedBytes: map(...algorithm),
        protectedItem: bstr(map(...algorithm), 4)
      },
      'critical label': { protectedBytes: map(int(2), array(int(1)), ...algorithm) },
      'unprotected algorithm of another': { unprotected: map(int(1), int(-8)) },
      'large payload': { payload: new Uint8Array(300_000) }
    }
    for (const [what, parts] of Object.entries(cases)) {
      const message = coseMessage(signer, parts)
      const { leafValue, searchKeys, attestation } = await submit(coseSpec(signer, parts, message))
      const envelope = sha256(message)
      const payload = sha256(parts.payload ?? 'a payload')
      t.same(
        searchKeys,
        [sha256(signer.pem), `sha256:${envelope}`, `sha256:${payload}`],
        `${name}: ${what}`
      )
      t.match(JSON.parse(Buffer.from(leafValue).toString()), {
        spec: {
          publicKey: base64(signer.pem),
          data: { envelopeHash: { value: envelope }, payloadHash: { value: payload } }
        }
      })
      t.equal(attestation === undefined, message.length > 1000)
    }
  }
})

t.test('what is not signed like that', async (t) => {
  const algorithm = map(int(1), int(ES256))
  const otherOrder = map(int(4), bstr('k'), int(1), int(ES256))
  const sorted = map(int(1), int(ES256), int(4), bstr('k'))
  const cases: readonly (readonly [string, CoseParts, string])[] = [
    ['other AAD', { aad: 'aad', signature: signer.sign(coseMessage(signer)) }, FAILED],
    ['signature of something else', { signature: signer.sign(Buffer.from('else')) }, FAILED],
    ['short signature', { signature: Uint8Array.of(1) }, FAILED],
    [
      'header signed in another order',
      { protectedBytes: sorted, protectedItem: bstr(otherOrder) },
      FAILED
    ],
    [
      'empty map signed as nothing',
      { protectedBytes: new Uint8Array(0), protectedItem: bstr(map()), aad: 'a' },
      FAILED
    ],
    [
      'nothing signed as an empty map',
      { protectedBytes: map(), protectedItem: bstr(''), aad: 'a' },
      FAILED
    ],
    ['other payload', { payloadItem: bstr('b payload') }, FAILED],
    ['payload elsewhere', { payloadItem: NULL }, 'invalid_request: missing payload'],
    ['no signature', { signature: new Uint8Array(0) }, 'invalid_request: empty signature'],
    [
      'algorithm of RSA',
      { protectedBytes: map(int(1), int(PS256)) },
      'verification_failed: algorithm mismatch: verifier ES256: header PS256'
    ],
    [
      'an algorithm with a long name',
      { protectedBytes: map(int(1), tstr('"'.repeat(1000))) },
      `verification_failed: Algorithm("${'\\"'.repeat(200)}…")`
    ],
    [
      'a critical label that is long',
      { protectedBytes: map(int(1), int(ES256), int(2), array(tstr('x'.repeat(1000)))) },
      'invalid_request: cbor: invalid protected header: protected header: header parameter: ' +
        `crit: missing critical header: ${'x'.repeat(200)}…`
    ],
    ['no algorithm', { protectedBytes: map() }, 'verification_failed: algorithm not found'],
    [
      'algorithm only unprotected',
      { protectedBytes: new Uint8Array(0), unprotected: algorithm },
      'verification_failed: algorithm not found'
    ],
    [
      'a critical label that is not there',
      { protectedBytes: map(int(1), int(ES256), int(2), array(int(99))) },
      'invalid_request: cbor: invalid protected header: protected header: header parameter: ' +
        'crit: missing critical header: 99'
    ]
  ]
  for (const [name, parts, message] of cases) {
    t.equal(await refusalText(() => submit(coseSpec(signer, parts))), message, name)
  }
  const message = coseMessage(signer)
  const spec = (bytes: Uint8Array) => coseSpec(signer, {}, bytes)
  t.equal(
    await refusalText(() => submit(spec(message.subarray(1)))),
    'invalid_request: cbor: invalid COSE_Sign1_Tagged object',
    'without tag'
  )
  t.equal(
    await refusalText(() => submit(spec(Uint8Array.of(0xd2, 0x84)))),
    'invalid_request: unexpected EOF',
    'an empty message'
  )
  t.equal(
    await refusalText(() => submit(spec(Uint8Array.of(0xd2, 0x84, 0x40, 0xa0, 0xf6, 0xf6)))),
    'invalid_request: empty signature',
    'nulls'
  )
  const other = es256Signer()
  t.equal(
    await refusalText(() => submit({ ...spec(message), publicKey: base64(other.pem) })),
    FAILED,
    'the key of another'
  )
})

t.test('keys of other kinds', async (t) => {
  const pem = (name: string) => base64(rekorVector(`inline/keys/pubKey${name}.pem`))
  const small = base64(ps256Signer(1024).pem)
  for (const [publicKey, message] of [
    [pem('Ed25519'), 'unsupported: unsupported algorithm type ed25519.PublicKey'],
    [pem('P384'), 'unsupported: unsupported elliptic curve P-384'],
    [pem('P521'), 'unsupported: unsupported elliptic curve P-521'],
    [small, 'unsupported: RSA key must be at least 2048 bits long'],
    [pem('P256'), FAILED],
    [pem('RSA2048'), 'verification_failed: algorithm mismatch: verifier PS256: header ES256']
  ] as const) {
    t.equal(await refusalText(() => submit({ ...SPEC, publicKey })), message)
    // The key is looked at before the message.
    if (message.startsWith('unsupported')) {
      const bad = base64(Buffer.from('no message'))
      t.equal(await refusalText(() => submit({ ...SPEC, publicKey, message: bad })), message)
    }
  }
})

t.test('a certificate', async (t) => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const names = subjectAltName([general.email('Me@example.com'), general.uri('https://a.example')])
  const der = certificate({ key: pair.publicKey, extensions: [names] })
  const pem = Buffer.from(encodePem('CERTIFICATE', der))
  const certified: CoseSigner = {
    algorithm: ES256,
    pem,
    sign: (data) => sign('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
  }
  const { searchKeys } = await submit(coseSpec(certified))
  t.same(searchKeys.slice(0, 3), [sha256(pem), 'me@example.com', 'https://a.example'])
})

t.test('subjects of an in-toto statement', async (t) => {
  const payload = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v0.1',
    subject: [
      { name: 'a', digest: { sha256: 'AA', sha1: 'bb' } },
      { name: 'b', digest: { gitCommit: 'cc' } }
    ],
    predicate: { materials: [{ uri: 'x', digest: { sha1: 'dd' } }] }
  })
  const typed = (value: Uint8Array) => map(int(1), int(ES256), int(3), value)
  const keysOf = async (protectedBytes: Uint8Array, payload: string) =>
    (await submit(coseSpec(signer, { protectedBytes, payload }))).searchKeys.slice(3)
  const inToto = typed(tstr('application/vnd.in-toto+json'))
  t.same(await keysOf(inToto, payload), ['sha256:aa', 'sha1:bb', 'gitcommit:cc'], 'no materials')
  t.same(await keysOf(typed(tstr('application/json')), payload), [])
  t.same(await keysOf(typed(int(50)), payload), [])
  t.same(await keysOf(map(int(1), int(ES256)), payload), [])
  t.same(await keysOf(inToto, 'no JSON'), [], 'accepted all the same')
  t.same(await keysOf(inToto, '{"subject":[{"digest":{"sha256":1}}]}'), [])
  const many = JSON.stringify({
    subject: Array.from({ length: 10_001 }, (_, i) => ({ digest: { sha256: `${i}` } }))
  })
  t.match(
    await refusalText(() => keysOf(inToto, many)),
    /^invalid_request: entry has \d+ search keys/
  )
})

t.test('a committed form cannot be built again', async (t) => {
  const { spec } = JSON.parse(VECTOR.canonicalBody) as { spec: unknown }
  t.equal(await refusalText(() => submit(spec)), 'invalid_request: signed message uninitialized')
})

t.test('fuzz: only refusals, and what is accepted was signed', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const message = coseMessage(signer, { unprotected: map(int(4), bstr('a key id')) })
  const payload = sha256('a payload')
  const wrong: string[] = []
  let accepted = 0
  for (let i = 0; i < 1000; i++) {
    const entry = await unlessRefused(() => submit(coseSpec(signer, {}, mutate(message, random))))
    if (entry === undefined) continue
    accepted++
    if (!entry.searchKeys.includes(`sha256:${payload}`)) wrong.push(entry.searchKeys.join())
  }
  t.same(wrong, [])
  t.ok(accepted > 0, `${accepted} changed only what is not signed`)
})
