import t from 'tap'
import { rfc3161LeafValue, rfc3161SearchKeys } from '../../../src/entries/rfc3161/canonical.js'

const entry = { tsr: Buffer.from('abc') }

t.equal(
  Buffer.from(rfc3161LeafValue(entry)).toString(),
  '{"apiVersion":"0.0.1","kind":"rfc3161","spec":{"tsr":{"content":"YWJj"}}}'
)
t.same(rfc3161SearchKeys(entry), [
  'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
])
