// Requests as bytes, in files from which every generator reads them: made before the clock starts, the same for all of them.
// A file holds, for each request, its length in decimal, a line end, and its bytes.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

const CHUNK_BYTES = 1 << 20
const LINE_END = 10

/** A POST. @param body text or bytes */
export function postBytes(host, path, body, type = 'application/json') {
  const content = Buffer.from(body)
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${content.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), content])
}

export function getBytes(host, path) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
}

/** Writes `count` requests, each made by `make(turn)`. */
export function writeRequests(file, count, make) {
  const fd = openSync(file, 'w')
  try {
    let chunk = []
    let bytes = 0
    const flush = () => {
      const all = Buffer.concat(chunk)
      for (let at = 0; at < all.length;) at += writeSync(fd, all, at)
      chunk = []
      bytes = 0
    }
    for (let turn = 0; turn < count; turn++) {
      const request = make(turn)
      chunk.push(Buffer.from(`${request.length}\n`), request)
      bytes += request.length
      if (bytes > CHUNK_BYTES) flush()
    }
    flush()
  } finally {
    closeSync(fd)
  }
}

/** The requests of a file. */
export function readRequests(file) {
  const all = readFileSync(file)
  const requests = []
  for (let at = 0; at < all.length;) {
    const lineEnd = all.indexOf(LINE_END, at)
    const length = Number(all.toString('latin1', at, lineEnd))
    requests.push(all.subarray(lineEnd + 1, lineEnd + 1 + length))
    at = lineEnd + 1 + length
  }
  return requests
}

/** What the bytes of a request say, for a generator that writes its own. */
export function partsOf(request) {
  const headEnd = request.indexOf('\r\n\r\n')
  const [first, ...lines] = request.toString('latin1', 0, headEnd).split('\r\n')
  const [method, path] = first.split(' ')
  const type = lines.find((line) => line.startsWith('Content-Type: '))?.slice(14)
  return {
    method,
    path,
    headers: type === undefined ? {} : { 'content-type': type },
    body: request.subarray(headEnd + 4)
  }
}
