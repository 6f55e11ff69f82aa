import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { portOf, startListening, stopListening } from '../../src/http/listening.js'

const SYSTEM_LIMIT = '/proc/sys/net/core/somaxconn'
const CONNECTIONS = 1000

/** Opens connections on a thread of its own and tells through `counts` how many there are. */
const CLIENT = `
  const { workerData: { port, counts, connections } } = require('node:worker_threads')
  const { connect } = require('node:net')
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1', () => {
    if (Atomics.add(counts, 0, 1) + 1 === connections) Atomics.notify(counts, 0)
  }))
  for (const socket of sockets) socket.on('error', () => undefined)
`

const isRoomy = existsSync(SYSTEM_LIMIT) && Number(readFileSync(SYSTEM_LIMIT, 'utf8')) > CONNECTIONS

t.test(
  'a server that is busy does not lose connections that come at once',
  { skip: isRoomy ? false : 'this system lets fewer wait' },
  async (t) => {
    const server = createServer()
    await startListening(server, { host: '127.0.0.1', port: 0 })
    const counts = new Int32Array(new SharedArrayBuffer(4))
    const workerData = { port: portOf(server), counts, connections: CONNECTIONS }
    const client = new Worker(CLIENT, { eval: true, workerData, execArgv: [] })
    t.teardown(() => client.terminate())
    await new Promise((resolve) => client.once('online', resolve))
    // This thread takes no connection until all of them are there: of one too many the system would drop the first packet.
    const deadline = performance.now() + 30_000
    for (let open = 0; open < CONNECTIONS && performance.now() < deadline;) {
      Atomics.wait(counts, 0, open, 100)
      open = Atomics.load(counts, 0)
    }
    t.equal(Atomics.load(counts, 0), CONNECTIONS)
    await stopListening(server)
  }
)
