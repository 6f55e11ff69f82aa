import { writeSync } from 'node:fs'

/** How long a line may wait for others. */
const MAX_WAIT_MS = 100
/** How much may wait, in characters. */
const MAX_WAITING = 16_384
/** How long a reader that does not keep up gets before the next attempt. */
const RETRY_MS = 10
/** How the lines begin that may wait: trace, debug and info, by pino's numbers. */
const PATIENT = /^\{"level":[123]0,/

export interface LogDestination {
  /** Takes one line of JSON, with its line end. */
  write(line: string): void
  /** Writes what is waiting. Returns when it is written. */
  flush(): void
}

/**
 * Where log lines go. With a few for each millisecond a system call each would be dear, so lines about requests wait for one
 * another. A warning or worse is written at once, behind what was waiting: what a dying process had to say is the most
 * interesting of all. What still waits when the process exits is written then; only a kill that no process sees takes up to
 * 100 ms of request lines with it.
 *
 * @param fd file descriptor. Nobody may be reading any more (EPIPE); every other failure to write is thrown
 */
export function createLogDestination(fd: number): LogDestination {
  let waiting = ''
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const text = waiting
    waiting = ''
    writeAll(fd, text)
  }

  process.on('exit', flush)
  return {
    write(line) {
      waiting += line
      if (!PATIENT.test(line) || waiting.length >= MAX_WAITING) flush()
      else timer ??= setTimeout(flush, MAX_WAIT_MS).unref()
    },
    flush
  }
}

function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (err) {
      const { code } = err as NodeJS.ErrnoException
      if (code === 'EPIPE') return
      if (code !== 'EAGAIN') throw err
      sleep(RETRY_MS)
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
