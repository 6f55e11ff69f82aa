import type { FastifyInstance, FastifyReply } from 'fastify'
import type { CertificateAuthority, IssuedCertificate } from '../ca/contract.js'
import { encodeBase64 } from '../encoding/base64.js'
import { encodePem } from '../encoding/pem.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'
import { renderSctJson } from '../x509/sct-json.js'
import type { Contract } from './contract.js'
import { sendFulcioError } from './fulcio-errors.js'
import { parseSigningRequestV1, parseSigningRequestV2, tokenOfHeader } from './fulcio-request.js'
import { sendJson } from './json-reply.js'
import { ignoreMediaTypes } from './any-media-type.js'
import { onRequestOver } from './request-log.js'

export interface FulcioOptions {
  readonly contract: Contract
  readonly authority: CertificateAuthority
  /** Told of every request to this API, once it is over. */
  readonly onRequestDone?: (request: {
    readonly method: string
    readonly code: number
    readonly seconds: number
  }) => void
}

/** Fulcio's own limit. A request with the longest token and an RSA key takes some 70 kB. */
export const MAX_FULCIO_BODY_BYTES = 4 * 1024 * 1024

const PEM_CHAIN = 'application/pem-certificate-chain'

/** Fulcio API, versions 1 and 2. Paths and schemas live in openapi/fulcio.yaml. */
export async function fulcio(app: FastifyInstance, options: FulcioOptions): Promise<void> {
  const { contract, authority, onRequestDone } = options

  ignoreMediaTypes(app)
  app.setErrorHandler(sendFulcioError)
  if (onRequestDone !== undefined) {
    onRequestOver(app, ({ request, code, seconds }) => {
      onRequestDone({ method: request.method, code, seconds })
    })
  }

  app.route({
    ...contract.route('createSigningCertificateV2', async (request, reply) => {
      const { token, key } = parseSigningRequestV2(bodyOf(request.body))
      const { authorization } = request.headers
      const issued = await authority.issue({ token: token || tokenOfHeader(authorization), key })
      return sendJson(reply, renderIssued(issued))
    }),
    bodyLimit: MAX_FULCIO_BODY_BYTES
  })

  app.route({
    ...contract.route('createSigningCertificateV1', async (request, reply) => {
      const key = parseSigningRequestV1(bodyOf(request.body))
      const issued = await authority.issue({
        token: tokenOfHeader(request.headers.authorization),
        key
      })
      if (issued.sct !== undefined) reply.header('SCT', encodeSct(issued.sct))
      return sendPem(reply.code(201), pemChain(issued.chain))
    }),
    bodyLimit: MAX_FULCIO_BODY_BYTES
  })

  app.route(
    contract.route('getTrustBundle', async (_request, reply) =>
      sendJson(reply, {
        chains: chainsOf(authority).map((certificates) => ({ certificates }))
      })
    )
  )

  app.route(
    contract.route('getRootCertificate', async (_request, reply) =>
      sendPem(reply, chainsOf(authority).flat())
    )
  )

  app.route(
    contract.route('getConfiguration', async (_request, reply) =>
      sendJson(reply, {
        issuers: orFailed('configuration', () => authority.issuers())
      })
    )
  )
}

function chainsOf(authority: CertificateAuthority): readonly (readonly string[])[] {
  return orFailed('trustBundle', () => authority.trustBundle())
}

/** Says which part failed, for the text that clients of Fulcio know. */
function orFailed<Value>(part: 'trustBundle' | 'configuration', read: () => Value): Value {
  try {
    return read()
  } catch (err) {
    throw new LogError('internal', `${part} cannot be read: ${(err as Error).message}`, {
      cause: err,
      details: { failed: part }
    })
  }
}

/** See the content type parser; absent when there was none. */
function bodyOf(body: unknown): Uint8Array | undefined {
  return body as Uint8Array | undefined
}

function renderIssued({ chain, delivery, sct }: IssuedCertificate): object {
  const certificates = pemChain(chain)
  if (delivery === 'embedded') return { signedCertificateEmbeddedSct: { chain: { certificates } } }
  return {
    signedCertificateDetachedSct: {
      chain: { certificates },
      signedCertificateTimestamp: sct === undefined ? '' : encodeSct(sct)
    }
  }
}

function encodeSct(sct: NonNullable<IssuedCertificate['sct']>): string {
  return encodeBase64(encodeUtf8(JSON.stringify(renderSctJson(sct))))
}

/** PEM blocks without a newline at the end. */
function pemChain(chain: readonly Uint8Array[]): readonly string[] {
  return chain.map((der) => encodePem('CERTIFICATE', der).trimEnd())
}

/** Blocks with a newline between them, and none at the end. */
function sendPem(reply: FastifyReply, blocks: readonly string[]): FastifyReply {
  return reply.header('content-type', PEM_CHAIN).send(encodeUtf8(blocks.join('\n').trim()))
}
