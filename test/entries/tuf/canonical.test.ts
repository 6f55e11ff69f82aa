import t from 'tap'
import { tufLeafValue, tufSearchKeys } from '../../../src/entries/tuf/canonical.js'
import { readMetadata } from '../../../src/entries/tuf/metadata.js'

const metadata = readMetadata({ signed: { _type: 'Targets', version: 12 } })
const root = readMetadata({ signed: { spec_version: '1.0' } })

t.equal(
  Buffer.from(tufLeafValue(metadata, root)).toString(),
  '{"apiVersion":"0.0.1","kind":"tuf","spec":{' +
    '"metadata":{"content":"eyJzaWduYXR1cmVzIjpbXSwic2lnbmVkIjp7Il90eXBlIjoiVGFyZ2V0cyIsInZlcnNpb24iOjEyfX0="},' +
    '"root":{"content":"eyJzaWduYXR1cmVzIjpbXSwic2lnbmVkIjp7InNwZWNfdmVyc2lvbiI6IjEuMCJ9fQ=="},' +
    '"spec_version":"1.0"}}'
)
t.same(
  Object.keys(
    (JSON.parse(Buffer.from(tufLeafValue(root, metadata)).toString()) as { spec: object }).spec
  ),
  ['metadata', 'root'],
  'no version of the specification'
)
// SHA-256 of {"signatures":[],"signed":{"_type":"Targets","version":12}} and {"signatures":[],"signed":{"spec_version":"1.0"}}
t.same(tufSearchKeys(metadata, root), [
  '41f53b57265315ca8a08f8ebfe43b133744b0af5221893b2548dfb57ad52f7a5',
  'targets',
  '12',
  'f0998d3b6e01eacf08f9ebc9cc0f1e7a588e27600487bd7fd88ea3e98e2def6d'
])
t.equal(
  tufSearchKeys(readMetadata({ signed: { _type: 'x'.repeat(600) } }), root).length,
  3,
  'what nobody can ask for'
)
