import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { TunnelEnd, type TunnelItem } from '../../src/front/tunnel.js'

/** Two ends, and what went from the first to the second. */
function connected(): { near: TunnelEnd; far: TunnelEnd; sent: TunnelItem[] } {
  const client = { remoteAddress: '192.0.2.1', remotePort: 1 }
  const sent: TunnelItem[] = []
  const near: TunnelEnd = new TunnelEnd(1, client, (item) => {
    sent.push(item)
    setImmediate(() => far.receive(structuredClone(item)))
  })
  const far: TunnelEnd = new TunnelEnd(1, client, (item) => {
    setImmediate(() => near.receive(structuredClone(item)))
  })
  return { near, far, sent }
}

t.test('what is written comes out, in both directions, to the end', async (t) => {
  const { near, far } = connected()
  near.write('one ')
  near.end(Buffer.from('two'))
  far.end('three')
  t.strictSame(await Promise.all([text(far), text(near)]), ['one two', 'three'])
  t.equal(far.remoteAddress, '192.0.2.1')
})

t.test('who does not read is not sent more than fits', async (t) => {
  const { near, far, sent } = connected()
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const bytesSent = () =>
    sent.reduce((sum, item) => sum + (item.type === 'tunnelData' ? item.bytes.length : 0), 0)
  for (let i = 0; i < 100; i++) near.write(chunk)
  near.end()
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.ok(bytesSent() <= 512 * 1024, `${bytesSent()} bytes`)
  t.equal((await text(far)).length, 100 * chunk.length)
})

t.test('only the bytes that are written are sent, not the memory they lie in', async (t) => {
  const { near, sent } = connected()
  near.write(Buffer.alloc(100_000).subarray(5, 10))
  const [item] = sent
  t.equal(item?.type === 'tunnelData' && item.bytes.buffer.byteLength, 5)
})

t.test('an end that is destroyed takes the other with it', async (t) => {
  const { near, far, sent } = connected()
  near.destroy()
  await once(far, 'close')
  t.ok(far.destroyed)
  t.strictSame(
    sent.map(({ type }) => type),
    ['tunnelClose'],
    'told once'
  )
})
