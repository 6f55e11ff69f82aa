import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { CtLogView, CtService, SubmissionKind } from '../ct/contract.js'
import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { LogError } from '../errors.js'
import { renderSctJson } from '../x509/sct-json.js'
import type { Contract } from './contract.js'
import { sendCtError } from './ct-errors.js'
import { sendJson } from './json-reply.js'
import { ignoreMediaTypes } from './any-media-type.js'

export interface CtV1Options {
  readonly contract: Contract
  readonly ct: CtService
}

/** A chain of ten certificates of the largest size does not fit; ten of ordinary size fit ten times. */
export const MAX_CT_BODY_BYTES = 1024 * 1024

const HASH_BYTES = 32

/** Full answers never change; a short one may be longer in a minute. */
const CACHE_FULL = 'public, max-age=86400'
const CACHE_SHORT = 'public, max-age=60'

type Handle = (log: CtLogView, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** API of RFC 6962 section 4. Paths and schemas live in openapi/ct.yaml. */
export async function ctV1(app: FastifyInstance, { contract, ct }: CtV1Options): Promise<void> {
  ignoreMediaTypes(app)
  app.setErrorHandler((err, request, reply) => {
    sendCtError(err, request, reply, { maxBodyBytes: MAX_CT_BODY_BYTES })
  })

  /** One operation under both addresses. */
  function route(operationId: string, handle: Handle): void {
    const handler =
      (find: (request: FastifyRequest) => CtLogView): RouteHandlerMethod =>
      (request, reply) =>
        handle(find(request), request, reply)
    const options = { bodyLimit: MAX_CT_BODY_BYTES }
    app.route({
      ...contract.route(
        operationId,
        handler(() => ct.active)
      ),
      ...options
    })
    const named = (request: FastifyRequest): CtLogView => {
      const { logName } = request.params as { logName: string } // as the path has it
      const log = ct.find(logName)
      if (log === undefined) throw new LogError('not_found', 'there is no log of this name')
      return log
    }
    app.route({ ...contract.route(`${operationId}OfLog`, handler(named)), ...options })
  }

  function submission(operationId: string, kind: SubmissionKind): void {
    route(operationId, async (log, request, reply) => {
      if (log.treeId !== ct.active.treeId) {
        throw new LogError('log_frozen', 'this log takes no more entries')
      }
      const sct = await ct.submit(kind, readChain(request.body as Uint8Array | undefined))
      return sendJson(reply, renderSctJson(sct))
    })
  }

  submission('addChain', 'certificate')
  submission('addPreChain', 'precertificate')

  route('getSth', async (log, _request, reply) => {
    const { treeSize, timestampMs, rootHash, treeHeadSignature } = log.signedTreeHead()
    return sendJson(reply, {
      tree_size: treeSize,
      timestamp: timestampMs,
      sha256_root_hash: encodeBase64(rootHash),
      tree_head_signature: encodeBase64(treeHeadSignature)
    })
  })

  route('getSthConsistency', async (log, request, reply) => {
    const proof = await log.proveConsistency(number(request, 'first'), number(request, 'second'))
    return sendJson(reply, { consistency: proof.map(encodeBase64) })
  })

  route('getProofByHash', async (log, request, reply) => {
    const hash = decodeBase64(parameter(request, 'hash'), "parameter 'hash'")
    if (hash.length !== HASH_BYTES) {
      throw invalid(`parameter 'hash' has ${hash.length} bytes, not ${HASH_BYTES}`)
    }
    const { leafIndex, auditPath } = await log.proveByHash(hash, number(request, 'tree_size'))
    return sendJson(reply, { leaf_index: leafIndex, audit_path: auditPath.map(encodeBase64) })
  })

  route('getEntries', async (log, request, reply) => {
    const start = number(request, 'start')
    const end = number(request, 'end')
    const entries = await log.entries(start, end)
    const isFull = entries.length === end - start + 1
    reply.header('cache-control', isFull ? CACHE_FULL : CACHE_SHORT)
    return sendJson(reply, {
      entries: entries.map(({ leafInput, extraData }) => ({
        leaf_input: encodeBase64(leafInput),
        extra_data: encodeBase64(extraData)
      }))
    })
  })

  route('getRoots', async (_log, _request, reply) =>
    sendJson(reply, { certificates: ct.roots().map(encodeBase64) })
  )

  route('getEntryAndProof', async (log, request, reply) => {
    const { leafInput, extraData, auditPath } = await log.entryAndProof(
      number(request, 'leaf_index'),
      number(request, 'tree_size')
    )
    return sendJson(reply, {
      leaf_input: encodeBase64(leafInput),
      extra_data: encodeBase64(extraData),
      audit_path: auditPath.map(encodeBase64)
    })
  })
}

/** `{"chain": ["<base64 DER>", …]}` */
function readChain(body: Uint8Array | undefined): readonly Uint8Array[] {
  if (body === undefined || body.length === 0) throw invalid('the body is empty')
  const value = parseJson(body)
  if (!isJsonObject(value)) throw invalid('the body is not a JSON object')
  const { chain } = value
  if (!Array.isArray(chain)) throw invalid('chain is not a list')
  return chain.map((item, i) => {
    if (typeof item !== 'string') throw invalid(`chain[${i}] is not text`)
    return decodeBase64(item, `chain[${i}]`)
  })
}

function parameter(request: FastifyRequest, name: string): string {
  const value = (request.query as Readonly<Record<string, unknown>>)[name]
  if (value === undefined || value === '') throw invalid(`parameter '${name}' is required`)
  if (typeof value !== 'string') throw invalid(`parameter '${name}' is repeated`)
  return value
}

/** A size or an index. */
function number(request: FastifyRequest, name: string): number {
  const text = parameter(request, name)
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) {
    throw invalid(`parameter '${name}' is not a number from 0 to ${Number.MAX_SAFE_INTEGER}`)
  }
  return value
}

function invalid(problem: string): LogError {
  return new LogError('invalid_request', problem)
}
