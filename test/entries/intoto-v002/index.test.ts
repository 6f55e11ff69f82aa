import t from 'tap'
import { intotoV002 } from '../../../src/entries/intoto-v002/index.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

t.test('one object for server, workers and command line', async (t) => {
  const vector = computedVector('intoto-0.0.2-multi')
  t.match(intotoV002, { kind: 'intoto', version: '0.0.2' })
  const parsed = intotoV002.parse(vector.proposedEntry.spec)
  intotoV002.assertInsertable(parsed)
  const verified = await intotoV002.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)

  const { spec } = JSON.parse(vector.canonicalBody) as { spec: unknown }
  t.same(await intotoV002.storedSearchKeys(spec), vector.indexKeys.slice(0, 3))
  t.equal(intotoV002.attestationKey(spec), vector.attestation?.key)
  t.equal(
    await refusalText(() => intotoV002.assertInsertable(intotoV002.parse(spec))),
    'invalid_request: entry not insertable into log: missing envelope content'
  )
  t.equal(
    await refusalText(() => intotoV002.assertInsertable({ ...parsed, payloadType: '' })),
    'invalid_request: entry not insertable into log: missing payloadType content'
  )
})
