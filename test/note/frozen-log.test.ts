import t from 'tap'
import { formatFrozenLine, saysFrozen } from '../../src/note/frozen-log.js'
import { refusalText } from '../helpers/refusals.js'
import { ownVectors } from '../helpers/rekor-v2-vectors.js'

t.test('as Go formats a Unix date in UTC', (t) => {
  for (const [seconds, want] of [
    [0, 'Thu Jan  1 00:00:00 UTC 1970'],
    [1136239445, 'Mon Jan  2 22:04:05 UTC 2006'],
    [1709210096, 'Thu Feb 29 12:34:56 UTC 2024'],
    [1767225600, 'Thu Jan  1 00:00:00 UTC 2026'],
    [1798761599, 'Thu Dec 31 23:59:59 UTC 2026'],
    [253402300799, 'Fri Dec 31 23:59:59 UTC 9999']
  ] as const) {
    t.equal(formatFrozenLine(seconds), `Log frozen — ${want}`)
  }
  t.equal(formatFrozenLine(1767225600), ownVectors().frozenCheckpoint.split('\n')[3])
  t.end()
})

t.test('no time', async (t) => {
  for (const seconds of [-1, 0.5, NaN, Infinity, 253402300800]) {
    t.equal(
      await refusalText(() => formatFrozenLine(seconds)),
      `invalid_request: no time a log can be frozen at: ${seconds} seconds`
    )
  }
})

t.test('which lines say so', (t) => {
  t.ok(saysFrozen([formatFrozenLine(0)]))
  t.ok(saysFrozen(['another', formatFrozenLine(1)]))
  t.notOk(saysFrozen([]))
  t.notOk(saysFrozen(['Timestamp: 1', 'Log frozen - Thu']))
  t.end()
})
