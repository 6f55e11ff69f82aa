import type { IncomingHttpHeaders } from 'node:http'
import { quoted, RefusedRequest } from './refused-request.js'

/** The media type a request says its body has; without a word from it, unknown bytes. */
export function mediaTypeOf(headers: IncomingHttpHeaders): string {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  return type.trim().toLowerCase() || 'application/octet-stream'
}

export function unsupportedMediaType(
  headers: IncomingHttpHeaders,
  allowed: readonly string[]
): RefusedRequest {
  const text = `unsupported media type ${quoted(mediaTypeOf(headers))}, only [${allowed.join(' ')}] are allowed`
  return new RefusedRequest(415, 415, text)
}

/**
 * Refuses a request whose `Accept` header excludes everything the operation produces.
 *
 * @throws RefusedRequest 406
 */
export function assertAcceptable(accept: string | undefined, produces: readonly string[]): void {
  if (accept === undefined || accept === '*/*' || produces.length === 0) return
  const ranges = accept.split(',').map(readRange)
  if (ranges.every(({ range }) => range === '')) return
  const isAcceptable = produces.some((type) =>
    ranges.some(({ range, isExcluded }) => !isExcluded && matches(range, type))
  )
  if (isAcceptable) return
  throw new RefusedRequest(
    406,
    406,
    `unsupported media type requested, only [${produces.join(' ')}] are available`
  )
}

function readRange(text: string): { readonly range: string; readonly isExcluded: boolean } {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  return { range, isExcluded: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) }
}

function matches(range: string, type: string): boolean {
  return (
    range === '*/*' ||
    range === type ||
    (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
  )
}
