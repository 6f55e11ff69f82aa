import t from 'tap'
import { helm } from '../../../src/entries/helm/index.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const { proposedEntry, canonicalBody, indexKeys } = computedVector('helm')
const committed = JSON.parse(canonicalBody) as {
  readonly spec: { readonly chart: object; readonly publicKey: object }
}

t.same([helm.kind, helm.version], ['helm', '0.0.1'])

t.test('what may be submitted', async (t) => {
  t.doesNotThrow(() => helm.assertInsertable(helm.parse(proposedEntry.spec)))
  const refused = 'invalid_request: entry not insertable into log: missing provenance content'
  const { publicKey } = committed.spec
  const lineEnds = {
    publicKey,
    chart: { provenance: { content: '\n', signature: { content: 'YQ==' } } }
  }
  for (const spec of [committed.spec, lineEnds]) {
    t.equal(await refusalText(() => helm.assertInsertable(helm.parse(spec))), refused)
  }
})

t.test('a verified entry', async (t) => {
  const { leafValue } = await helm.verify(helm.parse(proposedEntry.spec), {
    maxAttestationBytes: 0
  })
  t.equal(Buffer.from(leafValue).toString(), canonicalBody)
  t.equal(helm.attestationKey(committed.spec), undefined)
})

t.test('search keys of a stored leaf', async (t) => {
  t.same(await helm.storedSearchKeys(committed.spec), indexKeys)
  t.same(await helm.storedSearchKeys(proposedEntry.spec), [], 'not a committed form')
})
