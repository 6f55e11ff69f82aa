import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import t from 'tap'
import { isLogError } from '../../src/errors.js'
import {
  collectBodies,
  createBodyAllowance,
  type BodyAllowance,
  type CollectedBody,
  MAX_SMALL_BODY_BYTES
} from '../../src/http/request-body.js'

const PIECE = 1024 * 1024

/** Echoes what was collected; `keep` leaves large bodies held. */
function echo({
  maxBytes = 4 * PIECE,
  allowance,
  keep = false
}: {
  maxBytes?: number
  allowance?: BodyAllowance | undefined
  keep?: boolean
}): { app: FastifyInstance; bodies: CollectedBody[] } {
  const app = fastify()
  const bodies: CollectedBody[] = []
  collectBodies(app, { maxBytes, allowance })
  app.setErrorHandler((err: Error & { code?: string; statusCode?: number }, _request, reply) =>
    reply
      .code(isLogError(err, 'overloaded') ? 503 : (err.statusCode ?? 500))
      .send({ code: err.code, message: err.message })
  )
  app.post('/', async ({ body }) => {
    const collected = body as CollectedBody
    bodies.push(collected)
    if (!(collected instanceof Uint8Array) && !keep) collected.release()
    return {}
  })
  return { app, bodies }
}

const send = (app: FastifyInstance, payload: Buffer, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json', ...headers },
    payload
  })

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 7919) % 251))

function joined(body: CollectedBody | undefined): Buffer {
  if (body === undefined) throw new Error('nothing was collected')
  return Buffer.concat(body instanceof Uint8Array ? [body] : body.pieces)
}

t.test('small bodies come in one piece, large ones in several', async (t) => {
  const allowance = createBodyAllowance(4 * PIECE)
  const { app, bodies } = echo({ allowance })
  for (const length of [0, 1, MAX_SMALL_BODY_BYTES, MAX_SMALL_BODY_BYTES + 1, PIECE, 2.5 * PIECE]) {
    const sent = bytesOf(length)
    t.equal((await send(app, sent)).statusCode, 200)
    const body = bodies.pop()
    t.ok(joined(body).equals(sent), `${length} bytes`)
    t.equal(body instanceof Uint8Array, length <= MAX_SMALL_BODY_BYTES)
    if (body === undefined || body instanceof Uint8Array) continue
    t.equal(body.byteLength, length)
    t.ok(
      body.pieces.every(({ buffer, byteLength }) => buffer.byteLength === byteLength),
      'no memory is shared or empty'
    )
  }
  t.equal(allowance.held, 0)
})

t.test('without announced length', async (t) => {
  const allowance = createBodyAllowance(4 * PIECE)
  const { app, bodies } = echo({ allowance, maxBytes: 2 * PIECE })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const post = (sent: Buffer) =>
    fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new ReadableStream({
        start(controller) {
          for (let at = 0; at < sent.length; at += 30_000) {
            controller.enqueue(sent.subarray(at, at + 30_000))
          }
          controller.close()
        }
      }),
      duplex: 'half'
    } as RequestInit)
  for (const length of [60_000, 100_000, 1.5 * PIECE]) {
    const sent = bytesOf(length)
    t.equal((await post(sent)).status, 200)
    t.ok(joined(bodies.pop()).equals(sent), `${length} bytes`)
  }
  t.equal((await post(bytesOf(2 * PIECE + 1))).status, 413)
  t.equal(allowance.held, 0)
})

t.test('without an allowance all bodies are small', async (t) => {
  const { app, bodies } = echo({})
  t.equal((await send(app, bytesOf(2 * PIECE))).statusCode, 200)
  t.ok(bodies[0] instanceof Uint8Array)
  t.equal((await send(app, bytesOf(4 * PIECE + 1))).statusCode, 413)
})

t.test('too large, or not as long as announced', async (t) => {
  const allowance = createBodyAllowance(4 * PIECE)
  const { app, bodies } = echo({ allowance, maxBytes: PIECE })
  t.equal((await send(app, bytesOf(PIECE))).statusCode, 200)
  t.equal((await send(app, bytesOf(PIECE + 1))).statusCode, 413)
  for (const [sent, announced] of [
    [100_000, 100_001],
    [100_001, 100_000],
    [10, 11]
  ] as const) {
    const answer = await send(app, bytesOf(sent), { 'content-length': String(announced) })
    t.match(answer.json(), { code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' })
    t.equal(answer.statusCode, 400)
  }
  t.equal(bodies.length, 1)
  t.equal(allowance.held, 0)
})

t.test('what large bodies hold at once is bounded', async (t) => {
  const allowance = createBodyAllowance(300_000)
  const { app, bodies } = echo({ allowance, keep: true })
  const ask = async (length: number) => (await send(app, bytesOf(length))).statusCode
  t.equal(await ask(400_000), 200, 'one alone may be larger')
  t.equal(allowance.held, 400_000)
  const refused = await send(app, bytesOf(70_000))
  t.equal(refused.statusCode, 503)
  t.match(refused.json(), {
    message: 'large requests hold 400000 bytes already, of 300000 that they may'
  })
  t.equal(await ask(60_000), 200, 'small ones are not held')
  const [first] = bodies
  if (first === undefined || first instanceof Uint8Array) throw new Error('not large')
  first.release()
  first.release()
  t.equal(allowance.held, 0)
  t.strictSame([await ask(100_000), await ask(200_000), await ask(70_000)], [200, 200, 503])
  t.equal(allowance.held, 300_000)
})

t.test('clients that do not send what they announced', async (t) => {
  const allowance = createBodyAllowance(2 * PIECE)
  const { app } = echo({ allowance })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const begin = async (bytes: number) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n' +
        `content-length: ${2 * PIECE}\r\n\r\n`
    )
    socket.write(Buffer.alloc(bytes))
    return socket
  }
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const silent = await begin(0)
  const slow = await begin(100_000)
  await until(() => allowance.held > 0)
  t.equal(allowance.held, PIECE, 'only what came is held')
  slow.destroy()
  await until(() => allowance.held === 0)
  t.equal((await send(app, bytesOf(2 * PIECE))).statusCode, 200, 'the silent one keeps nobody out')
  silent.destroy()
})

t.test('bodies that grow into each other', async (t) => {
  const allowance = createBodyAllowance(2 * PIECE)
  allowance.take(PIECE, 0)
  t.doesNotThrow(() => allowance.assertRoom(PIECE))
  t.throws(() => allowance.assertRoom(PIECE + 1), { code: 'overloaded' })
  allowance.take(PIECE, PIECE)
  allowance.take(PIECE, 2 * PIECE)
  t.equal(allowance.held, 3 * PIECE, 'the only one may grow')
  t.throws(() => allowance.take(1, 0), {
    code: 'overloaded',
    details: { retryAfterSeconds: Number }
  })
  t.equal(allowance.held, 3 * PIECE)
})
