import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { concatBytes } from '../encoding/bytes.js'
import { isLogError, LogError } from '../errors.js'
import { type ZipMember, zipNameText } from './zip-directory.js'

/** What all members of an archive may unpack to. Six hash functions over as much take ten seconds. */
export const MAX_UNPACKED_BYTES = 512 << 20

/** What a byte of the archive may unpack to, all in all. Text packs to a tenth, zeros to a thousandth. */
export const MAX_UNPACKED_RATIO = 200

/** What any archive may unpack to, however small it is. */
export const FREE_UNPACKED_BYTES = 16 << 20

/** Up to this declared size a member is unpacked in one call, which takes a tenth of the time of a stream. */
const MAX_BYTES_AT_ONCE = 1 << 20

const METHOD_STORED = 0
const METHOD_DEFLATED = 8

/**
 * Refuses an archive whose members declare more than one of this length may hold. Since no member gives more than it declares (see
 * readZipMember), this bounds what reading each once can cost.
 *
 * @param archiveBytes length of the whole archive
 * @throws LogError `invalid_request`
 */
export function assertUnpackedSize(members: readonly ZipMember[], archiveBytes: number): void {
  const limit = Math.min(
    MAX_UNPACKED_BYTES,
    FREE_UNPACKED_BYTES + archiveBytes * MAX_UNPACKED_RATIO
  )
  const declared = members.reduce((sum, { declaredBytes }) => sum + declaredBytes, 0)
  if (declared > limit) {
    throw new LogError(
      'invalid_request',
      `zip: members of ${declared} bytes exceed the ${limit} allowed for this archive`
    )
  }
}

/**
 * Hands the content of a member to `take`, piece by piece, and checks its size and checksum. Stops as soon as there is more than
 * was declared, and holds at most 1 MiB at once.
 *
 * @throws LogError `invalid_request` when it does not unpack to what the directory says; `unsupported` for its compression; what
 *   `take` throws, which must be a LogError
 */
export async function readZipMember(
  member: ZipMember,
  take: (piece: Uint8Array) => void
): Promise<void> {
  const { compressed, declaredBytes, method } = member
  let size = 0
  let checksum = 0
  const see = (piece: Uint8Array): void => {
    size += piece.length
    if (size > declaredBytes) throw invalid(member, `is larger than the ${declaredBytes} declared`)
    checksum = crc32(piece, checksum)
    take(piece)
  }
  if (method === METHOD_STORED) {
    see(compressed)
  } else if (method === METHOD_DEFLATED) {
    await inflate(member, see)
  } else {
    throw new LogError('unsupported', `zip: unsupported compression algorithm ${method}`)
  }
  if (size !== declaredBytes) throw invalid(member, `has ${size} of the ${declaredBytes} declared`)
  if (checksum !== member.crc32) throw invalid(member, 'has another checksum')
}

/** Content of a member in one piece. @param limit of its declared size @throws LogError as readZipMember */
export async function readWholeZipMember(member: ZipMember, limit: number): Promise<Uint8Array> {
  if (member.declaredBytes > limit) throw invalid(member, `is larger than ${limit}`)
  const pieces: Uint8Array[] = []
  await readZipMember(member, (piece) => pieces.push(piece))
  return concatBytes(...pieces)
}

async function inflate(member: ZipMember, see: (piece: Uint8Array) => void): Promise<void> {
  const { compressed, declaredBytes } = member
  try {
    if (declaredBytes <= MAX_BYTES_AT_ONCE) {
      // One byte more than declared is enough to see that it is too large.
      see(inflateRawSync(compressed, { maxOutputLength: declaredBytes + 1 }))
      return
    }
    const stream = createInflateRaw()
    stream.end(compressed)
    for await (const piece of stream) see(piece as Uint8Array) // a stream of bytes gives bytes
  } catch (err) {
    if (isLogError(err)) throw err
    throw new LogError(
      'invalid_request',
      `zip: ${zipNameText(member.name)} does not unpack to what is declared`,
      { cause: err }
    )
  }
}

function invalid({ name }: ZipMember, problem: string): LogError {
  return new LogError('invalid_request', `zip: ${zipNameText(name)} ${problem}`)
}
