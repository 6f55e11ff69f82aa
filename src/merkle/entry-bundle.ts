import { LogError } from '../errors.js'
import {
  MAX_SHOWN_PATH,
  TILE_WIDTH,
  type TilePosition,
  formatTilePosition,
  parseTilePosition
} from './tiles.js'

/** How the entries of a log are packed into bundles, and where these are. */
export interface BundleFormat {
  /** Its bundles are at `tile/<directory>/<N>[.p/<W>]`. */
  readonly directory: string
  /** Bytes of the big-endian length before each entry. */
  readonly lengthBytes: number
  /** Longest entry. A longer one is neither packed nor unpacked, so a reader knows how long a bundle may be. */
  readonly maxEntryBytes: number
}

/**
 * The bundles every reader of tiles knows: `uint16 length || entry` for each entry and nothing else, so that no entry is
 * longer than 65,535 bytes.
 *
 * @see C2SP tlog-tiles, "Log entries"
 */
export const STANDARD_BUNDLES: BundleFormat = {
  directory: 'entries',
  lengthBytes: 2,
  maxEntryBytes: 2 ** 16 - 1
}

/**
 * Our own bundles for a Rekor v1 tree: `uint32 length || entry`, otherwise the same.
 *
 * Entries of v1 hold what was signed with (rekord, rpm, alpine, jar and cose with a PGP key ring or a chain of certificates)
 * and exceed 65,535 bytes, where the standard format has no way to write them. The specification allows another encoding
 * at another path. It has to be another path for the whole tree: bundles that are standard where all entries happen to be
 * short would end in a hole, at an entry that a stranger chose. So there is no `tile/entries/` for such a tree, and readers
 * of standard bundles find nothing instead of most.
 *
 * A bundle holds leaf values, 256 as a tile holds hashes, since that is what the tree proves. Times and promises of entries
 * are not in the leaf: who needs them asks v1's API for that entry. An entry is at most 1 MiB, which is what such a log lets in.
 */
export const LONG_BUNDLES: BundleFormat = {
  directory: 'entries-v1',
  lengthBytes: 4,
  maxEntryBytes: 2 ** 20
}

/** Length of the longest bundle of `width` entries. */
export function maxBundleBytes(format: BundleFormat, width: number): number {
  return width * (format.lengthBytes + format.maxEntryBytes)
}

/** Path of a bundle below the log's prefix, such as `tile/entries/x001/234.p/7`. @see C2SP tlog-tiles, "Log entries" */
export function formatBundlePath(format: BundleFormat, position: TilePosition): string {
  return `tile/${format.directory}/${formatTilePosition(position)}`
}

/**
 * Bundle that a path names. Only one spelling passes.
 * @throws LogError `not_found`: where no bundle of this format can be, none is
 */
export function parseBundlePath(format: BundleFormat, path: string): TilePosition {
  const prefix = `tile/${format.directory}/`
  const position = path.startsWith(prefix)
    ? parseTilePosition(path.slice(prefix.length))
    : undefined
  if (position === undefined) {
    throw new LogError('not_found', `not the path of a bundle: ${path.slice(0, MAX_SHOWN_PATH)}`)
  }
  return position
}

/**
 * Packs neighbouring leaves, the first of them at a multiple of 256.
 *
 * @param leafValues 1 to 256: there is no empty bundle
 * @throws LogError `too_large` when an entry does not fit the format, `invalid_request` for another number of them
 */
export function encodeEntryBundle(
  format: BundleFormat,
  leafValues: readonly Uint8Array[]
): Uint8Array {
  assertWidth(leafValues.length)
  const { lengthBytes, maxEntryBytes } = format
  let total = 0
  leafValues.forEach(({ length }, i) => {
    if (length > maxEntryBytes) {
      const problem = `entry ${i} of a bundle has ${length} bytes, at most ${maxEntryBytes} fit`
      throw new LogError('too_large', problem)
    }
    total += lengthBytes + length
  })
  const bundle = new Uint8Array(total)
  let offset = 0
  for (const leafValue of leafValues) {
    for (let i = lengthBytes - 1, rest = leafValue.length; i >= 0; i--) {
      bundle[offset + i] = rest % 256
      rest = Math.floor(rest / 256)
    }
    bundle.set(leafValue, offset + lengthBytes)
    offset += lengthBytes + leafValue.length
  }
  return bundle
}

/**
 * Unpacks a bundle. Says nothing about whether the entries are in a tree: see TileReader.
 *
 * @param width entries that have to be in it, 1 to 256
 * @returns leaf values in order, views of `bundle`
 * @throws LogError `invalid_request` when it ends early, goes on after the last entry, or has an entry longer than the format
 *   has, and for an impossible width
 */
export function decodeEntryBundle(
  format: BundleFormat,
  bundle: Uint8Array,
  width: number
): readonly Uint8Array[] {
  assertWidth(width)
  const { lengthBytes, maxEntryBytes } = format
  const leafValues: Uint8Array[] = []
  let offset = 0
  while (leafValues.length < width) {
    const start = offset + lengthBytes
    let length = 0
    for (; offset < start; offset++) length = length * 256 + (bundle[offset] ?? NaN)
    // A number that is not one is a length that was cut short.
    if (!(length <= bundle.length - start)) {
      throw malformed(`ends within entry ${leafValues.length} of ${width}`)
    }
    if (length > maxEntryBytes) {
      throw malformed(
        `entry ${leafValues.length} has ${length} bytes, want at most ${maxEntryBytes}`
      )
    }
    offset = start + length
    // Plain bytes, whatever came in: a copy by `slice` is one then.
    leafValues.push(new Uint8Array(bundle.buffer, bundle.byteOffset + start, length))
  }
  if (offset < bundle.length) {
    throw malformed(`${bundle.length - offset} bytes after the last of ${width} entries`)
  }
  return leafValues
}

function assertWidth(width: number): void {
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw malformed(`no bundle has ${width} entries`)
  }
}

function malformed(problem: string): LogError {
  return new LogError('invalid_request', `entry bundle: ${problem}`)
}
