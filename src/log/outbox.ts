/** Collects what goes to another thread: a message costs as much as what is in it. */
export interface Outbox<Item> {
  /** @param transfer memory in `item` that nobody here looks at any more */
  send(item: Item, transfer?: readonly ArrayBuffer[]): void
  /** Sends what there is now. */
  flush(): void
}

/**
 * @param post sends items in their order
 * @param later calls back at the end of this turn of the event loop
 */
export function createOutbox<Item>(
  post: (items: readonly Item[], transfer: readonly ArrayBuffer[]) => void,
  later: (flush: () => void) => void
): Outbox<Item> {
  let items: Item[] = []
  let transfers: ArrayBuffer[] = []

  function flush(): void {
    if (items.length === 0) return
    const [sent, moved] = [items, transfers]
    items = []
    transfers = []
    post(sent, moved)
  }

  return {
    send(item, transfer = []) {
      if (items.push(item) === 1) later(flush)
      if (transfer.length > 0) transfers.push(...transfer)
    },
    flush
  }
}
