import dgram from 'node:dgram'
import dns from 'node:dns'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { createInProcessVerifier } from '../../src/rekor/verify-task.js'
import { createRekorApp, TEST_SETTINGS } from '../helpers/rekor-app.js'
import { ENTRIES, INDEX, RETRIEVE } from '../helpers/rekor-client-check.js'
import { computedVector, pathsOf } from '../helpers/vectors.js'

// Rekor once fetched keys and artifacts from addresses in the request. Nothing here does, whatever member an address is in.

/** One of each kind and version, and of each key format. */
const NAMES = [
  ...['alpine', 'cose', 'dsse-single', 'hashedrekord-model', 'helm', 'intoto-0.0.1'],
  ...['intoto-0.0.2-single', 'jar', 'rekord-minisign', 'rekord-pgp', 'rekord-ssh', 'rekord-x509'],
  ...['rfc3161', 'rpm', 'tuf-timestamp']
]

type Json = Record<string | number, unknown>

/** Members that Rekor had beside `content`, and in its place. */
const MEMBERS = ['url', 'URL', 'href', 'location']

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((node, step) => (node as Json)[step], value)
}

/** The spec with an address in every object: added, and in place of each member that is text. */
function* withAddresses(spec: unknown, address: string): Generator<readonly [string, unknown]> {
  // Not inside of what is signed as it stands: metadata of TUF have hundreds of members.
  const paths = [[], ...pathsOf(spec)].filter(
    (path) => !path.includes('signed') && !path.includes('signatures', 2)
  )
  for (const path of paths) {
    const node = at(spec, path)
    if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
      const copy = structuredClone(spec)
      for (const member of MEMBERS) (at(copy, path) as Json)[member] = address
      yield [`${path.join('.')}.url`, copy]
    }
    const last = path.at(-1)
    if (last === undefined || typeof last === 'number') continue
    const copy = structuredClone(spec)
    const parent = at(copy, path.slice(0, -1)) as Json
    delete parent[last]
    for (const member of MEMBERS) parent[member] = address
    yield [`${path.join('.')} replaced by url`, copy]
    const value = structuredClone(spec)
    ;(at(value, path.slice(0, -1)) as Json)[last] = Buffer.from(address).toString('base64')
    yield [`${path.join('.')} is an address`, value]
  }
}

t.test('no request body causes an outbound request', async (t) => {
  // Listens, so that a request would get through and be seen, and is asked by nobody.
  let connections = 0
  const listener = createServer((socket) => {
    connections++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(() => listener.close())
  const { port } = listener.address() as AddressInfo
  const address = `http://127.0.0.1:${port}/key`

  const attempts: string[] = []
  const watched: readonly (readonly [string, object, string])[] = [
    ['connect', Socket.prototype, 'connect'],
    ['lookup', dns, 'lookup'],
    ['promised lookup', dns.promises, 'lookup'],
    ['datagram', dgram, 'createSocket'],
    ['fetch', globalThis, 'fetch']
  ]
  for (const [name, owner, member] of watched) {
    const methods = owner as Record<string, (...args: unknown[]) => unknown>
    const original = methods[member] as (...args: unknown[]) => unknown
    methods[member] = function (this: unknown, ...args: unknown[]) {
      attempts.push(name)
      return original.apply(this, args)
    }
    t.teardown(() => {
      methods[member] = original
    })
  }

  const verifier = createInProcessVerifier(TEST_SETTINGS, undefined, () =>
    Date.parse('2021-12-10T00:00:00Z')
  )
  const { inject } = await createRekorApp(t, { verifier })
  const post = (url: string, body: unknown) => inject({ method: 'POST', url, body })

  for (const name of NAMES) {
    const { proposedEntry } = computedVector(name)
    const odd: string[] = []
    let refused = 0
    for (const [what, spec] of withAddresses(proposedEntry.spec, address)) {
      const body = { ...proposedEntry, spec, url: address }
      const { status } = await post(ENTRIES, body)
      const looked = await post(RETRIEVE, { entries: [body] })
      if (status >= 400 && status !== 409) refused++
      if (![201, 400, 409].includes(status) || ![200, 400].includes(looked.status)) {
        odd.push(`${what}: ${status}, ${looked.status}`)
      }
    }
    t.strictSame(odd, [], name)
    t.ok(
      refused > 0,
      `${name}: an address does not stand for what it leads to (${refused} refused)`
    )
  }

  for (const format of ['x509', 'pgp', 'minisign', 'ssh', 'tuf']) {
    const content = Buffer.from(address).toString('base64')
    for (const publicKey of [
      { format, url: address },
      { format, URL: address, content: '' },
      { format, content },
      { format, content: null, url: address }
    ]) {
      const answer = await post(INDEX, { publicKey, url: address })
      t.strictSame(
        answer.json,
        { code: 400, message: 'public key provided could not be parsed' },
        JSON.stringify(publicKey)
      )
    }
    t.equal((await post(INDEX, { publicKey: { url: address } })).status, 422, 'no format')
    t.equal((await post(INDEX, { publicKey: address })).status >= 400, true, 'a bare address')
  }

  t.strictSame(attempts, [])
  t.equal(connections, 0)

  // The watch sees what it is there for.
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'close')
  await fetch('data:,nothing')
  t.strictSame(attempts, ['connect', 'fetch'])
  t.equal(connections, 1)
})

t.test('what reads entries knows no network', async (t) => {
  const folders = ['encoding', 'archive', 'merkle', 'keys', 'x509', 'entries', 'rekor']
  const network = /from 'node:(net|tls|http|https|http2|dns|dns\/promises|dgram)'|\bfetch\(/
  let files = 0
  for (const folder of folders) {
    const root = new URL(`../../src/${folder}/`, import.meta.url)
    for (const name of readdirSync(root, { recursive: true }) as string[]) {
      if (!name.endsWith('.ts')) continue
      files++
      const source = readFileSync(new URL(name, root), 'utf8')
      if (network.test(source)) t.fail(`${folder}/${name} can ask others`)
    }
  }
  t.ok(files > 100, `${files} files`)
})
