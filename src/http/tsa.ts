import type { FastifyInstance } from 'fastify'
import { encodeUtf8 } from '../encoding/text.js'
import type { ApiRequest } from '../metrics.js'
import type { TimestampAuthority } from '../tsa/contract.js'
import { parseTimestampRequest, type TimestampRequest } from '../x509/timestamp-request.js'
import type { Contract } from './contract.js'
import { mediaTypeOf, unsupportedMediaType } from './negotiation.js'
import { brokenRule } from './refused-request.js'
import { onRequestOver } from './request-log.js'
import { sendTsaError, TSA_MEDIA_TYPES } from './tsa-errors.js'
import { parseJsonTimestampRequest } from './tsa-request.js'

export interface TsaOptions {
  readonly contract: Contract
  readonly authority: Pick<TimestampAuthority, 'issue' | 'chainPem'>
  /** Larger ones are refused. */
  readonly maxRequestBodyBytes: number
  /** Of a timestamp. 201 is what authorities answered before their version 2; some clients take 200 only. */
  readonly successStatus: 200 | 201
  /** Told of every request to this API, once it is over. */
  readonly onRequestDone?: (request: ApiRequest) => void
}

const REPLY = 'application/timestamp-reply'
const PEM_CHAIN = 'application/pem-certificate-chain'

/** Every timestamp is new. */
const NO_CACHE = {
  'cache-control': 'no-cache, no-store, no-transform, must-revalidate, private, max-age=0',
  pragma: 'no-cache',
  expires: 'Thu, 01 Jan 1970 00:00:00 GMT'
}

/** Upstream's. A day after a rotation nobody is told the old chain any more. */
const CACHE_CHAIN = 'max-age=86400, immutable'

/** API of the timestamp authority. Paths and schemas live in openapi/tsa.yaml. */
export async function tsa(app: FastifyInstance, options: TsaOptions): Promise<void> {
  const { contract, authority, maxRequestBodyBytes, successStatus, onRequestDone } = options

  // Bodies stay bytes, and their type is judged here, where an empty one comes first.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler(sendTsaError)
  if (onRequestDone !== undefined) {
    onRequestOver(app, ({ request, code, seconds }) => {
      const { method, routeOptions } = request
      onRequestDone({ path: routeOptions.url ?? '', method, code, seconds })
    })
  }

  app.route({
    ...contract.route('getTimestampResponse', async (request, reply) => {
      const body = request.body as Uint8Array | null | undefined // see the content type parser
      if (body === undefined || body === null || body.length === 0) {
        throw brokenRule('required', 'request', 'body', 'is required')
      }
      const response = await authority.issue(readRequest(mediaTypeOf(request.headers), body))
      return reply.code(successStatus).header('content-type', REPLY).send(response)

      function readRequest(mediaType: string, bytes: Uint8Array): TimestampRequest {
        switch (mediaType) {
          case TSA_MEDIA_TYPES.der:
            return parseTimestampRequest(bytes)
          case TSA_MEDIA_TYPES.json:
            return parseJsonTimestampRequest(bytes)
          default:
            throw unsupportedMediaType(request.headers, Object.values(TSA_MEDIA_TYPES))
        }
      }
    }),
    bodyLimit: maxRequestBodyBytes,
    onRequest: (_request, reply, done) => {
      reply.headers(NO_CACHE)
      done()
    }
  })

  app.route(
    contract.route('getTimestampCertChain', async (_request, reply) =>
      reply
        .header('content-type', PEM_CHAIN)
        .header('cache-control', CACHE_CHAIN)
        .send(encodeUtf8(authority.chainPem()))
    )
  )
}
