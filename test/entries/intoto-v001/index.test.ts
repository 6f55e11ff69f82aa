import t from 'tap'
import { encodeBase64 } from '../../../src/encoding/base64.js'
import { intotoV001 } from '../../../src/entries/intoto-v001/index.js'
import { envelope, envelopeSigner } from '../../helpers/envelopes.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

t.test('one object for server, workers and command line', async (t) => {
  const vector = computedVector('intoto-0.0.1')
  t.match(intotoV001, { kind: 'intoto', version: '0.0.1' })
  const parsed = intotoV001.parse(vector.proposedEntry.spec)
  intotoV001.assertInsertable(parsed)
  const verified = await intotoV001.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)

  const { spec } = JSON.parse(vector.canonicalBody) as { spec: unknown }
  t.same(await intotoV001.storedSearchKeys(spec), vector.indexKeys.slice(0, 3))
  t.same(await intotoV001.storedSearchKeys(vector.proposedEntry.spec), [])
  t.equal(intotoV001.attestationKey(spec), vector.attestation?.key)
})

t.test('what may not be inserted', async (t) => {
  const signer = envelopeSigner()
  const publicKey = encodeBase64(signer.pem)
  const insert = (content: object) =>
    refusalText(() => intotoV001.assertInsertable(intotoV001.parse({ content, publicKey })))
  const hash = { algorithm: 'sha256', value: 'ab' }
  t.equal(
    await insert({ hash }),
    'invalid_request: entry not insertable into log: missing envelope content'
  )
  for (const parts of [{ payload: '' }, { payloadType: '' }]) {
    t.equal(
      await insert({ envelope: JSON.stringify(envelope([signer], parts)) }),
      'invalid_request: entry not insertable into log: invalid DSSE envelope'
    )
  }
  const unsigned = intotoV001.parse({ content: { envelope: '{}' }, publicKey })
  intotoV001.assertInsertable(unsigned)
  t.equal(
    await refusalText(() => intotoV001.verify(unsigned, { maxAttestationBytes: 0 })),
    'verification_failed: no signature found'
  )
})
