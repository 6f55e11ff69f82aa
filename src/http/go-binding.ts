import type { FastifyRequest } from 'fastify'
import { parseJson } from '../encoding/json.js'
import { isLogError } from '../errors.js'
import type { Operation, Parameter, RequestBody } from './contract.js'
import { compileSchema, typeOf, type Resolve } from './go-schema.js'
import { brokenRule, quoted, RefusedRequest } from './refused-request.js'

/** What a request carried, held against its operation. Absent members are missing, never null. */
export interface BoundInput {
  readonly parameters: Readonly<Record<string, string | number>>
  /** Undefined where the operation takes no body. */
  readonly body: unknown
}

export type Binding = (request: Pick<FastifyRequest, 'params' | 'query' | 'body'>) => BoundInput

/**
 * Reads requests of one operation as Rekor's generated server does. Compiled once; expects the body as raw bytes.
 *
 * The returned function throws RefusedRequest, and nothing else.
 */
export function compileBinding(operation: Operation, resolve: Resolve): Binding {
  const parameters = operation.parameters.map((parameter) => ({
    name: parameter.name,
    read: compileParameter(parameter, resolve)
  }))
  const readBody =
    operation.requestBody === undefined ? undefined : compileBody(operation.requestBody, resolve)
  return (request) => {
    const values: Record<string, string | number> = {}
    for (const { name, read } of parameters) {
      const value = read(request)
      if (value !== undefined) values[name] = value
    }
    return { parameters: values, body: readBody?.(request.body) }
  }
}

function compileParameter(
  { name, in: place, required, schema }: Parameter,
  resolve: Resolve
): (request: Pick<FastifyRequest, 'params' | 'query'>) => string | number | undefined {
  const compiled = compileSchema(schema, resolve)
  const isInteger = typeOf(resolve(schema)) === 'integer'
  return (request) => {
    const all = (place === 'path' ? request.params : request.query) as Record<string, unknown>
    // Of a repeated parameter the last one counts, and an empty one is an absent one.
    const text = String([all[name]].flat().at(-1) ?? '')
    if (text === '') {
      if (required) throw brokenRule('required', name, place, 'is required')
      return undefined
    }
    if (isInteger && !/^[+-]?[0-9]+$/.test(text)) {
      throw brokenRule('type', name, place, `must be of type int64: ${quoted(text)}`)
    }
    const value = isInteger ? Number(text) : text
    compiled.check(value, name, place)
    return value
  }
}

function compileBody({ name, schema }: RequestBody, resolve: Resolve): (body: unknown) => unknown {
  const compiled = compileSchema(schema, resolve)
  // A body that is decoded by its discriminator reports decoding failures bare; every other one wraps them.
  const isDiscriminated = resolve(schema).discriminator !== undefined
  return (body) => {
    if (!(body instanceof Uint8Array) || body.length === 0) {
      throw brokenRule('required', name, 'body', 'is required')
    }
    const decoded = decodeBody(body)
    if (decoded === undefined) throw brokenRule('required', name, 'body', 'is required')
    compiled.check(decoded, '', 'body')
    return decoded
  }

  function decodeBody(body: Uint8Array): unknown {
    try {
      return compiled.decode(parseJson(body), '')
    } catch (err) {
      if (!isLogError(err) && !(err instanceof RefusedRequest)) throw err
      if (!isDiscriminated) {
        throw new RefusedRequest(
          400,
          400,
          `parsing ${name} body from "" failed, because ${err.message}`
        )
      }
      throw isLogError(err) ? new RefusedRequest(400, 400, err.message) : err
    }
  }
}
