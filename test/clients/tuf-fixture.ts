import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

/** A TUF mirror over files in memory. */
export interface TufMirror {
  readonly url: string
  /** First root, the file a client is given. */
  readonly root: string
  close(): Promise<void>
}

const VALID_MS = 86_400_000

/**
 * The least TUF repository that clients accept: one Ed25519 key for all four roles, version 1 of each, consistent
 * snapshots. Made here, so that these tests need nothing of the server under test for it.
 *
 * @param targets content by name
 */
export async function startTufMirror(
  targets: Readonly<Record<string, string>>
): Promise<TufMirror> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw } }
  const keyId = sha256(canonical(key))
  const role = { keyids: [keyId], threshold: 1 }
  const expires = new Date(Date.now() + VALID_MS).toISOString().replace(/\.\d+Z$/, 'Z')
  const metadata = (type: string, content: object): string =>
    signed(privateKey, keyId, {
      _type: type,
      spec_version: '1.0.31',
      version: 1,
      expires,
      ...content
    })

  const root = metadata('root', {
    consistent_snapshot: true,
    keys: { [keyId]: key },
    roles: { root: role, targets: role, snapshot: role, timestamp: role }
  })
  const targetFiles = Object.fromEntries(
    Object.entries(targets).map(([name, content]) => [
      name,
      { length: Buffer.byteLength(content), hashes: { sha256: sha256(content) } }
    ])
  )
  const targetsFile = metadata('targets', { targets: targetFiles })
  const snapshot = metadata('snapshot', { meta: { 'targets.json': metaOf(targetsFile) } })
  const timestamp = metadata('timestamp', { meta: { 'snapshot.json': metaOf(snapshot) } })

  const files = new Map([
    ['/root.json', root],
    ['/1.root.json', root],
    ['/1.targets.json', targetsFile],
    ['/1.snapshot.json', snapshot],
    ['/timestamp.json', timestamp],
    ...Object.entries(targets).flatMap(([name, content]): [string, string][] => [
      [`/targets/${sha256(content)}.${name}`, content],
      [`/targets/${name}`, content]
    ])
  ])
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '')
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    root,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

function signed(privateKey: KeyObject, keyId: string, content: object): string {
  const sig = sign(null, Buffer.from(canonical(content)), privateKey).toString('hex')
  return JSON.stringify({ signatures: [{ keyid: keyId, sig }], signed: content })
}

function metaOf(file: string): object {
  return { version: 1, length: Buffer.byteLength(file), hashes: { sha256: sha256(file) } }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** OLPC canonical JSON: names in order, no blanks, and in texts only quote and backslash escaped. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${canonical(name)}:${canonical(member)}`).join(',')}}`
}
