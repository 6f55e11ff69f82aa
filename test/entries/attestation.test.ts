import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { attestationOf, storedAttestationKey } from '../../src/entries/attestation.js'

t.test('kept up to the limit, which counts the most the text could decode to', (t) => {
  const payload = encodeUtf8('hello')
  const kept = attestationOf('aGVsbG8=', payload, 6)
  t.equal(
    kept.attestation?.key,
    'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  )
  t.equal(kept.attestation?.value, payload)
  t.same(attestationOf('aGVsbG8=', payload, 5), {}, 'five bytes, but six by the text')
  t.end()
})

t.test('key of a stored entry', (t) => {
  const payloadHash = { algorithm: 'sha256', value: 'ab' }
  t.equal(storedAttestationKey({ content: { payloadHash } }), 'sha256:ab')
  for (const spec of [
    undefined,
    null,
    'x',
    {},
    { content: null },
    { content: {} },
    { content: { payloadHash: {} } },
    { content: { payloadHash: { algorithm: 'sha256' } } },
    { content: { payloadHash: { value: 'ab' } } }
  ]) {
    t.equal(storedAttestationKey(spec), undefined, JSON.stringify(spec))
  }
  t.end()
})
