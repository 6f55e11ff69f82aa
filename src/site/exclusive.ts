/** Runs what it is given one after the other, in the order it came. */
export type Exclusive = <R>(action: () => Promise<R>) => Promise<R>

export function createExclusive(): Exclusive {
  let last: Promise<unknown> = Promise.resolve()
  return (action) => {
    const next = last.then(action)
    last = next.catch(() => undefined) // whoever asked is told; the next one does not mind
    return next
  }
}
