import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import { openDatabase } from '../../src/store/sqlite/open-database.js'
import { dataPaths } from '../../src/config/data-dir.js'
import {
  artifactKey,
  initLog,
  proposal,
  runCommand,
  startTestServer,
  testConfig,
  upload
} from '../helpers/cli.js'
import { exchange, requestBytes, startFrontServer, takenBy } from '../helpers/front-server.js'
import { administrationOf, readEntry } from '../helpers/whole-server.js'

const key = artifactKey()
const ENTRIES = '/api/v1/log/entries'

function threaded(dataDir: string, flags: Readonly<Record<string, string>> = {}) {
  return testConfig(dataDir, { 'http-threads': '3', ...flags })
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly retryAfter?: string | undefined
}

/** Sends a request, on a connection of its own unless an agent is given. */
function send(
  url: string,
  { agent = false, body, path = ENTRIES }: { agent?: Agent | false; body?: string; path?: string }
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const headers = { 'content-type': 'application/json' }
    const sent = request(`${url}${path}`, { method, agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text,
          retryAfter: response.headers['retry-after']
        })
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

const proposed = (text: string): string => JSON.stringify(proposal(text, key))

async function sizeOf(url: string): Promise<number> {
  const { text } = await send(url, { path: '/api/v1/log' })
  const { treeSize, inactiveShards } = JSON.parse(text) as {
    treeSize: number
    inactiveShards: { treeSize: number }[] | null
  }
  return (inactiveShards ?? []).reduce((sum, shard) => sum + shard.treeSize, treeSize)
}

t.test('what one connection was answered, every other sees at once', async (t) => {
  const { publicUrl: url, threads } = await startFrontServer(t, threaded(await initLog(t)))
  const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  let last = 0
  for (let i = 0; i < 60; i++) {
    const agent = agents[i % agents.length] as Agent
    const body = proposed(`text ${i}`)
    const { status, text } = await send(url, {
      agent,
      body: i % 7 === 6 ? body.padEnd(17_000) : body
    })
    t.equal(status, 201)
    const [[id, { logIndex }]] = Object.entries(JSON.parse(text)) as [
      [string, { logIndex: number }]
    ]
    const [byIndex, bySize, byId] = await Promise.all([
      send(url, { agent: agents[(i + 1) % 6] as Agent, path: `${ENTRIES}?logIndex=${logIndex}` }),
      send(url, { agent: agents[(i + 2) % 6] as Agent, path: '/api/v1/log' }),
      send(url, { agent: agents[(i + 3) % 6] as Agent, path: `${ENTRIES}/${id}` })
    ])
    const { treeSize } = JSON.parse(bySize.text) as { treeSize: number }
    if (byIndex.status !== 200 || byId.status !== 200) t.fail(`${i}: ${byIndex.text} ${byId.text}`)
    if (treeSize <= logIndex || treeSize < last) t.fail(`${i}: ${treeSize} after ${last}`)
    last = treeSize
  }
  t.strictSame(
    threads().map(({ connections }) => connections),
    [3, 3]
  )
  agents.forEach((agent) => agent.destroy())
})

t.test('the log is rotated while all threads add and read', async (t) => {
  const config = threaded(await initLog(t))
  const { publicUrl: url, log } = await startFrontServer(t, config)
  const administration = await administrationOf(config)
  const ids: string[] = []
  let isOver = false
  const busy = Array.from({ length: 6 }, async (_, worker) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; !isOver; i++) {
      const { status, text } = await send(url, { agent, body: proposed(`${worker} ${i}`) })
      if (status !== 201) throw new Error(`${status}: ${text}`)
      const [id = ''] = Object.keys(JSON.parse(text) as object)
      ids.push(id)
      const read = await send(url, { path: `${ENTRIES}/${id}` })
      if (read.status !== 200) throw new Error(`${id}: ${read.status} ${read.text}`)
    }
    agent.destroy()
  })
  const all = Promise.all(busy)
  all.catch(() => (isOver = true))
  for (let i = 0; i < 3; i++) {
    const goal = ids.length + 20
    while (ids.length < goal && !isOver) await new Promise((resolve) => setTimeout(resolve, 5))
    const { opened } = await administration.rotate({ what: 'log', dryRun: false })
    // Whoever is asked, on whichever thread, knows the new tree and its key as soon as this is done.
    for (let thread = 0; thread < 4; thread++) {
      const { text } = await send(url, { path: '/api/v1/log' })
      t.equal((JSON.parse(text) as { treeID: string }).treeID, opened?.treeId)
      const named = await send(url, { path: `/api/v1/log/publicKey?treeID=${opened?.treeId}` })
      t.equal((await send(url, { path: '/api/v1/log/publicKey' })).text, named.text)
    }
  }
  isOver = true
  await all
  t.equal(await sizeOf(url), ids.length + 4, 'with the first entry of each tree')
  t.ok(ids.length >= 60)
  t.equal(new Set(ids.map((id) => id.slice(0, 16))).size, 4, 'every tree got some')
  for (const id of ids) {
    const [byId, { logIndex }] = await readEntry(url, `/${id}`)
    const [byIndex] = await readEntry(url, `?logIndex=${logIndex}`)
    if (byId !== id || byIndex !== id) t.fail(id)
  }
  t.notOk(log.some(({ level }) => Number(level) >= 50))
})

