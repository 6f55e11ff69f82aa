import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Test } from 'tap'

/**
 * Serves files as they are, for the length of a test: a mirror that knows nothing of what it serves.
 *
 * @param files by path without a slash in front
 * @returns URL without a slash at the end
 */
export async function serveFiles(t: Test, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const server = createServer((request, response) => {
    const file = files.get((request.url ?? '').slice(1))
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return `http://127.0.0.1:${address.port}`
}
