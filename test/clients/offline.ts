import { once } from 'node:events'
import { createServer } from 'node:http'

/** Proxy for the clients that forwards nothing and remembers who wanted to leave the loopback. */
export interface RefusingProxy {
  /** Variables that send a client's outgoing connections here; Go never proxies the loopback. */
  readonly env: Readonly<Record<string, string>>
  /** `CONNECT host:443`, `GET http://host/path`, in order. */
  attempts(): readonly string[]
  close(): Promise<void>
}

/**
 * Starts the proxy. It finds what a missing route alone would hide: a client that tries a public service, warns, and
 * goes on to exit 0.
 */
export async function startRefusingProxy(): Promise<RefusingProxy> {
  const attempts: string[] = []
  const server = createServer((request, response) => {
    attempts.push(`${request.method} ${request.url}`)
    response.writeHead(403).end()
  })
  server.on('connect', (request, socket) => {
    attempts.push(`CONNECT ${request.url}`)
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  server.listen(0, '127.0.0.1').unref() // a test that fails early must not wait for it
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  const proxy = `http://127.0.0.1:${address.port}`
  return {
    env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
    attempts: () => attempts,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
