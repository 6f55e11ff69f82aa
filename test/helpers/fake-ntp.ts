import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import type { NtpServer } from '../../src/tsa/sntp-client.js'

export interface FakeNtp {
  readonly server: NtpServer
  /** Packets that came. */
  readonly received: Uint8Array[]
}

export interface FakeNtpOptions {
  /** What the server believes the time to be, in milliseconds since the epoch. */
  readonly timeMs?: () => number
  /** Between arrival and answer, as the server states them. */
  readonly workMs?: number
  /** Packets to send for one that came; by default its answer. */
  readonly change?: (answer: Uint8Array) => readonly Uint8Array[]
}

/** A time server on loopback that lies as told. */
export async function startFakeNtp(
  t: { teardown(action: () => unknown): void },
  { timeMs = Date.now, workMs = 0, change = (answer) => [answer] }: FakeNtpOptions = {}
): Promise<FakeNtp> {
  const socket = createSocket('udp4')
  const received: Uint8Array[] = []
  socket.on('message', (message, { port, address }) => {
    received.push(Uint8Array.from(message))
    const answer = new Uint8Array(48)
    answer[0] = 0x24 // version 4, mode server
    answer[1] = 2
    answer.set(message.subarray(40, 48), 24)
    answer.set(ntpTime(timeMs()), 32)
    answer.set(ntpTime(timeMs() + workMs), 40)
    for (const packet of change(answer)) socket.send(packet, port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.teardown(() => socket.close())
  const { port } = socket.address() as AddressInfo
  return { server: { host: '127.0.0.1', port }, received }
}

/** Seconds since 1900 modulo 2^32, and fraction. */
export function ntpTime(ms: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  const seconds = Math.floor(ms / 1000)
  view.setUint32(0, (seconds + 2_208_988_800) % 2 ** 32)
  view.setUint32(4, Math.floor((ms / 1000 - seconds) * 2 ** 32))
  return bytes
}
