// The load generator, a process of its own. Told over IPC what to do, one task at a time:
//   { prepare: N, what }                        makes N requests beforehand      -> { prepared }
//   { connections, seconds, host, port, what }  sends them                       -> what happened
// `what` is `entries` or `certificates`.
import { performance } from 'node:perf_hooks'
import { makeIdentity, signingRequest } from './certificates.mjs'
import { openConnection, requestBytes } from './connection.mjs'
import { makeSigned, makeSigners, proposedEntry } from './entries.mjs'

const signers = makeSigners()
let turn = 0

const kinds = {
  entries: {
    path: '/api/v1/log/entries',
    status: 201,
    bodies: [],
    make: () => proposedEntry(makeSigned(signers, turn++))
  },
  certificates: { path: '/api/v2/signingCert', status: 200, bodies: [], make: undefined }
}

process.on('message', (task) => {
  perform(task).then(
    (result) => process.send(result),
    (error) => process.send({ error: error.stack })
  )
})

async function perform(task) {
  const kind = kinds[task.what]
  if (task.identity !== undefined) {
    const identity = makeIdentity(task.identity)
    kinds.certificates.make = () => signingRequest(identity)
    return { keySet: identity.keySet }
  }
  if (task.prepare !== undefined) {
    while (kind.bodies.length < task.prepare) kind.bodies.push(kind.make())
    return { prepared: kind.bodies.length }
  }
  return upload(task, kind)
}

/** Every connection sends its next entry as soon as the answer to the last one is complete. */
async function upload({ connections, seconds, host, port }, kind) {
  const requests = kind.bodies.map((body) => requestBytes(`${host}:${port}`, kind.path, body))
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
        if (status === kind.status) latenciesMs.push(last - sent)
      }
    })
  )
  const cpu = process.cpuUsage(cpuBefore)
  for (const connection of open) connection.close()
  const ranOut = next >= requests.length
  kind.bodies = kind.bodies.slice(next)
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
