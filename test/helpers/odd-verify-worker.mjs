// A verification thread that does what its task says. For tests of the pool.
import { parentPort } from 'node:worker_threads'

let tasks = 0

parentPort.on('message', ({ id, task }) => {
  tasks++
  const { behave, arrived, text = '' } = task.proposed.spec
  const outcome = (said = text) => ({
    type: 'entry',
    leaf: {
      leafValue: new TextEncoder().encode(`${said} ${tasks}`),
      leafHash: new Uint8Array(32),
      searchKeys: []
    }
  })
  switch (behave) {
    case 'answer':
      parentPort.postMessage({ id, outcome: outcome() })
      return
    case 'refuse':
      parentPort.postMessage({
        id,
        code: 'verification_failed',
        message: 'no',
        details: { leafIndex: 1 }
      })
      return
    case 'wait':
      setTimeout(() => parentPort.postMessage({ id, outcome: outcome() }), 150)
      return
    case 'meet': {
      // Two tasks that wait for each other, which one thread alone cannot do.
      Atomics.add(arrived, 0, 1)
      Atomics.notify(arrived, 0)
      Atomics.wait(arrived, 0, 1, 30_000)
      const met = Atomics.load(arrived, 0) === 2
      parentPort.postMessage({ id, outcome: outcome(met ? 'met' : 'alone') })
      return
    }
    case 'spin':
      for (;;);
    case 'spinUntilTold':
      while (Atomics.load(arrived, 0) === 0);
      parentPort.postMessage({ id, outcome: outcome() })
      return
    case 'throw':
      throw new Error('a mistake')
    case 'hoard': {
      // Objects without end: one by one, as a mistake of ours would make them.
      const all = []
      for (;;) all.push({ all })
    }
    case 'exit':
      process.exit(3)
  }
})
parentPort.postMessage('ready')
