import { readFileSync } from 'node:fs'
import type { HTTPMethods, RouteHandlerMethod, RouteOptions } from 'fastify'
import { parse } from 'yaml'

/** A node of the document that holds JSON Schema. Keywords are looked at where they are used. */
export type SchemaNode = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: SchemaNode
}

export interface RequestBody {
  /** What messages call the body. */
  readonly name: string
  readonly mediaTypes: readonly string[]
  readonly schema: SchemaNode
}

/** One operation of the document, as far as the server needs it. */
export interface Operation {
  readonly operationId: string
  /** Upper case. */
  readonly method: string
  /** As in the document: `/api/v1/log/entries/{entryUUID}`. Also the `path` label of metrics. */
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly requestBody: RequestBody | undefined
  /** Media types of the successful answers; empty when they have no body. */
  readonly produces: readonly string[]
}

/** A binding of operations to code. A route cannot exist without an operation. */
export interface Contract {
  /** The file, byte for byte. */
  readonly yaml: string
  readonly document: SchemaNode
  readonly operations: readonly Operation[]
  /** @throws Error when the document has no such operation: a mistake in our code */
  operation(operationId: string): Operation
  /**
   * Route for an operation. Binding the same one twice is a mistake, and so is leaving one out: see `unbound`.
   */
  route(operationId: string, handler: RouteHandlerMethod): RouteOptions
  /** Operations no route was made for yet. */
  unbound(): readonly string[]
  /** What `$ref: '#/…'` points at; a node without `$ref` is returned as it is. */
  resolve(node: SchemaNode): SchemaNode
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const

/** The document of the Rekor v1 API, as shipped. */
export function loadRekorV1Contract(): Contract {
  return loadContract('rekor-v1')
}

/** That of the certificate authority. */
export function loadFulcioContract(): Contract {
  return loadContract('fulcio')
}

/** That of the certificate log. */
export function loadCtContract(): Contract {
  return loadContract('ct')
}

/** That of the timestamp authority. */
export function loadTsaContract(): Contract {
  return loadContract('tsa')
}

/** That of the TUF mirror and the bootstrap. */
export function loadTrustContract(): Contract {
  return loadContract('trust')
}

function loadContract(name: string): Contract {
  return createContract(
    readFileSync(new URL(`../../openapi/${name}.yaml`, import.meta.url), 'utf8')
  )
}

/** @throws Error where the document is not what this server can bind to */
export function createContract(yaml: string): Contract {
  const document = asNode(parse(yaml), 'document')
  const resolve = (node: SchemaNode) => resolveRef(document, node)
  const operations = readOperations(document, resolve)
  const byId = new Map(operations.map((operation) => [operation.operationId, operation]))
  if (byId.size !== operations.length) throw new Error('contract: repeated operationId')
  const unbound = new Set(byId.keys())

  function operation(operationId: string): Operation {
    const found = byId.get(operationId)
    if (found === undefined) throw new Error(`contract: no operation ${operationId}`)
    return found
  }

  return {
    yaml,
    document,
    operations,
    operation,
    resolve,
    unbound: () => [...unbound],
    route(operationId, handler) {
      const { method, path } = operation(operationId)
      if (!unbound.delete(operationId)) throw new Error(`contract: ${operationId} is bound twice`)
      return {
        method: method as HTTPMethods, // one of METHODS
        url: path.replace(/\{(\w+)\}/g, ':$1'),
        handler
      }
    }
  }
}

function readOperations(
  document: SchemaNode,
  resolve: (node: SchemaNode) => SchemaNode
): readonly Operation[] {
  const operations: Operation[] = []
  for (const [path, item] of Object.entries(asNode(document.paths, 'paths'))) {
    const methods = asNode(item, path)
    for (const method of METHODS) {
      if (methods[method] === undefined) continue
      const node = asNode(methods[method], `${method} ${path}`)
      operations.push({
        operationId: asText(node.operationId, `operationId of ${method} ${path}`),
        method: method.toUpperCase(),
        path,
        parameters: asList(node.parameters).map((parameter) => readParameter(resolve(parameter))),
        requestBody: readRequestBody(node.requestBody),
        produces: readProduces(asNode(node.responses, `responses of ${path}`), resolve)
      })
    }
  }
  return operations
}

function readParameter(node: SchemaNode): Parameter {
  const place = node.in
  if (place !== 'path' && place !== 'query') {
    throw new Error('contract: a parameter is neither in path nor in query')
  }
  return {
    name: asText(node.name, 'name of a parameter'),
    in: place,
    required: node.required === true,
    schema: asNode(node.schema, 'schema of a parameter')
  }
}

function readRequestBody(value: unknown): RequestBody | undefined {
  if (value === undefined) return undefined
  const node = asNode(value, 'requestBody')
  const content = asNode(node.content, 'content of a requestBody')
  const [first] = Object.values(content)
  return {
    name: asText(node['x-body-name'], 'x-body-name of a requestBody'),
    mediaTypes: Object.keys(content),
    schema: asNode(asNode(first, 'media type of a requestBody').schema, 'schema of a requestBody')
  }
}

function readProduces(
  responses: SchemaNode,
  resolve: (node: SchemaNode) => SchemaNode
): readonly string[] {
  const types = new Set<string>()
  for (const [status, response] of Object.entries(responses)) {
    if (!status.startsWith('2')) continue
    const { content } = resolve(asNode(response, `response ${status}`))
    if (content !== undefined) Object.keys(asNode(content, 'content')).forEach((t) => types.add(t))
  }
  return [...types]
}

function resolveRef(document: SchemaNode, node: SchemaNode): SchemaNode {
  const reference = node.$ref
  if (reference === undefined) return node
  const path = asText(reference, '$ref')
  if (!path.startsWith('#/')) throw new Error(`contract: ${path} is outside the document`)
  let target: SchemaNode = document
  for (const name of path.slice(2).split('/')) target = asNode(target[name], path)
  return resolveRef(document, target)
}

function asNode(value: unknown, what: string): SchemaNode {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`contract: ${what} is not an object`)
  }
  return value as SchemaNode // checked above
}

function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`contract: ${what} is not text`)
  return value
}

function asList(value: unknown): readonly SchemaNode[] {
  return Array.isArray(value) ? value.map((item) => asNode(item, 'list item')) : []
}
