import { fsyncSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { connectForWriting } from './connection.js'
import { copyNow } from './wal-keeper.js'
import type { WriteThreadData } from './write-message.js'

// The entry point of the thread that copies the write-ahead log; see wal-keeper.ts.
if (parentPort !== null) serve(parentPort, workerData as WriteThreadData) // as createWalKeeper passes it

function serve(port: NonNullable<typeof parentPort>, { path, descriptor }: WriteThreadData): void {
  const connection = connectForWriting(path)
  connection.pragma('wal_autocheckpoint = 0')
  port.on('message', (request: 'copy' | 'close') => {
    if (request === 'close') {
      connection.close()
      port.close()
      return
    }
    copyNow(connection)
    // SQLite leaves what it has copied to the operating system until the last page is copied, and then waits for all
    // of it: that would be the writer. The descriptor is not ours to close: the system would take SQLite's locks with it.
    fsyncSync(descriptor)
    port.postMessage('copied')
  })
}
