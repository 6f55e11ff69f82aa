import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { encodeUtf8 } from '../encoding/text.js'
import type { ApiRequest } from '../metrics.js'
import { zipBootstrap } from '../trust/bootstrap-archive.js'
import type { BootstrapContent } from '../trust/bootstrap-contract.js'
import { bootstrapValue } from '../trust/bootstrap-json.js'
import { CACHE_FOREVER, NO_CACHE, sendRepresentation } from './conditional.js'
import type { Contract } from './contract.js'
import { assertAcceptable, preferredMediaType } from './negotiation.js'
import { quoted, RefusedRequest } from './refused-request.js'
import { onRequestOver } from './request-log.js'

export interface TrustOptions {
  readonly contract: Contract
  /**
   * A file of the TUF repository by its path below the address of the mirror, such as `timestamp.json` and
   * `targets/<hash>.<name>`. What is immutable never changes under its name.
   */
  readonly tufFile: (
    path: string
  ) => { readonly bytes: Uint8Array; readonly isImmutable: boolean } | undefined
  /** Asked on every request; the same object for as long as nothing changes, so that the archive is made once. */
  readonly bootstrap: () => BootstrapContent
  /** The page for people. */
  readonly renderPage: (content: BootstrapContent) => string
  /** Told of every request to this API, once it is over. */
  readonly onRequestDone?: (request: ApiRequest) => void
}

const JSON_TYPE = 'application/json'
const HTML = 'text/html'
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What a file may be called: whatever else is asked for is looked up nowhere. Longest: 64 hex, a point, a name. */
const FILE_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/

type Answer = (request: FastifyRequest, reply: FastifyReply) => FastifyReply

/** The TUF mirror and the bootstrap. Paths and schemas live in openapi/trust.yaml. */
export async function trust(app: FastifyInstance, options: TrustOptions): Promise<void> {
  const { contract, tufFile, bootstrap, renderPage, onRequestDone } = options
  const derive = deriveOnce(renderPage)

  if (onRequestDone !== undefined) {
    onRequestOver(app, ({ request, code, seconds }) => {
      const { method, routeOptions } = request
      onRequestDone({ path: routeOptions.url ?? '', method, code, seconds })
    })
  }

  route('TufMetadata', (request, reply) => sendTufFile(request, reply, fileOf(request)))
  route('TufTarget', (request, reply) => sendTufFile(request, reply, `targets/${fileOf(request)}`))
  route('BootstrapPage', (request, reply) => {
    reply.header('vary', 'Origin, Accept')
    const { accept } = request.headers
    assertAcceptable(accept, [HTML, JSON_TYPE])
    const derived = derive(bootstrap())
    const isPage = preferredMediaType(accept, [HTML, JSON_TYPE]) === HTML
    return sendRepresentation(request, reply, {
      bytes: isPage ? derived.page() : derived.json(),
      mediaType: isPage ? `${HTML}; charset=utf-8` : JSON_TYPE,
      cacheControl: NO_CACHE,
      headers: isPage ? { 'content-security-policy': CONTENT_SECURITY_POLICY } : {}
    })
  })
  route('BootstrapJson', (request, reply) =>
    sendRepresentation(request, reply, {
      bytes: derive(bootstrap()).json(),
      mediaType: JSON_TYPE,
      cacheControl: NO_CACHE
    })
  )
  route('BootstrapArchive', (request, reply) =>
    sendRepresentation(request, reply, {
      bytes: derive(bootstrap()).archive(),
      mediaType: 'application/zip',
      cacheControl: NO_CACHE,
      headers: { 'content-disposition': 'attachment; filename="bootstrap.zip"' }
    })
  )
  route('BootstrapFile', (request, reply) => {
    const name = fileOf(request)
    const file = bootstrap().files.find((candidate) => candidate.name === name)
    if (file === undefined) throw notFound(request)
    const { bytes, mediaType } = file
    return sendRepresentation(request, reply, { bytes, mediaType, cacheControl: NO_CACHE })
  })

  /** Binds both methods of a path to one answer; the server leaves out the body of a HEAD. */
  function route(name: string, answer: Answer): void {
    for (const method of ['get', 'head']) {
      app.route(
        contract.route(`${method}${name}`, async (request, reply) => answer(request, reply))
      )
    }
  }

  function sendTufFile(request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply {
    const file = tufFile(path)
    if (file === undefined) throw notFound(request)
    return sendRepresentation(request, reply, {
      bytes: file.bytes,
      mediaType: path.endsWith('.json') ? JSON_TYPE : 'application/octet-stream',
      cacheControl: file.isImmutable ? CACHE_FOREVER : NO_CACHE
    })
  }
}

/** @throws RefusedRequest 404 where it cannot be the name of a file */
function fileOf(request: FastifyRequest): string {
  const { file } = request.params as { readonly file: string } // the only parameter of these paths
  if (!FILE_NAME.test(file)) throw notFound(request)
  return file
}

function notFound(request: FastifyRequest): RefusedRequest {
  const [path = ''] = request.url.split('?')
  return new RefusedRequest(404, 404, `path ${quoted(path)} was not found`)
}

interface Derived {
  readonly page: () => Uint8Array
  readonly json: () => Uint8Array
  readonly archive: () => Uint8Array
}

/** Renders each form of a content once, when it is first asked for, and forgets it with the content. */
function deriveOnce(
  renderPage: TrustOptions['renderPage']
): (content: BootstrapContent) => Derived {
  const known = new WeakMap<BootstrapContent, Derived>()
  return (content) => {
    const found = known.get(content)
    if (found !== undefined) return found
    const made: Derived = {
      page: once(() => encodeUtf8(renderPage(content))),
      json: once(() => encodeUtf8(`${JSON.stringify(bootstrapValue(content))}\n`)),
      archive: once(() => zipBootstrap(content))
    }
    known.set(content, made)
    return made
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
