import { Socket, type Server } from 'node:net'
import { descriptorOf, type SocketAddon } from './sockets.js'

/** In one turn of the event loop: about as long as a batch of requests takes. */
const MOST_AT_ONCE = 256

/** Node counts the connections of a server here, and waits for them when it closes. Not documented, and there since Node 0.x. */
interface Counting {
  _connections?: number
}

/**
 * Has a server take all connections that wait whenever it takes one. Node itself takes one in each turn of its event loop, so
 * that under load the last of two thousand that come together waits for seconds.
 *
 * @param server plain, not TLS, which has connections of another kind
 */
export function acceptWaiting(server: Server, addon: Pick<SocketAddon, 'accept'>): void {
  let isTaking = false

  function takeOne(listening: number): boolean {
    const fd = addon.accept(listening)
    if (fd < 0) return false
    const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true })
    socket.setNoDelay(true)
    const counting = server as Counting
    counting._connections = (counting._connections ?? 0) + 1
    Object.assign(socket, { server, _server: server })
    server.emit('connection', socket)
    return true
  }

  server.on('connection', () => {
    if (isTaking) return
    const listening = descriptorOf(server)
    if (listening === undefined) return
    isTaking = true
    try {
      for (let taken = 0; taken < MOST_AT_ONCE && takeOne(listening); taken++);
    } finally {
      isTaking = false
    }
  })
}
