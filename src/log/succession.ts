/**
 * What is in use now, and can be replaced while requests come in: a log that is closed and its successor. Nobody who uses
 * it sees half of a change, and nobody is refused because of one.
 */
export interface Succession<T> {
  /** For reads. They may go on with the one before while its successor is being opened. */
  readonly current: T
  /** Runs `action` with the current one, after a replacement that is under way. The current one stays until it is done. */
  use<R>(action: (current: T) => Promise<R>): Promise<R>
  /**
   * Waits until nobody uses the current one, and replaces it by what `succeed` gives; whoever comes meanwhile waits.
   * Several replacements run one after the other. When `succeed` fails the current one stays.
   */
  replace(succeed: (current: T) => Promise<T>): Promise<T>
}

export function createSuccession<T>(first: T): Succession<T> {
  let current = first
  let users = 0
  let onIdle: (() => void) | undefined
  /** Settles when the replacement that is under way is over. */
  let replacing: Promise<unknown> | undefined

  async function use<R>(action: (current: T) => Promise<R>): Promise<R> {
    while (replacing !== undefined) await replacing
    users++
    try {
      return await action(current)
    } finally {
      users--
      if (users === 0) onIdle?.()
    }
  }

  async function replace(succeed: (current: T) => Promise<T>): Promise<T> {
    while (replacing !== undefined) await replacing
    const idle = users === 0 ? undefined : new Promise<void>((resolve) => (onIdle = resolve))
    let done = (): void => undefined
    replacing = new Promise<void>((resolve) => (done = resolve))
    try {
      await idle
      current = await succeed(current)
      return current
    } finally {
      onIdle = undefined
      replacing = undefined
      done()
    }
  }

  return {
    get current() {
      return current
    },
    use,
    replace
  }
}
