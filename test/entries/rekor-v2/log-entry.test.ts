import { TransparencyLogEntry } from '@sigstore/protobuf-specs'
import t from 'tap'
import { decodeBase64 } from '../../../src/encoding/base64.js'
import { decodeHex } from '../../../src/encoding/hex.js'
import { encodeUtf8 } from '../../../src/encoding/text.js'
import { renderTransparencyLogEntry } from '../../../src/entries/rekor-v2/log-entry.js'
import { bundleVector, ownVectors } from '../../helpers/rekor-v2-vectors.js'

const own = ownVectors()

const entry = {
  logId: decodeHex(own.log.logId),
  kind: 'hashedrekord',
  leafIndex: 1,
  leafValue: encodeUtf8(own.bodies[1]),
  treeSize: 2,
  rootHash: decodeHex(own.roots[2]),
  hashes: [decodeHex(own.leafHashes[0])],
  checkpoint: own.checkpoints[2]
} as const

t.test('the documented answer, its members in the same order', (t) => {
  t.equal(JSON.stringify(renderTransparencyLogEntry(entry)), JSON.stringify(own.response))
  t.end()
})

t.test('the only entry of a log has an empty proof', (t) => {
  const { inclusionProof } = renderTransparencyLogEntry({
    ...entry,
    leafIndex: 0,
    treeSize: 1,
    hashes: []
  })
  t.match(inclusionProof, { logIndex: '0', treeSize: '1' })
  t.same(inclusionProof.hashes, [])
  t.end()
})

t.test('large numbers stay whole', (t) => {
  const leafIndex = Number.MAX_SAFE_INTEGER - 1
  const rendered = renderTransparencyLogEntry({ ...entry, leafIndex, treeSize: leafIndex + 1 })
  t.equal(rendered.logIndex, '9007199254740990')
  t.equal(rendered.inclusionProof.treeSize, '9007199254740991')
  t.end()
})

t.test('an entry of a real log, rendered from its parts, is what its log said', (t) => {
  const { tlogEntry, log } = bundleVector('hashedrekord')
  const { inclusionProof } = tlogEntry
  const rendered = renderTransparencyLogEntry({
    logId: decodeBase64(log.logId),
    kind: 'hashedrekord',
    leafIndex: Number(tlogEntry.logIndex),
    leafValue: decodeBase64(tlogEntry.canonicalizedBody),
    treeSize: Number(inclusionProof.treeSize),
    rootHash: decodeBase64(inclusionProof.rootHash),
    hashes: inclusionProof.hashes.map((hash) => decodeBase64(hash)),
    checkpoint: inclusionProof.checkpoint.envelope
  })
  // Bundles leave out what is empty.
  const { integratedTime, inclusionPromise, ...rest } = rendered
  t.same({ integratedTime, inclusionPromise }, { integratedTime: '0', inclusionPromise: null })
  t.same(rest, tlogEntry)
  t.end()
})

t.test('sigstore-js reads it and writes the same', (t) => {
  const rendered = renderTransparencyLogEntry(entry)
  const { inclusionPromise, integratedTime, ...written } = TransparencyLogEntry.toJSON(
    TransparencyLogEntry.fromJSON(rendered)
  ) as Readonly<Record<string, unknown>>
  t.equal(inclusionPromise, undefined)
  t.ok(integratedTime === undefined || integratedTime === '0')
  t.match(rendered, written)
  t.equal(Object.keys(written).length, 5)
  t.end()
})
