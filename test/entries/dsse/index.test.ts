import t from 'tap'
import { dsse } from '../../../src/entries/dsse/index.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

t.test('one object for server, workers and command line', async (t) => {
  const vector = computedVector('dsse-single')
  t.match(dsse, { kind: 'dsse', version: '0.0.1' })
  const parsed = dsse.parse(vector.proposedEntry.spec)
  dsse.assertInsertable(parsed)
  const verified = await dsse.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(verified.leafValue).toString(), vector.canonicalBody)

  const { spec } = JSON.parse(vector.canonicalBody) as { spec: unknown }
  t.same(await dsse.storedSearchKeys(spec), vector.indexKeys.slice(0, 3))
  t.same(await dsse.storedSearchKeys(vector.proposedEntry.spec), [], 'a proposal is not stored')
  t.equal(dsse.attestationKey(spec), undefined)
  t.equal(
    await refusalText(() => dsse.assertInsertable(dsse.parse(spec))),
    'invalid_request: entry not insertable into log: missing proposed content'
  )
})
