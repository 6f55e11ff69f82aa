import t from 'tap'
import { rpmLeafValue, rpmSearchKeys } from '../../../src/entries/rpm/canonical.js'

const key = {
  canonical: Uint8Array.of(107, 101, 121),
  subjects: ['Jane@Example.com', 'jane@example.com']
}
const hash = { algorithm: 'sha256', value: 'AB' }

t.test('leaf value', async (t) => {
  const leaf = rpmLeafValue(key, hash, { Name: 'a<b>', Epoch: '0' })
  t.equal(
    Buffer.from(leaf).toString(),
    '{"apiVersion":"0.0.1","kind":"rpm","spec":{"package":{"hash":{"algorithm":"sha256",' +
      '"value":"AB"},"headers":{"Epoch":"0","Name":"a<b>"}},"publicKey":{"content":"a2V5"}}}'
  )
})

t.test('search keys', async (t) => {
  t.same(rpmSearchKeys(key, hash), [
    '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683',
    'jane@example.com',
    'sha256:ab'
  ])
})
