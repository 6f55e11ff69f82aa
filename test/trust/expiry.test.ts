import t from 'tap'
import { calendarProblem, expiryCalendar } from '../../src/trust/expiry.js'

const NOW = 1_800_000_000
const DAY = 86_400

function stateOf(left: number, renewedLifetimeSeconds?: number) {
  const [entry] = expiryCalendar(
    [
      {
        what: 'x',
        expiresSeconds: NOW + left,
        ...(renewedLifetimeSeconds === undefined ? {} : { renewedLifetimeSeconds })
      }
    ],
    NOW
  )
  return [entry?.state, entry?.daysLeft]
}

t.test('told thirty days before, and when it is over', (t) => {
  t.strictSame(stateOf(30 * DAY), ['ok', 30])
  t.strictSame(stateOf(30 * DAY - 1), ['soon', 29])
  t.strictSame(stateOf(0), ['soon', 0], 'the last second counts')
  t.strictSame(stateOf(-1), ['expired', -1])
  t.strictSame(stateOf(-DAY), ['expired', -1])
  t.strictSame(stateOf(-DAY - 1), ['expired', -2])
  t.end()
})

t.test('what the server renews is told of only when it did not', (t) => {
  t.strictSame(stateOf(20 * DAY, 30 * DAY), ['ok', 20], 'due, as every month')
  t.strictSame(stateOf(15 * DAY, 30 * DAY), ['ok', 15])
  t.strictSame(stateOf(15 * DAY - 1, 30 * DAY), ['soon', 14])
  t.strictSame(stateOf(30 * DAY - 1, 1825 * DAY), ['soon', 29], 'a long life changes nothing')
  t.strictSame(stateOf(-1, 30 * DAY), ['expired', -1])
  t.end()
})

t.test('what ends first is in front, and problems are named in that order', (t) => {
  const calendar = expiryCalendar(
    [
      { what: 'late', expiresSeconds: NOW + 400 * DAY },
      { what: 'near', expiresSeconds: NOW + 3 * DAY },
      { what: 'gone', expiresSeconds: NOW - DAY }
    ],
    NOW
  )
  t.strictSame(
    calendar.map(({ what }) => what),
    ['gone', 'near', 'late']
  )
  t.equal(calendarProblem(calendar), 'gone has expired, near expires in 3 days')
  t.equal(calendarProblem(calendar.slice(2)), undefined)
  t.equal(calendarProblem([]), undefined)
  t.strictSame(expiryCalendar([], NOW), [])
  t.end()
})
