// A server that answers everything with the same bytes, by node:http alone: what HTTP in one process can do at most here.
// As a program: node bench/floor.mjs PORT CONTENT_TYPE < body
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { stop, waitFor, watch } from './processes.mjs'
import { partsOf } from './requests.mjs'
import { freePort, HOST } from './server.mjs'

const FILE = fileURLToPath(import.meta.url)

if (process.argv[1] === FILE) listen()

function listen() {
  const [, , port, type] = process.argv
  const body = readFileSync(0)
  const headers = { 'content-type': type, 'content-length': body.length }
  createServer((request, response) => {
    // A body must have come before it is answered, as with any server.
    request.on('end', () => response.writeHead(200, headers).end(body))
    request.resume()
  }).listen(Number(port), HOST)
}

/** Starts it in a process of its own, with what `server` answers to `request`. */
export async function startFloor(server, request) {
  const { method, path, headers, body } = partsOf(request)
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers,
    ...(method === 'GET' ? {} : { body })
  })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  const port = await freePort()
  const type = answer.headers.get('content-type')
  const child = watch(
    spawn(process.execPath, [FILE, String(port), type], { stdio: ['pipe', 'ignore', 'inherit'] })
  )
  child.stdin.end(Buffer.from(await answer.arrayBuffer()))
  const url = `http://${HOST}:${port}`
  await waitFor(
    () =>
      fetch(url).then(
        ({ status }) => (status === 200 ? true : undefined),
        () => undefined
      ),
    20,
    10_000,
    'the bare server'
  )
  return { url, authority: `${HOST}:${port}`, pid: child.pid, stop: () => stop(child) }
}
