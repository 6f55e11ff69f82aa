import { Entry } from '@sigstore/protobuf-specs/rekor/v2'
import t from 'tap'
import { decodeBase64 } from '../../../src/encoding/base64.js'
import { canonicalJson, type JsonValue } from '../../../src/encoding/canonical-json.js'
import { decodeHex, encodeHex } from '../../../src/encoding/hex.js'
import { decodeUtf8, encodeUtf8 } from '../../../src/encoding/text.js'
import {
  encodeEntryBody,
  type LoggedEntry,
  MAX_BODY_BYTES,
  parseEntryBody
} from '../../../src/entries/rekor-v2/entry-body.js'
import { hashLeaf } from '../../../src/merkle/hash.js'
import { verifyInclusion } from '../../../src/merkle/inclusion-proof.js'
import { mutate } from '../../helpers/mutations.js'
import { seededRandom } from '../../helpers/random.js'
import { refusalText, unlessRefused } from '../../helpers/refusals.js'
import { bundleVector, ownVectors } from '../../helpers/rekor-v2-vectors.js'

const own = ownVectors()
const REAL = ['hashedrekord', 'hashedrekord-over-dsse', 'dsse'] as const
const realBody = (name: (typeof REAL)[number]) =>
  decodeBase64(bundleVector(name).tlogEntry.canonicalizedBody)

t.test('bodies as documented, with their leaf hashes', (t) => {
  for (const [i, text] of own.bodies.entries()) {
    const body = encodeUtf8(text)
    const entry = parseEntryBody(body)
    t.equal(decodeUtf8(encodeEntryBody(entry)), text)
    t.equal(encodeHex(hashLeaf(body)), own.leafHashes[i])
    t.match(entry, {
      kind: 'hashedrekord',
      data: { algorithm: 1 },
      signature: { verifier: { type: 'publicKey', keyDetails: 5 } }
    })
  }
  t.end()
})

t.test('bodies of real logs, which their proofs hold', (t) => {
  for (const name of REAL) {
    const body = realBody(name)
    t.same(encodeEntryBody(parseEntryBody(body)), body, name)
    const { logIndex, inclusionProof } = bundleVector(name).tlogEntry
    t.doesNotThrow(() =>
      verifyInclusion(
        hashLeaf(body),
        Number(logIndex),
        {
          treeSize: Number(inclusionProof.treeSize),
          rootHash: decodeBase64(inclusionProof.rootHash)
        },
        inclusionProof.hashes.map((hash) => decodeBase64(hash))
      )
    )
  }
  t.end()
})

t.test('as sigstore-js writes it, brought into canonical form', (t) => {
  for (const name of REAL) {
    const message = Entry.fromJSON(JSON.parse(decodeUtf8(realBody(name))) as unknown)
    t.same(
      encodeUtf8(canonicalJson(Entry.toJSON(message) as JsonValue)),
      encodeEntryBody(parseEntryBody(realBody(name)))
    )
  }
  t.end()
})

t.test('a withdrawn entry', (t) => {
  const entry = parseEntryBody(realBody('dsse'))
  t.match(entry, {
    kind: 'dsse',
    payloadHash: { algorithm: 1 },
    signatures: [{ verifier: { type: 'x509Certificate', keyDetails: 5 } }]
  })
  t.end()
})

const verifier = { type: 'publicKey', rawBytes: Uint8Array.of(1), keyDetails: 7 } as const

t.test('what has no name or is not said', (t) => {
  for (const [algorithm, keyDetails, data, written] of [
    [0, 0, '', ''],
    [99, 98, '"algorithm":99,', '"keyDetails":98,'],
    [3, -1, '"algorithm":"SHA2_512",', '"keyDetails":-1,']
  ] as const) {
    const entry: LoggedEntry = {
      kind: 'hashedrekord',
      data: { algorithm, digest: Uint8Array.of(2) },
      signature: { content: Uint8Array.of(3), verifier: { ...verifier, keyDetails } }
    }
    const body = encodeEntryBody(entry)
    t.equal(
      decodeUtf8(body),
      `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{${data}"digest":"Ag=="},` +
        `"signature":{"content":"Aw==","verifier":{${written}"publicKey":{"rawBytes":"AQ=="}}}}}}`
    )
    t.same(parseEntryBody(body), entry)
  }
  t.end()
})

