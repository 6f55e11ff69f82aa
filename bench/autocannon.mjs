// Sends prepared requests with autocannon, each of them once, or over and over. A process of its own: told over IPC what to
// send, answers in the shape of generator.mjs. Latencies are kept here, since autocannon rounds them to milliseconds.
import { performance } from 'node:perf_hooks'
import autocannon from 'autocannon'
import { summarize } from './latencies.mjs'
import { partsOf, readRequests } from './requests.mjs'

process.once('message', (task) => {
  send(task).then(
    (result) => process.send(result),
    (error) => process.send({ error: error.stack })
  )
})

async function send({ file, authority, connections, seconds, status, cycle, check }) {
  const requests = readRequests(file).map(partsOf)
  const latencies = []
  let next = 0
  let ranOut = false
  let refused = 0
  let bad = 0
  let firstBad = ''
  let timeouts = 0
  let broken = 0
  let instance
  // One object for all requests of a connection, which autocannon asks to be filled in before each of them.
  const setupRequest = (request) => {
    if (next === requests.length && cycle) next = 0
    const parts = requests[next]
    if (parts === undefined) {
      ranOut = true
      instance?.stop()
      return { ...request, method: 'GET', path: '/ping', headers: {}, body: undefined }
    }
    next++
    return { ...request, ...parts }
  }
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  let last = start
  await new Promise((resolve, reject) => {
    instance = autocannon(
      {
        url: `http://${authority}`,
        connections,
        duration: seconds,
        timeout: 30,
        requests: [{ setupRequest }]
      },
      (err) => (err === null ? resolve() : reject(err))
    )
    instance.on('response', (_client, code, _bytes, milliseconds) => {
      // It goes on to the end of its second; the run is thrown away.
      if (ranOut) return
      last = performance.now()
      latencies.push(milliseconds)
      if (code >= 400) refused++
      if (check && code !== status && bad++ === 0) firstBad = String(code)
    })
    instance.on('reqError', (err) => {
      if (/timeout/.test(err.message)) timeouts++
      else broken++
    })
  })
  const cpu = process.cpuUsage(cpuBefore)
  return {
    ...summarize(latencies),
    elapsedSeconds: (last - start) / 1000,
    refused,
    bad,
    firstBad,
    timeouts,
    broken,
    ranOut,
    cpuSeconds: (cpu.user + cpu.system) / 1e6
  }
}
