import t from 'tap'
import { encodeBase64 } from '../../src/encoding/base64.js'
import { canonicalJson } from '../../src/encoding/canonical-json.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { decodeUtf8, encodeUtf8 } from '../../src/encoding/text.js'
import { encodeEntryPromise } from '../../src/note/signed-entry-timestamp.js'
import { seededRandom } from '../helpers/random.js'

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

t.test('the same as canonical JSON of the four members', (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const numbers = [0, -0, 1, 1.5, -7, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e21, 1e-7]
  for (let i = 0; i < 1000; i++) {
    const promise = {
      leafValue: random.bytes(random.below(900)),
      integratedTimeSeconds: i < 500 ? random.pick(numbers) : random.below(2 ** 32),
      logId: random.bytes(32),
      logIndex: i < 500 ? random.pick(numbers) : random.below(2 ** 32) * random.below(2 ** 20)
    }
    const members = {
      body: encodeBase64(promise.leafValue),
      integratedTime: promise.integratedTimeSeconds,
      logID: encodeHex(promise.logId),
      logIndex: promise.logIndex
    }
    const want = encodeUtf8(canonicalJson(members))
    if (Buffer.compare(encodeEntryPromise(promise), want) !== 0) t.fail(canonicalJson(members))
  }
  const leafValue = new Uint8Array(0)
  const logId = new Uint8Array(32)
  for (const bad of [NaN, Infinity]) {
    const refused = { code: 'invalid_request', message: 'JSON number out of range' }
    const integratedTimeSeconds = bad
    t.throws(
      () => encodeEntryPromise({ leafValue, logId, integratedTimeSeconds, logIndex: 1 }),
      refused
    )
    t.throws(
      () => encodeEntryPromise({ leafValue, logId, integratedTimeSeconds: 1, logIndex: bad }),
      refused
    )
  }
  t.end()
})
