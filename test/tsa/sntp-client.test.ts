import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { querySntp, type NtpServer, type SntpQuery } from '../../src/tsa/sntp-client.js'
import { ntpTime, startFakeNtp } from '../helpers/fake-ntp.js'
import { refusal, refusalText } from '../helpers/refusals.js'

const NOW_MS = Date.parse('2026-01-02T03:04:05.250Z')
const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** A question of a machine whose clock stands still at NOW_MS, and on which nothing takes time. */
const ask = (server: NtpServer, more: Partial<SntpQuery> = {}) =>
  querySntp({
    server,
    timeoutMs: 5000,
    now: () => NOW_MS,
    monotonicMs: () => 0,
    randomBytes: () => COOKIE,
    signal: new AbortController().signal,
    ...more
  })

t.test('clocks before and behind ours', async (t) => {
  for (const offsetMs of [0, 6000, -3600_000, 0.5, 20 * 365.25 * 86_400_000]) {
    const { server, received } = await startFakeNtp(t, { timeMs: () => NOW_MS + offsetMs })
    const reading = await ask(server)
    t.ok(Math.abs(reading.offsetMs - offsetMs) < 0.01, `${offsetMs}: ${reading.offsetMs}`)
    t.equal(reading.roundTripMs, 0)
    const [packet] = received
    t.equal(packet?.length, 48)
    t.equal(packet?.[0], 0x23)
    t.same(packet?.subarray(40), COOKIE)
    t.ok(
      packet?.subarray(1, 40).every((byte) => byte === 0),
      'nothing of us is told'
    )
  }
})

t.test('the way there and back is taken off', async (t) => {
  // Arrives 100 ms after it was sent, is worked on for 40 ms, and is back 300 ms after it was sent.
  const { server } = await startFakeNtp(t, { timeMs: () => NOW_MS + 100, workMs: 40 })
  const times = [1000, 1300]
  const reading = await ask(server, { monotonicMs: () => times.shift() ?? 0 })
  t.equal(reading.roundTripMs, 300)
  // ((100 - 0) + (140 - 300)) / 2
  t.ok(Math.abs(reading.offsetMs + 30) < 0.01, `${reading.offsetMs}`)
})

t.test('the clock of this machine', async (t) => {
  const { server } = await startFakeNtp(t)
  const reading = await ask(server, { now: Date.now, monotonicMs: () => performance.now() })
  t.ok(Math.abs(reading.offsetMs) < 1000, `${reading.offsetMs}`)
})

t.test('servers without a time to give', async (t) => {
  const changes: readonly (readonly [string, (answer: Uint8Array) => void])[] = [
    ['not synchronised', (answer) => (answer[0] = 0xe4)],
    ['another client', (answer) => (answer[0] = 0x23)],
    ['broadcast', (answer) => (answer[0] = 0x25)],
    ['kiss of death', (answer) => (answer[1] = 0)],
    ['stratum 16', (answer) => (answer[1] = 16)]
  ]
  for (const [name, change] of changes) {
    const { server } = await startFakeNtp(t, {
      change: (answer) => {
        change(answer)
        return [answer]
      }
    })
    t.equal(
      await refusalText(() => ask(server)),
      'upstream: time server 127.0.0.1 has no time to give',
      name
    )
  }
})

t.test('packets that answer nothing are passed over', async (t) => {
  const { server } = await startFakeNtp(t, {
    timeMs: () => NOW_MS,
    change: (answer) => {
      const forged = Uint8Array.from(answer)
      forged[24] = 0xff
      forged.set(ntpTime(0), 32)
      return [forged, answer.subarray(0, 47), new Uint8Array(0), answer]
    }
  })
  t.ok(Math.abs((await ask(server)).offsetMs) < 0.01)
})

t.test('answers of strangers are not seen', async (t) => {
  const stranger = createSocket('udp4')
  await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.1', resolve))
  t.teardown(() => stranger.close())
  const listener = createSocket('udp4')
  await new Promise<void>((resolve) => listener.bind(0, '127.0.0.1', resolve))
  t.teardown(() => listener.close())
  listener.on('message', (message, { port, address }) => {
    const answer = new Uint8Array(48)
    answer.set([0x24, 1])
    answer.set(message.subarray(40, 48), 24)
    stranger.send(answer, port, address)
  })
  const { port } = listener.address() as AddressInfo
  const { code } = await refusal(() => ask({ host: '127.0.0.1', port }, { timeoutMs: 200 }))
  t.equal(code, 'timeout')
})

t.test('silence', async (t) => {
  const { server } = await startFakeNtp(t, { change: () => [] })
  const startedMs = performance.now()
  t.equal(
    await refusalText(() => ask(server, { timeoutMs: 100 })),
    'timeout: time server 127.0.0.1 did not answer'
  )
  t.ok(performance.now() - startedMs < 2000)
  const stop = new AbortController()
  const asking = refusal(() => ask(server, { signal: stop.signal }))
  setTimeout(() => stop.abort(), 20)
  t.equal((await asking).code, 'timeout')
  t.equal((await refusal(() => ask(server, { signal: AbortSignal.abort() }))).code, 'timeout')
  t.ok(performance.now() - startedMs < 4000)
})

t.test('nobody there', async (t) => {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address() as AddressInfo
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  t.equal(
    await refusalText(() => ask({ host: '127.0.0.1', port })),
    'upstream: time server 127.0.0.1 cannot be reached'
  )
  t.match(
    await refusalText(() => ask({ host: 'no-such-host.invalid', port }, { timeoutMs: 3000 })),
    /^(upstream|timeout): time server no-such-host.invalid /
  )
})
