import { concatBytes } from '../encoding/bytes.js'
import { LogError } from '../errors.js'

/** Everything a stream of bytes gives. @throws LogError `too_large` as soon as it is more than `maxBytes` */
export async function readStream(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of stream) {
    length += part.length
    if (length > maxBytes) throw new LogError('too_large', `longer than ${maxBytes} bytes`)
    parts.push(part)
  }
  return concatBytes(...parts)
}
