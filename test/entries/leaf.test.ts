import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { encodeLeafValue, keyHash, sha256Value } from '../../src/entries/leaf.js'

t.test('canonical body', (t) => {
  const leaf = encodeLeafValue('kind', '0.0.1', { b: '<&>', a: undefined })
  t.equal(Buffer.from(leaf).toString(), '{"apiVersion":"0.0.1","kind":"kind","spec":{"b":"<&>"}}')
  t.end()
})

t.test('hashes', (t) => {
  const hash = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  t.same(sha256Value(encodeUtf8('abc')), { algorithm: 'sha256', value: hash })
  t.equal(keyHash({ canonical: encodeUtf8('abc'), subjects: [] }), hash)
  t.end()
})
