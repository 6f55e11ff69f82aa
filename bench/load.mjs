// The generator of this folder, a process of its own. Told over IPC what to do, answers in the shape of generator.mjs:
//   { task: 'send', file, authority, connections, seconds, status, cycle }   prepared requests, where there is no other generator
//   { task: 'sign', file, authority, connections, seconds }                  keyless signings: what is sent depends on the answer
//                                                                            before it, on each connection for itself, which wrk and
//                                                                            autocannon cannot do
//   { task: 'post', plan, authority, seconds }                               large requests at a steady rate, whether the earlier
//                                                                            ones are answered or not
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { openConnection } from './connection.mjs'
import { summarize } from './latencies.mjs'
import { postBytes, readRequests } from './requests.mjs'

const tasks = { send, sign, post }

process.once('message', (task) => {
  tasks[task.task](task).then(
    (result) => process.send(result),
    (error) => process.send({ error: error.stack })
  )
})

/** Every connection sends its next request as soon as the answer to the last one is complete. */
function send({ file, authority, connections, seconds, status, cycle }) {
  const requests = readRequests(file)
  return exchangeAll(
    { authority, connections, seconds, cycle },
    requests,
    async (connection, request) => {
      const answer = await connection.exchange(request)
      return answer.status === status ? [] : [answer]
    }
  )
}

/**
 * Certificate, timestamp of the signature, log entry of the signature with the certificate. One unit of work is all three.
 * Prepared: token, key, proof of possession, artifact, signature, timestamp request. Not prepared, as it depends on the answer: the
 * certificate is read from it and written into the entry.
 */
function sign({ file, authority, connections, seconds }) {
  const signings = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { certificate, timestamp, entry } = JSON.parse(line)
      return {
        certificate: postBytes(authority, '/api/v2/signingCert', certificate),
        timestamp: postBytes(
          authority,
          '/api/v1/timestamp',
          Buffer.from(timestamp, 'base64'),
          'application/timestamp-query'
        ),
        entry
      }
    })
  return exchangeAll({ authority, connections, seconds }, signings, async (connection, signing) => {
    const issued = await connection.exchange(signing.certificate)
    if (issued.status !== 200) return [issued]
    const { certificates } = JSON.parse(issued.body).signedCertificateEmbeddedSct.chain
    const stamped = await connection.exchange(signing.timestamp)
    if (stamped.status !== 200 && stamped.status !== 201) return [stamped]
    const pem = Buffer.from(certificates[0]).toString('base64')
    const logged = await connection.exchange(
      postBytes(authority, '/api/v1/log/entries', signing.entry.replace('CERTIFICATE', pem))
    )
    return logged.status === 201 ? [] : [logged]
  })
}

/** @param work one unit of it; gives the answers that were not as wanted */
async function exchangeAll({ authority, connections, seconds, cycle }, units, work) {
  const [host, port] = authority.split(':')
  const open = await Promise.all(
    Array.from({ length: connections }, () => openConnection(host, Number(port)))
  )
  const latencies = []
  let bad = 0
  let refused = 0
  let firstBad = ''
  let broken = 0
  let next = 0
  let ranOut = false
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const deadline = start + seconds * 1000
  let last = start
  await Promise.all(
    open.map(async (connection) => {
      while (performance.now() < deadline) {
        if (next === units.length && cycle) next = 0
        const unit = units[next]
        if (unit === undefined) {
          ranOut = true
          return
        }
        next++
        const sent = performance.now()
        let unwanted
        try {
          unwanted = await work(connection, unit)
        } catch (err) {
          broken++
          firstBad ||= err.message
          return
        }
        last = performance.now()
        latencies.push(last - sent)
        for (const { status, body } of unwanted) {
          bad++
          if (status >= 400) refused++
          firstBad ||= `${status} ${body.toString('utf8', 0, 300)}`
        }
      }
    })
  )
  const cpu = process.cpuUsage(cpuBefore)
  for (const connection of open) connection.close()
  return {
    ...summarize(latencies),
    elapsedSeconds: (last - start) / 1000,
    refused,
    bad,
    firstBad,
    timeouts: 0,
    broken,
    ranOut,
    cpuSeconds: (cpu.user + cpu.system) / 1e6
  }
}

/** Requests on their way at once; what would be one more is left out and counted. */
const MOST_ON_THEIR_WAY = 8

/**
 * @param plan [{ name, file, everyMs, firstMs, isHostile }]; a file of prepared requests each, the first of which is sent after
 *             `firstMs`. All are to be logged; with `isHostile` any answer will do that is no failure of the server, which too much
 *             to do (503) is not, and they come again and again
 */
async function post({ plan, authority, seconds }) {
  const [host, port] = authority.split(':')
  const sorts = plan.map(({ name, file, everyMs, firstMs = 0, isHostile = false }) => ({
    name,
    everyMs,
    firstMs,
    isHostile,
    isWanted: isHostile ? (status) => status < 500 || status === 503 : (status) => status === 201,
    statuses: {},
    firstBody: '',
    requests: readRequests(file),
    latencies: [],
    leftOut: 0,
    bad: 0,
    firstBad: ''
  }))
  const idle = []
  let open = 0
  const exchange = async (sort, request) => {
    open++
    const connection = idle.pop() ?? (await openConnection(host, Number(port)))
    try {
      const sent = performance.now()
      const { status, body } = await connection.exchange(request)
      sort.latencies.push(performance.now() - sent)
      idle.push(connection)
      sort.statuses[status] = (sort.statuses[status] ?? 0) + 1
      sort.firstBody ||= body.toString('utf8', 0, 300)
      if (!sort.isWanted(status) && sort.bad++ === 0)
        sort.firstBad = `${status} ${body.toString('utf8', 0, 300)}`
    } catch (err) {
      if (sort.bad++ === 0) sort.firstBad = err.message
    } finally {
      open--
    }
  }
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const onTheirWay = []
  await Promise.all(
    sorts.map(async (sort) => {
      const { everyMs, firstMs } = sort
      for (let turn = 0; firstMs + turn * everyMs < seconds * 1000; turn++) {
        await sleep(Math.max(0, start + firstMs + turn * everyMs - performance.now()))
        const request = sort.requests[sort.isHostile ? turn % sort.requests.length : turn]
        if (request === undefined) throw new Error(`too few ${sort.name} were prepared`)
        if (open >= MOST_ON_THEIR_WAY) sort.leftOut++
        else onTheirWay.push(exchange(sort, request))
      }
    })
  )
  await Promise.all(onTheirWay)
  const cpu = process.cpuUsage(cpuBefore)
  for (const connection of idle) connection.close()
  return {
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    elapsedSeconds: (performance.now() - start) / 1000,
    sorts: sorts.map(
      ({ name, everyMs, latencies, leftOut, bad, firstBad, statuses, firstBody }) => ({
        name,
        everyMs,
        leftOut,
        bad,
        firstBad,
        statuses,
        firstBody,
        ...summarize(latencies)
      })
    )
  }
}
