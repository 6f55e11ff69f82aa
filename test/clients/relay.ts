import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Json } from './tamper.js'

/** A server in the middle that hands out what the log answered, with something changed. */
export interface Relay {
  /** Base URL without a slash at the end. */
  readonly url: string
  /** How many answers it changed so far. */
  changed(): number
  close(): Promise<void>
}

/**
 * Starts a relay to `target`.
 *
 * @param change gets the path asked for and the parsed JSON answer; undefined leaves the answer as it is
 */
export async function startRelay(
  target: string,
  change: (path: string, answer: Json) => string | undefined
): Promise<Relay> {
  let changed = 0
  const server = createServer((request, response) => {
    void forward(target, request)
      .then(({ status, headers, body }) => {
        const path = request.url ?? ''
        const isJson = headers['content-type']?.startsWith('application/json') === true
        const replaced = isJson ? change(path, JSON.parse(body) as Json) : undefined
        if (replaced !== undefined) changed += 1
        response.writeHead(status, headers).end(replaced ?? body)
      })
      .catch((error: unknown) => response.writeHead(502).end(String(error)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    changed: () => changed,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

/** What a client reads of an answer. */
const PASSED_ON = ['content-type', 'location', 'etag']

async function forward(target: string, request: IncomingMessage) {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const answer = await fetch(target + (request.url ?? ''), {
    method: request.method ?? 'GET',
    headers: { 'content-type': request.headers['content-type'] ?? '' },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) })
  })
  const headers: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = answer.headers.get(name)
    if (value !== null) headers[name] = value
  }
  return { status: answer.status, headers, body: await answer.text() }
}
