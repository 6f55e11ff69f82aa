import { readdirSync, readlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startFrontThreads, type FrontThreads } from '../../src/front/front-threads.js'
import { loadSocketAddon } from '../../src/http/sockets.js'
import { pause, until } from '../helpers/front-server.js'

const { addon, problem } = loadSocketAddon()
if (addon === undefined && process.env['TEST_WITHOUT_NATIVE'] !== '1') throw new Error(problem)
const skip = addon === undefined ? 'no addon' : false

const unexpected = (): never => {
  throw new Error('nothing of the kind was asked for')
}

interface Fixture {
  readonly server: Server
  readonly port: number
  readonly threads: FrontThreads
  readonly deaths: unknown[]
}

/** A server whose main thread answers `main` to everything, and threads as in odd-front-worker.mjs. */
async function start(t: Test, count: number, behaviour: string): Promise<Fixture> {
  if (addon === undefined) throw new Error('no addon')
  const server = createServer((_request, response) => response.end('main'))
  const deaths: unknown[] = []
  const threads = startFrontThreads({
    threads: count,
    settings: {
      databasePath: '',
      verify: { enabledKinds: [], clientAlgorithms: [], maxAttestationBytes: 0 },
      readAttestations: false,
      enabledOperations: [],
      maxRequestBodyBytes: 1,
      logLevel: behaviour,
      announcement: new SharedArrayBuffer(8)
    },
    services: {
      generations: { use: unexpected },
      verifier: { verifyEntry: unexpected, keyHash: unexpected },
      observe: unexpected,
      writeLine: unexpected
    },
    server,
    addon,
    onDeath: (err) => deaths.push(err),
    workerUrl: new URL('../helpers/odd-front-worker.mjs', import.meta.url),
    execArgv: []
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    await threads.close()
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port, threads, deaths }
}

const allReady = ({ threads }: Fixture) => threads.state().every(({ isReady }) => isReady)

/** A connection that has told something and heard something. */
async function talk(port: number, text: string): Promise<{ socket: Socket; heard: string }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(text)
  const heard = await new Promise<string>((resolve) => {
    socket.once('data', (bytes) => resolve(String(bytes)))
    socket.once('close', () => resolve('closed'))
  })
  return { socket, heard }
}

const socketsOpen = (): number =>
  readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length

t.test('connections go where there are fewest', { skip }, async (t) => {
  const fixture = await start(t, 3, '')
  await until('ready', () => allReady(fixture))
  const connected = await Promise.all(Array.from({ length: 9 }, () => talk(fixture.port, 'hi')))
  t.strictSame(new Set(connected.map(({ heard }) => heard)), new Set(['thread: hi']))
  t.strictSame(
    fixture.threads.state().map(({ connections }) => connections),
    [3, 3, 3]
  )
  connected.forEach(({ socket }) => socket.destroy())
  await until('left', () => fixture.threads.state().every(({ connections }) => connections === 0))
  const again = await Promise.all(Array.from({ length: 3 }, () => talk(fixture.port, 'hi')))
  again.forEach(({ socket }) => socket.destroy())
  t.strictSame(
    fixture.threads.state().map(({ taken }) => taken),
    [4, 4, 4]
  )
})

t.test('a thread that dies takes its connections along, and no others', { skip }, async (t) => {
  const fixture = await start(t, 2, '')
  const { port, deaths, threads } = fixture
  await until('ready', () => allReady(fixture))
  const [first, second] = [await talk(port, 'a'), await talk(port, 'b')]
  const third = await talk(port, 'c') // with the first
  const ended = new Promise<void>((resolve) => first.socket.once('close', () => resolve()))
  third.socket.write('die')
  await ended
  await until('told', () => deaths.length > 0)
  t.match(deaths, [{ message: 'died with it' }])
  t.equal(second.socket.destroyed, false)
  const heard = new Promise<string>((resolve) =>
    second.socket.once('data', (b) => resolve(String(b)))
  )
  second.socket.write('still here')
  t.equal(await heard, 'thread: still here')
  await until('replaced', () => threads.state().length === 2 && allReady(fixture))
  const next = await talk(port, 'd')
  t.equal(next.heard, 'thread: d')
  t.equal(deaths.length, 1)
  for (const { socket } of [second, next]) socket.destroy()
})

t.test('a connection that was on its way to a dead thread is closed', { skip }, async (t) => {
  const fixture = await start(t, 1, 'dies first')
  await until('ready', () => allReady(fixture))
  const before = socketsOpen()
  for (let i = 1; i <= 3; i++) {
    await until('a thread', () => fixture.threads.state().some(({ isReady }) => isReady))
    t.equal((await talk(fixture.port, 'x')).heard, 'closed')
    await until('told', () => fixture.deaths.length === i)
  }
  await until('nothing left open', () => socketsOpen() <= before)
})

t.test('the main thread answers while there is no other', { skip }, async (t) => {
  const { port, deaths, threads } = await start(t, 1, 'never ready')
  await until('told', () => deaths.length > 0)
  const { heard, socket } = await talk(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  t.match(heard, /^HTTP\/1.1 200 .*main$/s)
  socket.destroy()
  const [told] = [deaths.length]
  await pause(300)
  t.equal(deaths.length, told, 'it is not started in a tight loop')
  t.strictSame(threads.state(), [])
})
