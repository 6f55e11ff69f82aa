import t from 'tap'
import { parseNtpServer } from '../../src/tsa/ntp-server.js'
import { refusalText } from '../helpers/refusals.js'

t.test('names and addresses', (t) => {
  for (const [text, host, port] of [
    ['time.example.test', 'time.example.test', 123],
    ['time:1123', 'time', 1123],
    ['192.0.2.1', '192.0.2.1', 123],
    ['192.0.2.1:65535', '192.0.2.1', 65535],
    ['2001:db8::1', '2001:db8::1', 123],
    ['[2001:db8::1]', '2001:db8::1', 123],
    ['[2001:db8::1]:1', '2001:db8::1', 1]
  ] as const) {
    t.same(parseNtpServer(text), { host, port })
  }
  t.end()
})

t.test('what is neither', async (t) => {
  for (const text of [
    '',
    'a b',
    'time:',
    'time:0',
    'time:65536',
    'time:1:2',
    'ntp://time',
    '[time]',
    '[1.2.3.4]',
    'time/1',
    'a'.repeat(254)
  ]) {
    t.equal(
      await refusalText(() => parseNtpServer(text)),
      `invalid_request: ${JSON.stringify(text)} is no time server: name or name:port`
    )
  }
})
