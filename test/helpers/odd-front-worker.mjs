// Stands in for a thread that answers requests. What it does is in the request: dies before or after it has the connection.
import { Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

if (workerData.logLevel === 'never ready') throw new Error('it does not start')

parentPort.on('message', (items) => {
  for (const item of items) {
    if (item.type === 'stop') parentPort.postMessage([{ type: 'stopped' }])
    if (item.type === 'connection') take(item.descriptor)
  }
})

function take(descriptor) {
  if (workerData.logLevel === 'dies first') throw new Error('died before it had it')
  parentPort.postMessage([{ type: 'claimed', descriptor }])
  const socket = new Socket({ fd: descriptor, readable: true, writable: true })
  socket.on('data', (bytes) => {
    if (String(bytes).startsWith('die')) throw new Error('died with it')
    socket.write(`thread: ${bytes}`)
  })
  socket.once('close', () => parentPort.postMessage([{ type: 'left' }]))
}

parentPort.postMessage([{ type: 'ready' }])