t.test('a stop under load: what is added is answered', async (t) => {
  const dataDir = await initLog(t)
  const server = await startFrontServer(t, threaded(dataDir))
  const { publicUrl: url } = server
  let isOver = false
  let added = 0
  const other: number[] = []
  const busy = Array.from({ length: 12 }, async (_, worker) => {
    // Kept alive or not: both kinds of connection must be let go of.
    const agent = worker % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : false
    for (let i = 0; !isOver; i++) {
      const body = proposed(`${worker} ${i}`)
      const size = worker % 3 === 0 ? 17_000 : 0 // some through the main thread
      const answer = await send(url, { agent, body: body.padEnd(size) }).catch(() => undefined)
      if (answer?.status === 201) added++
      else if (answer !== undefined) other.push(answer.status)
    }
    if (agent !== false) agent.destroy()
  })
  while (added < 50) await new Promise((resolve) => setTimeout(resolve, 5))
  await server.close()
  isOver = true
  await Promise.all(busy)
  t.strictSame(other, [])
  const again = await startTestServer(t, testConfig(dataDir))
  t.equal(
    await sizeOf(again.publicUrl),
    added + 1,
    'all of it, and nothing that nobody was told of'
  )
  t.strictSame(server.threads(), [])
  await again.close()
  const verified = await runCommand(['verify', '--data-dir', dataDir])
  t.equal(verified.code, 0, verified.stderr)
})

t.test(
  'a stop does not wait for clients that say nothing, and answers those who have asked',
  async (t) => {
    const server = await startFrontServer(t, threaded(await initLog(t)))
    const { hostname, port } = new URL(server.listenUrl)
    const silent = connect(Number(port), hostname)
    silent.on('error', () => undefined)
    const ended = new Promise<void>((resolve) => silent.once('close', () => resolve()))
    silent.write(requestBytes('GET', '/api/v1/log', undefined, { connection: 'keep-alive' }))
    await new Promise((resolve) => silent.once('data', resolve))
    await exchange(server.listenUrl, requestBytes('GET', '/api/v1/log'))
    const answer = send(server.publicUrl, { body: proposed('last') })
    await new Promise((resolve) => setTimeout(resolve, 2))
    await Promise.all([server.close(), ended])
    t.match(await answer.catch((err: Error) => err), { status: 201 })
  }
)

