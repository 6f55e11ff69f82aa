import t from 'tap'
import { jar } from '../../../src/entries/jar/index.js'
import { findEntryType } from '../../../src/entries/registry.js'
import { refusalText } from '../../helpers/refusals.js'
import { computedVector } from '../../helpers/vectors.js'

const vector = computedVector('jar')
const proposed = vector.proposedEntry.spec
const committed = (JSON.parse(vector.canonicalBody) as { spec: { signature: object } }).spec

t.equal(findEntryType('jar', '0.0.1'), jar)

t.test('what may be submitted', async (t) => {
  t.doesNotThrow(() => {
    jar.assertInsertable(jar.parse(proposed))
  })
  t.equal(
    await refusalText(() => {
      jar.assertInsertable(jar.parse(committed))
    }),
    'invalid_request: entry not insertable into log: missing archive content'
  )
})

t.test('a verified entry', async (t) => {
  const parsed = jar.parse(proposed)
  const { leafValue } = await jar.verify(parsed, { maxAttestationBytes: 0 })
  t.equal(Buffer.from(leafValue).toString(), vector.canonicalBody)
  t.equal(jar.attestationKey(committed), undefined)
})

t.test('search keys of stored leaves', async (t) => {
  t.same(await jar.storedSearchKeys(committed), vector.indexKeys)
  t.same(await jar.storedSearchKeys(proposed), [], 'not a committed form')
  const signature = { content: Buffer.from('no PKCS#7').toString('base64') }
  t.match(
    await refusalText(() => jar.storedSearchKeys({ ...committed, signature })),
    /^invalid_request: pkcs7/
  )
})
