// One keep-alive HTTP/1.1 connection that does nothing but send prepared requests and find the end of each answer:
// a full HTTP client would take as much of the machine as the server under test.
import { connect } from 'node:net'
import { once } from 'node:events'

const HEAD_END = Buffer.from('\r\n\r\n')
// Far beyond the slowest answer of a server that works: the bench must end.
const ANSWER_LIMIT_MS = 30_000

/** Opens a connection whose `exchange` sends one request and resolves with `{ status, body }` of the answer. */
export async function openConnection(host, port) {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  let received = Buffer.alloc(0)
  let waiting
  let closed

  const finish = (settle, value) => {
    const { resolve, reject } = waiting ?? {}
    waiting = undefined
    if (settle === 'resolve') resolve?.(value)
    else reject?.(value)
  }
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const headEnd = received.indexOf(HEAD_END)
    if (headEnd < 0) return
    const head = received.toString('latin1', 0, headEnd)
    const length = /^content-length: (\d+)$/im.exec(head)?.[1]
    if (length === undefined) {
      socket.destroy(new Error(`an answer without content-length:\n${head}`))
      return
    }
    const bodyStart = headEnd + HEAD_END.length
    const end = bodyStart + Number(length)
    if (received.length < end) return
    const body = received.subarray(bodyStart, end)
    received = received.subarray(end)
    finish('resolve', { status: Number(head.slice(9, 12)), body })
  })
  socket.setTimeout(ANSWER_LIMIT_MS, () => {
    if (waiting !== undefined) {
      socket.destroy(new Error(`nothing received for ${ANSWER_LIMIT_MS} ms`))
    }
  })
  const fail = (error) => {
    closed ??= error
    finish('reject', closed)
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))

  return {
    exchange(bytes) {
      return new Promise((resolve, reject) => {
        if (closed !== undefined) throw closed
        waiting = { resolve, reject }
        socket.write(bytes)
      })
    },
    close: () => socket.destroy()
  }
}
