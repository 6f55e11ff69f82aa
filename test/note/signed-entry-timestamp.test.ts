import t from 'tap'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import { encodeEntryPromise } from '../../src/note/signed-entry-timestamp.js'

t.test('four members in canonical order, the body as base64', async (t) => {
  const bytes = encodeEntryPromise({
    leafValue: encodeUtf8('{"a":1}'),
    integratedTimeSeconds: 1_700_000_000,
    logId: new Uint8Array(32).fill(0xab),
    logIndex: 2 ** 40
  })
  t.equal(
    decodeUtf8(bytes),
    `{"body":"eyJhIjoxfQ==","integratedTime":1700000000,"logID":"${'ab'.repeat(32)}","logIndex":1099511627776}`
  )
})
