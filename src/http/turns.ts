/**
 * Lets so many begin in one turn of the event loop; the others wait for the next ones, first come first served. What they
 * hand to other threads comes back in between, so that all threads have work, instead of each waiting until this one has done its part of
 * everything that came at one time.
 *
 * @param limit at least 1
 * @returns to be waited for before one begins; undefined: at once
 */
export function createTurns(limit: number): () => Promise<void> | undefined {
  const waiting: (() => void)[] = []
  let begun = 0
  let isNextTurnDue = false

  function dueNextTurn(): void {
    if (isNextTurnDue) return
    isNextTurnDue = true
    setImmediate(nextTurn)
  }

  function nextTurn(): void {
    isNextTurnDue = false
    const now = waiting.splice(0, limit)
    begun = now.length
    for (const begin of now) begin()
    if (begun > 0) dueNextTurn()
  }

  return () => {
    dueNextTurn()
    if (begun < limit && waiting.length === 0) {
      begun++
      return undefined
    }
    return new Promise((resolve) => waiting.push(resolve))
  }
}