t.test('metrics count what every thread did', async (t) => {
  const {
    publicUrl: url,
    metricsUrl = '',
    threads
  } = await startFrontServer(t, threaded(await initLog(t), { 'metrics-listen': '127.0.0.1:0' }))
  for (let i = 0; i < 8; i++) {
    await send(url, { body: proposed(`text ${i}`) })
    await send(url, { path: `${ENTRIES}?logIndex=${i}` })
    await send(url, { path: `${ENTRIES}?logIndex=9999` })
    await send(url, {
      path: '/api/v1/index/retrieve',
      body: `{"hash":"sha256:${'ab'.repeat(32)}"}`
    })
    await send(url, { path: '/api/v1/log/publicKey' })
  }
  t.ok(threads().every(({ taken }) => taken > 5))
  const text = await (await fetch(`${metricsUrl}/metrics`)).text()
  for (const line of [
    'rekor_new_entries 8',
    `rekor_qps_by_api{path="${ENTRIES}",method="POST",code="201"} 8`,
    `rekor_qps_by_api{path="${ENTRIES}",method="GET",code="200"} 8`,
    `rekor_qps_by_api{path="${ENTRIES}",method="GET",code="404"} 8`,
    'rekor_qps_by_api{path="/api/v1/log/publicKey",method="GET",code="200"} 8',
    'rekor_index_storage_latency_summary_count{success="true"} 8',
    `rekor_api_latency_summary_count{path="${ENTRIES}",code="201"} 8`
  ]) {
    t.ok(text.includes(`\n${line}\n`), line)
  }
})

t.test('a full queue is told as it is, and the log goes on', async (t) => {
  const flags = { 'log-queue-max-leaves': '4', 'log-batch-max-leaves': '1' }
  const { publicUrl: url, log } = await startFrontServer(t, threaded(await initLog(t), flags))
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, i) => send(url, { body: proposed(`text ${i}`) }))
  )
  const refused = answers.filter(({ status }) => status === 503)
  t.ok(refused.length > 0, `${refused.length} refused`)
  for (const { text, retryAfter } of refused) {
    if (
      retryAfter !== '1' ||
      !/^\{"code":503,"message":"\d+ entries are waiting already"\}\n$/.test(text)
    ) {
      t.fail(`${retryAfter} ${text}`)
    }
  }
  const added = answers.filter(({ status }) => status === 201)
  t.equal(added.length + refused.length, answers.length)
  t.equal(await sizeOf(url), added.length + 1)
  await upload(url, 'after', key)
  t.notOk(log.some(({ level }) => Number(level) >= 50))
})

t.test('2,000 connections, each with an upload', async (t) => {
  const server = await startFrontServer(t, threaded(await initLog(t)))
  const { publicUrl: url } = server
  const bodies = Array.from({ length: 500 }, (_, i) => proposed(`text ${i}`))
  const before = takenBy(server)
  const answers = await Promise.all(
    Array.from({ length: 2000 }, (_, i) => send(url, { body: bodies[i % 500] as string }))
  )
  const count = (status: number) => answers.filter((answer) => answer.status === status).length
  t.equal(count(201), 500)
  t.equal(count(409), 1500)
  t.equal(await sizeOf(url), 501)
  const taken = takenBy(server).map((now, i) => now - (before[i] ?? 0))
  t.ok(Math.min(...taken) > 800, `${taken.join(' and ')} of them`)
})

t.test('a client that leaves is counted as one, on whichever thread', async (t) => {
  const server = await startFrontServer(t, threaded(await initLog(t)))
  const { hostname, port } = new URL(server.listenUrl)
  const told = (path: string) =>
    server.log.filter((line) => line.msg === 'request' && line.path === path && line.code === 499)
  for (const path of [ENTRIES, '/api/v1/timestamp']) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    // The main thread waits for the rest of this body.
    const head = requestBytes('POST', path, undefined, {
      'content-length': '17000',
      'content-type': 'application/json'
    })
    socket.write(head)
    await new Promise((resolve) => setTimeout(resolve, 300))
    socket.destroy()
    for (let i = 0; i < 100 && told(path).length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.equal(told(path).length, 1, path)
  }
})

t.test('a follower of the database sees what is committed, call by call', async (t) => {
  const dataDir = await initLog(t)
  const server = await startTestServer(t, testConfig(dataDir))
  const database = await openDatabase({ path: dataPaths(dataDir).database, mode: 'follow' })
  t.teardown(() => database.close())
  const store = database.logStore(server.treeId)
  for (let size = 1; size < 4; size++) {
    t.equal((await store.treeHead()).treeSize, size)
    await upload(server.publicUrl, `text ${size}`, key)
  }
  await t.rejects(database.register.swap('x', undefined, new Uint8Array(1)))
})
