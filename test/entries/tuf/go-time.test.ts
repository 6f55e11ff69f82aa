import t from 'tap'
import { formatGoTime, parseGoTime, ZERO_TIME_MS } from '../../../src/entries/tuf/go-time.js'

t.test('times', (t) => {
  const cases: Readonly<Record<string, string>> = {
    '2021-12-18T13:28:12.99008-06:00': '2021-12-18 19:28:12 +0000 UTC',
    '2023-04-18T18:13:43Z': '2023-04-18 18:13:43 +0000 UTC',
    '2024-02-29T23:59:59.123456789123+23:59': '2024-02-29 00:00:59 +0000 UTC',
    '0000-01-01T00:00:00Z': '0000-01-01 00:00:00 +0000 UTC',
    '9999-12-31T23:59:59Z': '9999-12-31 23:59:59 +0000 UTC'
  }
  for (const [text, printed] of Object.entries(cases)) {
    t.equal(formatGoTime(parseGoTime(text) ?? NaN), printed)
  }
  t.equal(formatGoTime(ZERO_TIME_MS), '0001-01-01 00:00:00 +0000 UTC')
  t.end()
})

t.test('what is none', (t) => {
  for (const text of [
    '',
    '2023-04-18',
    '2023-04-18T18:13Z',
    '2023-04-18t18:13:43Z',
    '2023-04-18T18:13:43z',
    '2023-04-18T18:13:43',
    '2023-04-18 18:13:43Z',
    '2023-04-18T18:13:43.Z',
    '2023-04-18T18:13:43,1Z',
    '2023-04-18T24:00:00Z',
    '2023-04-18T18:60:00Z',
    '2023-04-18T18:13:60Z',
    '2023-04-18T18:13:43+24:00',
    '2023-04-18T18:13:43+00:60',
    '2023-13-18T18:13:43Z',
    '2023-00-18T18:13:43Z',
    '2023-04-31T18:13:43Z',
    '2023-04-00T18:13:43Z',
    '2023-02-29T18:13:43Z',
    '02023-04-18T18:13:43Z',
    '+002023-04-18T18:13:43Z',
    '2023-04-18T18:13:43Z\n'
  ]) {
    t.equal(parseGoTime(text), undefined, text)
  }
  t.end()
})
