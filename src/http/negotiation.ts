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

/**
 * What of `offered` the client wants most. Without a wish it is the first of them; the more exact of two ranges that match
 * tells how much one is wanted.
 *
 * @see RFC 9110 section 12.5.1
 */
export function preferredMediaType<Type extends string>(
  accept: string | undefined,
  offered: readonly [Type, ...Type[]]
): Type {
  const ranges = (accept ?? '').split(',').map(readRange)
  const weightOf = (type: Type): number => {
    const [best] = ranges
      .filter(({ range }) => matches(range, type))
      .sort((a, b) => exactness(b.range) - exactness(a.range))
    return best?.weight ?? 0
  }
  return offered.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best))
}

function exactness(range: string): number {
  if (range === '*/*') return 0
  return range.endsWith('/*') ? 1 : 2
}

interface MediaRange {
  readonly range: string
  /** How much it is wanted, up to 1. */
  readonly weight: number
  readonly isExcluded: boolean
}

function readRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const given = parameters.find((parameter) => /^q=(0(\.\d*)?|1(\.0*)?)$/.test(parameter))
  const weight = given === undefined ? 1 : Number(given.slice(2))
  return { range, weight, isExcluded: weight === 0 }
}

function matches(range: string, type: string): boolean {
  return (
    range === '*/*' ||
    range === type ||
    (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
  )
}
