import t from 'tap'
import { formatUtcTime } from '../../src/encoding/utc-time.js'

t.test('whole seconds have no point, parts of them do', async (t) => {
  t.equal(formatUtcTime(0), '1970-01-01T00:00:00Z')
  t.equal(formatUtcTime(1_767_225_600), '2026-01-01T00:00:00Z')
  t.equal(formatUtcTime(1_767_225_600.25), '2026-01-01T00:00:00.250Z')
  t.throws(() => formatUtcTime(Number.NaN), RangeError)
})
