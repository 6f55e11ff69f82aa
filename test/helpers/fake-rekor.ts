import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeHex } from '../../src/encoding/hex.js'
import { at, referenceLeafHash, referenceTree } from './rfc6962.js'

/** One tree of the fake log, with a key of its own. */
export interface FakeTree {
  readonly treeId: string
  readonly leaves: readonly string[]
  readonly offset: number
  readonly publicKeyPem: string
  readonly logId: string
  info(): Record<string, unknown>
  entry(leafIndex: number): Record<string, Record<string, unknown>>
  entryId(leafIndex: number): string
  proof(firstSize: number, lastSize: number): Record<string, unknown>
}

const HOST = 'fake.test'

/** A tree as an honest log would show it, by the literal RFC; written for tests, sharing no code with src. */
export function fakeTree(treeId: string, leaves: readonly string[], offset = 0): FakeTree {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const logId = createHash('sha256').update(spki).digest('hex')
  const hashes = leaves.map((leaf) => referenceLeafHash(Buffer.from(leaf)))
  const tree = referenceTree(hashes)
  const size = leaves.length
  const root = tree.mth(0, size)
  const checkpoint = signNote(privateKey, spki, treeId, size, root)
  const entryId = (leafIndex: number): string =>
    BigInt(treeId).toString(16).padStart(16, '0') + encodeHex(at(hashes, leafIndex))

  return {
    treeId,
    leaves,
    offset,
    logId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    entryId,
    info: () => ({
      treeID: treeId,
      treeSize: size,
      rootHash: encodeHex(root),
      signedTreeHead: checkpoint
    }),
    entry(leafIndex) {
      const body = Buffer.from(at(leaves, leafIndex)).toString('base64')
      const integratedTime = 1_700_000_000 + leafIndex
      const logIndex = offset + leafIndex
      const promise = `{"body":"${body}","integratedTime":${integratedTime},"logID":"${logId}","logIndex":${logIndex}}`
      return {
        [entryId(leafIndex)]: {
          body,
          integratedTime,
          logID: logId,
          logIndex,
          verification: {
            inclusionProof: {
              checkpoint,
              hashes: tree.path(leafIndex, size).map(encodeHex),
              logIndex: leafIndex,
              rootHash: encodeHex(root),
              treeSize: size
            },
            signedEntryTimestamp: sign('sha256', Buffer.from(promise), privateKey).toString(
              'base64'
            )
          }
        }
      }
    },
    proof: (firstSize, lastSize) => ({
      rootHash: encodeHex(root),
      hashes: referenceTree(hashes.slice(0, lastSize)).proof(firstSize, lastSize).map(encodeHex)
    })
  }
}

function signNote(
  key: KeyObject,
  spki: Buffer,
  treeId: string,
  size: number,
  root: Uint8Array
): string {
  const body = `${HOST} - ${treeId}\n${size}\n${Buffer.from(root).toString('base64')}\n`
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 4)
  const signature = Buffer.concat([keyId, sign('sha256', Buffer.from(body), key)])
  return `${body}\n— ${HOST} ${signature.toString('base64')}\n`
}

/** What a request is answered with. */
export interface FakeAnswer {
  readonly status?: number
  readonly type?: string
  readonly body: string
}

export interface FakeServer {
  readonly url: string
  /** `METHOD path body`, in order. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** A server of these trees, the last one active, as far as the client asks. */
export async function serveFake(
  trees: readonly FakeTree[],
  tamper: (path: string, answer: unknown) => unknown = (_path, answer) => answer
): Promise<FakeServer> {
  return serveAnswers((_method, path) => {
    const answer = answerOf(trees, new URL(path, 'http://localhost'))
    if (answer === undefined) return { status: 404, body: '' }
    const changed = tamper(path, answer)
    return typeof changed === 'string'
      ? { type: 'application/x-pem-file', body: changed }
      : { body: JSON.stringify(changed) }
  })
}

function answerOf(trees: readonly FakeTree[], { pathname, searchParams }: URL): unknown {
  const active = at(trees, trees.length - 1)
  const wanted = trees.find(({ treeId }) => treeId === searchParams.get('treeID')) ?? active
  if (pathname === '/api/v1/log') {
    return { ...active.info(), inactiveShards: trees.slice(0, -1).map((tree) => tree.info()) }
  }
  if (pathname === '/api/v1/log/publicKey') return wanted.publicKeyPem
  if (pathname === '/api/v1/log/proof') {
    return wanted.proof(Number(searchParams.get('firstSize')), Number(searchParams.get('lastSize')))
  }
  if (pathname === '/api/v1/index/retrieve') return [active.entryId(0), active.entryId(1)]
  for (const tree of trees) {
    for (let leafIndex = 0; leafIndex < tree.leaves.length; leafIndex++) {
      const byIndex = searchParams.get('logIndex') === String(tree.offset + leafIndex)
      const id = pathname.split('/').at(-1) ?? ''
      if (byIndex || (id.length >= 64 && tree.entryId(leafIndex).endsWith(id.toLowerCase()))) {
        return tree.entry(leafIndex)
      }
    }
  }
  return undefined
}

/** A server that answers as it is told. */
export async function serveAnswers(
  answer: (method: string, path: string) => FakeAnswer | Promise<FakeAnswer>
): Promise<FakeServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '' } = request
      requests.push(`${method} ${url} ${Buffer.concat(chunks).toString()}`.trim())
      void Promise.resolve(answer(method, url)).then(
        ({ status = 200, type = 'application/json', body }) => {
          response.writeHead(status, { 'content-type': type }).end(body)
        }
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
