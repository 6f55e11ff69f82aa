import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { acceptWaiting } from '../../src/http/accept-waiting.js'
import { loadSocketAddon } from '../../src/http/sockets.js'

const WAITING = 40

const { addon } = loadSocketAddon()
const skip = addon === undefined && process.env.TEST_WITHOUT_NATIVE === '1' ? 'no addon' : false

function openServer(t: Tap): Promise<{ server: ReturnType<typeof createServer>; port: number }> {
  const server = createServer((request, response) => {
    if (request.url !== '/late') response.end(`${request.url} for ${request.socket.remoteAddress}`)
  })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, port: (server.address() as AddressInfo).port })
    })
  })
}
type Tap = Pick<typeof t, 'teardown'>

async function openClients(t: Tap, port: number): Promise<readonly Socket[]> {
  const clients = Array.from({ length: WAITING }, () => connect(port, '127.0.0.1'))
  t.teardown(() => clients.forEach((client) => client.destroy()))
  await Promise.all(clients.map((client) => once(client, 'connect')))
  return clients
}

/** How many connections the server took in each turn of the event loop. */
async function takenPerTurn(t: Tap, isAddonUsed: boolean): Promise<readonly number[]> {
  const { server, port } = await openServer(t)
  if (isAddonUsed && addon !== undefined) acceptWaiting(server, addon)
  const turns: number[] = []
  let all = 0
  let inTurn = 0
  server.on('connection', () => {
    all++
    if (inTurn++ === 0) {
      setImmediate(() => {
        turns.push(inTurn)
        inTurn = 0
      })
    }
  })
  await openClients(t, port)
  while (all < WAITING || inTurn > 0) await new Promise((resolve) => setImmediate(resolve))
  return turns
}

t.test('connections that come together are taken together', { skip }, async (t) => {
  // Clients of this very process connect while the loop goes round, so a few turns are needed; one for each is what Node does.
  const alone = await takenPerTurn(t, false)
  const together = await takenPerTurn(t, true)
  t.equal(
    alone.reduce((sum, taken) => sum + taken),
    WAITING
  )
  t.equal(Math.max(...alone), 1)
  t.equal(
    together.reduce((sum, taken) => sum + taken),
    WAITING
  )
  t.ok(Math.max(...together) > 10, `at most ${Math.max(...together)} in a turn`)
})

t.test('what was taken so is answered, counted and waited for', { skip }, async (t) => {
  const { server, port } = await openServer(t)
  if (addon !== undefined) acceptWaiting(server, addon)
  const clients = await openClients(t, port)
  const answers = await Promise.all(
    clients.map(async (client, i) => {
      client.setEncoding('utf8')
      client.write(`GET /${i} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      const [text] = (await once(client, 'data')) as [string]
      return text
    })
  )
  answers.forEach((text, i) => t.ok(text.endsWith(`/${i} for 127.0.0.1`), text))
  const count = await new Promise((resolve, reject) => {
    server.getConnections((err, count) => {
      if (err) reject(err)
      else resolve(count)
    })
  })
  t.equal(count, WAITING)

  // Node ends idle connections when it closes; one is not idle.
  const held = once(server, 'request') as Promise<[unknown, ServerResponse]>
  clients[0]?.write('GET /late HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const [, response] = await held
  let isClosed = false
  const closed = once(server, 'close')
  server.close(() => (isClosed = true))
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(isClosed, false)
  response.end()
  await closed
  t.equal(isClosed, true)
})

t.test('a descriptor that cannot be had leaves the connection to Node', async (t) => {
  const { server, port } = await openServer(t)
  const asked: number[] = []
  acceptWaiting(server, {
    accept(listening) {
      asked.push(listening)
      return -1
    }
  })
  await openClients(t, port)
  while (asked.length < WAITING) await new Promise((resolve) => setImmediate(resolve))
  t.ok(asked.every((listening) => listening === asked[0] && listening > 2))
})
