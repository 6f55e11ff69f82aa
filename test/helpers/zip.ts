import { crc32, deflateRawSync } from 'node:zlib'

/** One member, right or wrong in any part. */
export interface ZipEntry {
  readonly name: string
  readonly content?: string | Uint8Array
  /** 0: stored, 8: deflated, which is the default. */
  readonly method?: number
  /** Bytes in place of the content as it should lie there. */
  readonly compressed?: Uint8Array
  readonly declaredBytes?: number
  readonly compressedBytes?: number
  readonly crc32?: number
  readonly flags?: number
  /** What the local header says. */
  readonly localName?: string
  readonly localMethod?: number
  readonly localSignature?: number
  readonly localExtra?: Uint8Array
  /** Where the directory says that it is. */
  readonly offset?: number
  readonly extra?: Uint8Array
  readonly comment?: string
  /** Members that lie nowhere themselves, but point to another one. */
  readonly isOnlyListed?: boolean
}

export interface ZipParts {
  readonly prefix?: Uint8Array
  readonly comment?: string
  readonly commentLength?: number
  readonly disk?: number
  readonly entriesHere?: number
  readonly entries?: number
  readonly directoryBytes?: number
  readonly directoryOffset?: number
  /** Behind the directory. */
  readonly gap?: Uint8Array
}

/** A ZIP archive to order. Names are written one byte a character. */
export function writeZip(entries: readonly ZipEntry[], parts: ZipParts = {}): Uint8Array {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '')
    const method = entry.method ?? 8
    const compressed = entry.compressed ?? (method === 8 ? deflateRawSync(content) : content)
    const local = Buffer.concat([
      fields(
        [4, entry.localSignature ?? 0x04034b50],
        [2, 20],
        [2, 8],
        [2, entry.localMethod ?? method],
        // Times and sizes: a writer that streams does not know them yet.
        [4, 0],
        [4, 0],
        [4, 0],
        [4, 0],
        [2, (entry.localName ?? entry.name).length],
        [2, entry.localExtra?.length ?? 0]
      ),
      Buffer.from(entry.localName ?? entry.name, 'latin1'),
      entry.localExtra ?? Buffer.alloc(0),
      compressed
    ])
    directory.push(
      fields(
        [4, 0x02014b50],
        [2, 20],
        [2, 20],
        [2, entry.flags ?? 8],
        [2, method],
        [4, 0],
        [4, entry.crc32 ?? crc32(content)],
        [4, entry.compressedBytes ?? compressed.length],
        [4, entry.declaredBytes ?? content.length],
        [2, entry.name.length],
        [2, entry.extra?.length ?? 0],
        [2, entry.comment?.length ?? 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, entry.offset ?? offset]
      ),
      Buffer.from(entry.name, 'latin1'),
      entry.extra ? Buffer.from(entry.extra) : Buffer.alloc(0),
      Buffer.from(entry.comment ?? '', 'latin1')
    )
    if (entry.isOnlyListed === true) continue
    locals.push(local)
    offset += local.length
  }
  const listed = Buffer.concat(directory)
  const comment = Buffer.from(parts.comment ?? '', 'latin1')
  const end = fields(
    [4, 0x06054b50],
    [2, parts.disk ?? 0],
    [2, 0],
    [2, parts.entriesHere ?? parts.entries ?? entries.length],
    [2, parts.entries ?? entries.length],
    [4, parts.directoryBytes ?? listed.length],
    [4, parts.directoryOffset ?? offset],
    [2, parts.commentLength ?? comment.length]
  )
  const { prefix = Buffer.alloc(0), gap = Buffer.alloc(0) } = parts
  return Uint8Array.from(Buffer.concat([prefix, ...locals, listed, gap, end, comment]))
}

/** Little-endian numbers of so many bytes each. */
function fields(...numbers: readonly (readonly [bytes: number, value: number])[]): Buffer {
  return Buffer.concat(
    numbers.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes)
      field.writeUIntLE(value, 0, bytes)
      return field
    })
  )
}
