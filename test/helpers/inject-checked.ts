import type { FastifyInstance } from 'fastify'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Contract, SchemaNode } from '../../src/http/contract.js'

export interface CheckedRequest {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON; text and bytes as they are. Without a content type of its own it is JSON. */
  readonly body?: unknown
}

export interface CheckedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  /** Parsed where the media type is JSON, or JSON under another name. */
  readonly json: unknown
}

export type InjectChecked = (request: CheckedRequest) => Promise<CheckedResponse>

/**
 * Sends requests to an app without a socket and holds every answer against the contract: status, media type, body,
 * headers. What the document does not allow fails the test that caused it, whatever that test was about.
 */
export function createInjectChecked(app: FastifyInstance, contract: Contract): InjectChecked {
  const check = createAnswerCheck(contract)
  return async ({ method = 'GET', url, headers = {}, body }) => {
    // Bytes that are no Buffer would be sent as JSON.
    const raw = body instanceof Uint8Array ? Buffer.from(body) : body
    const isRaw = typeof raw === 'string' || Buffer.isBuffer(raw)
    const response = await app.inject({
      method: method as 'GET', // any method at all: wrong ones are part of the tests
      url,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? {} : { payload: isRaw ? raw : JSON.stringify(body) })
    })
    const answer = {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: isJsonLike(response.body) ? (JSON.parse(response.body) as unknown) : undefined
    }
    check(method, url, answer)
    return answer
  }
}

function isJsonLike(text: string): boolean {
  return text.startsWith('{') || text.startsWith('[')
}

/** @returns a function that throws where an answer is not what the document promises */
function createAnswerCheck(
  contract: Contract
): (method: string, url: string, answer: CheckedResponse) => void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema(contract.document, 'api')
  const compiled = new Map<SchemaNode, ValidateFunction>()
  const validatorOf = (schema: SchemaNode): ValidateFunction => {
    const known = compiled.get(schema)
    if (known !== undefined) return known
    const made = ajv.compile(absoluteRefs(schema) as object)
    compiled.set(schema, made)
    return made
  }

  return (method, url, answer) => {
    const fail = (problem: string): never => {
      throw new Error(
        `${method} ${url} answered ${answer.status}, against the document: ${problem}\n${answer.text.slice(0, 400)}`
      )
    }
    if (answer.status === 204 && method === 'OPTIONS') return // a preflight: CORS, not the API
    const node = findResponse(contract, method, url, answer.status)
    if (node === undefined) return fail('no such status')

    const headers = (node.headers ?? {}) as Record<string, SchemaNode>
    for (const [name, reference] of Object.entries(headers)) {
      const header = contract.resolve(reference)
      const value = answer.headers[name.toLowerCase()]
      if (value === undefined) {
        if (header.required === true) fail(`header ${name} is missing`)
        continue
      }
      const validate = validatorOf(header.schema as SchemaNode)
      if (!validate(value)) fail(`header ${name}: ${ajv.errorsText(validate.errors)}`)
    }

    const type = answer.headers['content-type']
    const content = node.content as Record<string, SchemaNode> | undefined
    if (content === undefined) {
      if (answer.text !== '' || type !== undefined)
        fail(`has a body or a media type (${String(type)})`)
      return
    }
    const media = content[String(type)]
    if (media === undefined) return fail(`media type ${String(type)}`)
    if (method === 'HEAD') return
    const schema = contract.resolve(media.schema as SchemaNode)
    const inner = schema.contentSchema as SchemaNode | undefined
    const isJson = type === 'application/json' || inner !== undefined
    if (isJson && !answer.text.endsWith('\n')) fail('JSON without a newline at its end')
    const validate = validatorOf(inner ?? (media.schema as SchemaNode))
    if (!validate(isJson ? answer.json : answer.text)) fail(ajv.errorsText(validate.errors))
  }
}

function findResponse(
  contract: Contract,
  method: string,
  url: string,
  status: number
): SchemaNode | undefined {
  const path = (url.split('?')[0] ?? '').replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  const matching = contract.operations.filter((operation) => matches(operation.path, path))
  const named = matching.filter((operation) => operation.method === method)
  // A path without parameters goes before one with.
  const operation = named.find(({ path: template }) => template === path) ?? named[0]
  const components = contract.document.components as Record<string, Record<string, SchemaNode>>
  if (operation !== undefined) {
    const paths = contract.document.paths as Record<string, Record<string, SchemaNode>>
    const node = paths[operation.path]?.[method.toLowerCase()]
    const response = (node?.responses as Record<string, SchemaNode>)[String(status)]
    return response === undefined ? undefined : contract.resolve(response)
  }
  if (!isDecodable(path)) return status === 400 ? components.responses?.BadRequest : undefined
  const name = matching.length > 0 ? 'MethodNotAllowed' : 'PathNotFound'
  const response = components.responses?.[name]
  // An API whose own words for it are others says so.
  const expected = response?.['x-status'] ?? (matching.length > 0 ? 405 : 404)
  return status === expected ? response : undefined
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

function matches(template: string, path: string): boolean {
  const expected = template.split('/')
  const parts = path.split('/')
  return (
    expected.length === parts.length &&
    expected.every((part, i) => (part.startsWith('{') ? parts[i] !== '' : part === parts[i]))
  )
}

/** The same schema with references that hold outside the document. */
function absoluteRefs(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(absoluteRefs)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => [
      name,
      name === '$ref' && typeof value === 'string' ? `api${value}` : absoluteRefs(value)
    ])
  )
}
