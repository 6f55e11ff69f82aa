import { Duplex } from 'node:stream'

/** What goes through a connection between two threads. `tunnel` numbers those of one thread. */
export type TunnelItem =
  | {
      readonly type: 'tunnelOpen'
      readonly tunnel: number
      /** Of the client. */
      readonly remoteAddress: string | undefined
      readonly remotePort: number | undefined
    }
  | { readonly type: 'tunnelData'; readonly tunnel: number; readonly bytes: Uint8Array }
  /** So many bytes were read: as many may follow. */
  | { readonly type: 'tunnelRead'; readonly tunnel: number; readonly byteLength: number }
  /** Nothing follows from this side. */
  | { readonly type: 'tunnelEnd'; readonly tunnel: number }
  /** Nothing is read or written any more. */
  | { readonly type: 'tunnelClose'; readonly tunnel: number }

export type SendTunnelItem = (item: TunnelItem, transfer?: readonly ArrayBuffer[]) => void

/** Bytes that may be under way in one direction. */
const WINDOW_BYTES = 256 * 1024

/** Below this, copying is cheaper than handing memory over. */
const MIN_TRANSFER_BYTES = 16 * 1024

/** One end of a connection between two threads: to Node's HTTP, a socket. */
export class TunnelEnd extends Duplex {
  readonly tunnel: number
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly #send: SendTunnelItem
  /** Written and not read yet on the other side. */
  #bytesUnderWay = 0
  /** Called when there is room for more. */
  #onRoom: (() => void) | undefined
  /** Received and not told to have been read. */
  #bytesReceived = 0
  #isOtherClosed = false

  constructor(
    tunnel: number,
    client: { readonly remoteAddress: string | undefined; readonly remotePort: number | undefined },
    send: SendTunnelItem
  ) {
    super({ allowHalfOpen: true })
    this.tunnel = tunnel
    this.remoteAddress = client.remoteAddress
    this.remotePort = client.remotePort
    this.#send = send
  }

  /** What the other end sent. */
  receive(item: TunnelItem): void {
    switch (item.type) {
      case 'tunnelData':
        this.#bytesReceived += item.bytes.length
        this.push(item.bytes)
        break
      case 'tunnelRead': {
        this.#bytesUnderWay -= item.byteLength
        const onRoom = this.#onRoom
        if (onRoom === undefined || this.#bytesUnderWay >= WINDOW_BYTES) break
        this.#onRoom = undefined
        onRoom()
        break
      }
      case 'tunnelEnd':
        this.push(null)
        break
      case 'tunnelClose':
        this.closedByOther()
        break
      case 'tunnelOpen':
    }
  }

  /** The other end is gone. */
  closedByOther(): void {
    this.#isOtherClosed = true
    this.destroy()
  }

  override _read(): void {
    if (this.#bytesReceived === 0) return
    const byteLength = this.#bytesReceived
    this.#bytesReceived = 0
    this.#send({ type: 'tunnelRead', tunnel: this.tunnel, byteLength })
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    // A copy with memory of its own: Node's buffers are parts of larger ones, which would be copied as a whole.
    const bytes = Uint8Array.prototype.slice.call(chunk)
    this.#bytesUnderWay += bytes.length
    const transfer = bytes.length < MIN_TRANSFER_BYTES ? [] : [bytes.buffer as ArrayBuffer] // just made
    this.#send({ type: 'tunnelData', tunnel: this.tunnel, bytes }, transfer)
    if (this.#bytesUnderWay < WINDOW_BYTES) done()
    else this.#onRoom = done
  }

  override _final(done: () => void): void {
    this.#send({ type: 'tunnelEnd', tunnel: this.tunnel })
    done()
  }

  override _destroy(err: Error | null, done: (err: Error | null) => void): void {
    if (!this.#isOtherClosed) this.#send({ type: 'tunnelClose', tunnel: this.tunnel })
    done(err)
  }

  // Node's HTTP asks a socket for these. There is no wire; the time limits are those of the client's connection.
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