t.test('refused', async (t) => {
  const [text] = own.bodies
  const real = decodeUtf8(realBody('dsse'))
  const without = (body: string, pattern: RegExp) => body.replace(pattern, '')
  const canonical = 'invalid_request: entry body: not in canonical form'
  for (const [body, message] of [
    ['', 'invalid_request: proto: unexpected EOF'],
    ['{}', 'unsupported: entry body: neither hashedrekord nor dsse 0.0.2'],
    [
      text.replace('0.0.2', '0.0.1'),
      'unsupported: entry body: neither hashedrekord nor dsse 0.0.2'
    ],
    [
      text.replace('"hashedrekord"', '"rekord"'),
      'unsupported: entry body: neither hashedrekord nor dsse 0.0.2'
    ],
    ['{"apiVersion":"0.0.2","kind":"hashedrekord"}', 'invalid_request: entry body: no digest'],
    ['{"apiVersion":"0.0.2","kind":"dsse"}', 'invalid_request: entry body: no signatures'],
    [
      real.replace(/"signatures":\[.*\]/, '"signatures":[]'),
      'invalid_request: entry body: no signatures'
    ],
    [without(real, /"payloadHash":\{[^}]*\},/), 'invalid_request: entry body: no digest'],
    [text.replace('"hashedrekord"', '"dsse"'), 'invalid_request: entry body: no signatures'],
    [text.replace(/"digest":"[^"]*"/, '"digest":""'), 'invalid_request: entry body: no digest'],
    [without(text, /,"signature":\{.*?\}\}\}/), 'invalid_request: entry body: no signature'],
    [without(text, /"content":"[^"]*",/), 'invalid_request: entry body: no signature'],
    [without(text, /,"verifier":\{.*?\}\}/), 'invalid_request: entry body: no verifier'],
    [without(text, /,"publicKey":\{.*?\}/), 'invalid_request: entry body: no verifier'],
    [without(text, /"rawBytes":"[^"]*"/), 'invalid_request: entry body: no verifier'],
    [`${text} `, canonical],
    [text.replace('PKIX_ECDSA_P256_SHA_256"', '5').replace('"5', '5'), canonical],
    [text.replace('azKw8U=', 'azKw8U'), canonical],
    [text.replace('azKw8U=', 'azKw8V='), canonical],
    [text.replace('hashedRekordV002', 'hashed_rekord_v002'), canonical],
    [text.replace('"kind"', '"\\u006bind"'), canonical],
    [text.replace(/^\{("apiVersion":"0.0.2"),("kind":"hashedrekord")/, '{$2,$1'), canonical],
    [
      text.replace('{"apiVersion"', '{"more":1,"apiVersion"'),
      'invalid_request: proto: (line 1:2): unknown field "more"'
    ]
  ] as const) {
    t.not(body, text)
    t.equal(await refusalText(() => parseEntryBody(encodeUtf8(body))), message, body.slice(0, 60))
  }
  t.equal(
    await refusalText(() => parseEntryBody(new Uint8Array(MAX_BODY_BYTES + 1))),
    'too_large: entry body: more than 65535 bytes'
  )
  t.equal(
    await refusalText(() => parseEntryBody(decodeHex('ff'))),
    'invalid_request: not valid UTF-8'
  )
})

t.test('mutated bodies are refused, or are what they are written as', async (t) => {
  const random = seededRandom()
  t.comment(`TEST_SEED=${random.seed}`)
  const wrong: string[] = []
  for (const body of [encodeUtf8(own.bodies[0]), realBody('dsse')]) {
    for (let i = 0; i < 400; i++) {
      const mutated = mutate(body, random)
      const entry = await unlessRefused(() => parseEntryBody(mutated))
      if (entry !== undefined && encodeHex(encodeEntryBody(entry)) !== encodeHex(mutated)) {
        wrong.push(decodeUtf8(mutated))
      }
    }
  }
  t.same(wrong, [])
})
