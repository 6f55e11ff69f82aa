import { LogError } from '../errors.js'

/** Things to close, in the order they were opened. */
export type Closers = (() => Promise<void>)[]

/** Open connections of clients. */
export interface Connections {
  /** Ends those that have nothing to do. */
  closeIdle(): void
  /** Ends all of them, answered or not. */
  cut(): void
}

/** What is left for the last batch once no connection is open any more. */
const CLOSE_LOG_MS = 5000

/** How often a stopping server looks for connections that have nothing to do. */
const SWEEP_MS = 20

/**
 * Stops in the reverse order of the start: nothing new is accepted, what was accepted is answered, the queue is
 * written and published, the store closed.
 *
 * @throws LogError `timeout` when connections had to be cut to be done in time
 */
export async function closeWithin(
  limitMs: number,
  connections: Connections,
  closers: Closers
): Promise<void> {
  let cut = false
  let giveUp: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    giveUp = setTimeout(() => {
      reject(new LogError('timeout', 'the log could not be closed; the next start recovers it'))
    }, limitMs + CLOSE_LOG_MS)
  })
  const cutOff = setTimeout(() => {
    cut = true
    connections.cut()
  }, limitMs)
  // A connection whose last request was under way when the stop began is kept alive afterwards, and would be waited for.
  const sweep = setInterval(() => connections.closeIdle(), SWEEP_MS)
  try {
    await Promise.race([closeAll(closers), late])
  } finally {
    clearInterval(sweep)
    clearTimeout(cutOff)
    clearTimeout(giveUp)
  }
  if (cut) {
    throw new LogError(
      'timeout',
      `some requests were not answered within ${limitMs} ms; what the log had taken is published`
    )
  }
}

export async function closeAll(closers: Closers): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
}

export function closeOnce(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () => (closed ??= close())
}
