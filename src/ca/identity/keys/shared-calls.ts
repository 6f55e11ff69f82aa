/**
 * The same call for many who want what it gives at the moment, or later: those who come while one is under way share the next
 * one, so that nobody gets what was looked up before he asked.
 */
export function shareCalls<Value>(call: () => Promise<Value>): () => Promise<Value> {
  let current: Promise<Value> | undefined
  let next: Promise<Value> | undefined

  function start(): Promise<Value> {
    next = undefined
    const started = call()
    current = started
    const rest = (): void => {
      if (current === started) current = undefined
    }
    started.then(rest, rest)
    return started
  }

  return () => {
    if (current === undefined) return start()
    next ??= current.then(start, start)
    return next
  }
}
