// The load generator, a process of its own. Told over IPC what to do, one task at a time:
//   { prepare: N }                          signs N entries beforehand        -> { prepared }
//   { connections, seconds, host, port }    uploads them                       -> what happened
import { performance } from 'node:perf_hooks'
import { openConnection, requestBytes } from './connection.mjs'
import { makeSigned, makeSigners, proposedEntry } from './entries.mjs'

const signers = makeSigners()
let bodies = []
let turn = 0

process.on('message', (task) => {
  perform(task).then(
    (result) => process.send(result),
    (error) => process.send({ error: error.stack })
  )
})

async function perform(task) {
  if (task.prepare !== undefined) {
    while (bodies.length < task.prepare) bodies.push(proposedEntry(makeSigned(signers, turn++)))
    return { prepared: bodies.length }
  }
  return upload(task)
}

/** Every connection sends its next entry as soon as the answer to the last one is complete. */
async function upload({ connections, seconds, host, port }) {
  const requests = bodies.map((body) => requestBytes(`${host}:${port}`, body))
  const open = await Promise.all(
    Array.from({ length: connections }, () => openConnection(host, port))
  )
  const latenciesMs = []
  const statuses = {}
  let next = 0
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const deadline = start + seconds * 1000
  let last = start
  await Promise.all(
    open.map(async (connection) => {
      while (next < requests.length && performance.now() < deadline) {
        const request = requests[next++]
        const sent = performance.now()
        const status = await connection.exchange(request)
        last = performance.now()
        statuses[status] = (statuses[status] ?? 0) + 1
        if (status === 201) latenciesMs.push(last - sent)
      }
    })
  )
  const cpu = process.cpuUsage(cpuBefore)
  for (const connection of open) connection.close()
  const ranOut = next >= requests.length
  bodies = bodies.slice(next)
  latenciesMs.sort((a, b) => a - b)
  return {
    uploads: latenciesMs.length,
    statuses,
    ranOut,
    elapsedSeconds: (last - start) / 1000,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    generatorCpuSeconds: (cpu.user + cpu.system) / 1e6
  }
}

/** Nearest rank. */
function percentile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
