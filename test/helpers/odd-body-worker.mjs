// A thread that reads large bodies and does what their first word says. For tests of the pool.
import { parentPort } from 'node:worker_threads'

parentPort.on('message', ({ id, task }) => {
  const [word] = Buffer.concat(task.pieces).toString('utf8').split(' ')
  if (word === 'spin') for (;;);
  if (word === 'spinUntilTold') while (Atomics.load(task.told, 0) === 0);
  const outcome = { type: 'refused', status: 422, code: 422, message: `did ${word}` }
  parentPort.postMessage({ id, outcome })
})
parentPort.postMessage('ready')
