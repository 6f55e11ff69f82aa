import { createHash } from 'node:crypto'
import t from 'tap'
import { equalBytes } from '../../src/encoding/bytes.js'
import {
  encodeMerkleTreeLeaf,
  parseMerkleTreeLeaf,
  type TimestampedEntry
} from '../../src/x509/merkle-tree-leaf.js'
import {
  certificateVectors,
  fromBase64,
  fromHex,
  pemBytes,
  precertificateVectors
} from '../helpers/ct-vectors.js'
import { mutate } from '../helpers/mutations.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'

function leafHash(leafValue: Uint8Array): string {
  return createHash('sha256').update(Uint8Array.of(0)).update(leafValue).digest('base64')
}

t.test('leaves of precertificates, both ways', (t) => {
  for (const vector of precertificateVectors) {
    const leaf: TimestampedEntry = {
      timestampMs: vector.sct_timestamp_ms,
      entry: {
        kind: 'precertificate',
        issuerKeyHash: fromHex(vector.issuer_key_hash_hex),
        tbsCertificate: fromBase64(vector.defanged_tbs_b64)
      },
      extensions: new Uint8Array(0)
    }
    const bytes = encodeMerkleTreeLeaf(leaf)
    t.ok(equalBytes(bytes, fromBase64(vector.merkle_tree_leaf_b64)), vector.id)
    t.ok(equalBytes(bytes, fromBase64(vector.sct_signed_input_b64)), 'which the timestamp signs')
    t.equal(leafHash(bytes), vector.leaf_hash_b64)
    t.same(parseMerkleTreeLeaf(bytes), leaf)
  }
  t.end()
})

t.test('leaves of certificates, both ways', (t) => {
  t.equal(certificateVectors.length, 2)
  for (const vector of certificateVectors) {
    const leaf: TimestampedEntry = {
      timestampMs: vector.sct_timestamp_ms,
      entry: { kind: 'certificate', certificate: pemBytes(vector.certificate_pem) },
      extensions: new Uint8Array(0)
    }
    const bytes = encodeMerkleTreeLeaf(leaf)
    t.ok(equalBytes(bytes, fromBase64(vector.merkle_tree_leaf_b64)), vector.id)
    t.ok(equalBytes(bytes, fromBase64(vector.sct_signed_input_b64)), 'which the timestamp signs')
    t.equal(leafHash(bytes), vector.leaf_hash_b64)
    t.same(parseMerkleTreeLeaf(bytes), leaf)
  }
  t.end()
})

const KEY_HASH = new Uint8Array(32).fill(0xbb)
const CERTIFICATE: TimestampedEntry = {
  timestampMs: 1,
  entry: { kind: 'certificate', certificate: Uint8Array.of(7) },
  extensions: Uint8Array.of(0, 0, 5, 0, 0, 0, 0, 112)
}
const CERTIFICATE_HEX = '0000 0000000000000001 0000 000001 07 0008 0000050000000070'.replace(
  / /g,
  ''
)
const PRECERTIFICATE: TimestampedEntry = {
  timestampMs: 2 ** 32,
  entry: {
    kind: 'precertificate',
    issuerKeyHash: KEY_HASH,
    tbsCertificate: Uint8Array.of(8, 9)
  },
  extensions: new Uint8Array(0)
}
const PRECERTIFICATE_HEX = `0000000000010000000000${'01'}${'bb'.repeat(32)}00000208090000`

t.test('with extensions, and beyond 32 bits, written by hand', (t) => {
  t.equal(Buffer.from(encodeMerkleTreeLeaf(CERTIFICATE)).toString('hex'), CERTIFICATE_HEX)
  t.same(parseMerkleTreeLeaf(fromHex(CERTIFICATE_HEX)), CERTIFICATE)
  t.equal(Buffer.from(encodeMerkleTreeLeaf(PRECERTIFICATE)).toString('hex'), PRECERTIFICATE_HEX)
  t.same(parseMerkleTreeLeaf(fromHex(PRECERTIFICATE_HEX)), PRECERTIFICATE)
  t.end()
})

const certificateLeaf = (certificate: Uint8Array): TimestampedEntry => ({
  ...CERTIFICATE,
  entry: { kind: 'certificate', certificate }
})

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  [
    'version 2',
    () => parseMerkleTreeLeaf(fromHex(`01${CERTIFICATE_HEX.slice(2)}`)),
    'unsupported: merkle tree leaf: version 1, leaf type 0'
  ],
  [
    'leaf type 1, which a tree head signs',
    () => parseMerkleTreeLeaf(fromHex(`0001${CERTIFICATE_HEX.slice(4)}`)),
    'unsupported: merkle tree leaf: version 0, leaf type 1'
  ],
  [
    'entry type 2',
    () => parseMerkleTreeLeaf(fromHex('0000000000000000000100020000010700')),
    'unsupported: merkle tree leaf: entry type 2'
  ],
  [
    'entry type 256',
    () => parseMerkleTreeLeaf(fromHex('0000000000000000000101000000010700')),
    'unsupported: merkle tree leaf: entry type 256'
  ],
  [
    'time beyond safe integers',
    () => parseMerkleTreeLeaf(fromHex(`000000200000000000000000${CERTIFICATE_HEX.slice(24)}`)),
    'invalid_request: merkle tree leaf: number above 2^53-1'
  ],
  [
    'no certificate',
    () => parseMerkleTreeLeaf(fromHex('000000000000000000010000' + '000000' + '0000')),
    'invalid_request: merkle tree leaf: certificate: empty'
  ],
  [
    'no tbs certificate',
    () =>
      parseMerkleTreeLeaf(
        fromHex(`000000000000000000010001${'bb'.repeat(32)}` + '000000' + '0000')
      ),
    'invalid_request: merkle tree leaf: tbs certificate: empty'
  ],
  [
    'something after it',
    () => parseMerkleTreeLeaf(fromHex(`${CERTIFICATE_HEX}00`)),
    'invalid_request: merkle tree leaf: trailing data'
  ],
  [
    'no certificate to write',
    () => encodeMerkleTreeLeaf(certificateLeaf(new Uint8Array(0))),
    'invalid_request: merkle tree leaf: certificate: empty'
  ],
  [
    'certificate too long to write',
    () => encodeMerkleTreeLeaf(certificateLeaf(new Uint8Array(2 ** 24))),
    'invalid_request: merkle tree leaf: certificate: longer than 16777215 bytes'
  ],
  [
    'no tbs certificate to write',
    () =>
      encodeMerkleTreeLeaf({
        ...PRECERTIFICATE,
        entry: {
          kind: 'precertificate',
          issuerKeyHash: KEY_HASH,
          tbsCertificate: new Uint8Array(0)
        }
      }),
    'invalid_request: merkle tree leaf: tbs certificate: empty'
  ],
  [
    'issuer key hash of 20 bytes',
    () =>
      encodeMerkleTreeLeaf({
        ...PRECERTIFICATE,
        entry: {
          kind: 'precertificate',
          issuerKeyHash: new Uint8Array(20),
          tbsCertificate: Uint8Array.of(1)
        }
      }),
    'invalid_request: merkle tree leaf: issuer key hash: 20 bytes, not 32'
  ],
  [
    'fraction of a millisecond',
    () => encodeMerkleTreeLeaf({ ...CERTIFICATE, timestampMs: 1.5 }),
    'invalid_request: merkle tree leaf: timestamp: 1.5 is not an unsigned integer of 64 bits below 2^53'
  ],
  [
    'extensions too long',
    () => encodeMerkleTreeLeaf({ ...CERTIFICATE, extensions: new Uint8Array(65536) }),
    'invalid_request: merkle tree leaf: extensions: longer than 65535 bytes'
  ]
]

t.test('refused', async (t) => {
  for (const [title, action, message] of REFUSED) t.equal(await refusalText(action), message, title)
  for (const hex of [CERTIFICATE_HEX, PRECERTIFICATE_HEX]) {
    for (let length = 0; length < hex.length / 2; length++) {
      const text = await refusalText(() => parseMerkleTreeLeaf(fromHex(hex).subarray(0, length)))
      t.equal(text, 'invalid_request: merkle tree leaf: cut short', `first ${length} bytes`)
    }
  }
})

t.test('mutated: a LogError, or what writes the same bytes', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  let parsed = 0
  for (let i = 0; i < 3000; i++) {
    const bytes = mutate(fromHex(random.pick([CERTIFICATE_HEX, PRECERTIFICATE_HEX])), random)
    const leaf = await unlessRefused(() => parseMerkleTreeLeaf(bytes))
    if (leaf === undefined) continue
    parsed++
    if (!equalBytes(encodeMerkleTreeLeaf(leaf), bytes)) t.fail(Buffer.from(bytes).toString('hex'))
  }
  t.ok(parsed > 0, `${parsed} of 3000 were leaves`)
})
