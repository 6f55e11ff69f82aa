import { decodeBase64, encodeBase64 } from '../encoding/base64.js'
import { equalBytes } from '../encoding/bytes.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import type { MetadataText, TufRepository } from './contract.js'
import { verifyRepository } from './verify-repository.js'

const FORMAT = 1

/** The repository as one cell of the register. */
export function encodeRepository(repository: TufRepository): Uint8Array {
  const { roots, targets, snapshots, timestamp, files } = repository
  const list = (texts: readonly MetadataText[]): unknown => texts.map(cell)
  return encodeUtf8(
    JSON.stringify({
      format: FORMAT,
      roots,
      targets: list(targets),
      snapshots: list(snapshots),
      timestamp: cell(timestamp),
      files: [...files]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, bytes]) => ({ name, content: encodeBase64(bytes) }))
    })
  )
}

function cell({ version, text }: MetadataText): unknown {
  return { version, text }
}

/**
 * A repository as encodeRepository wrote it, all of it verified: see verifyRepository.
 *
 * @throws LogError `integrity` naming what is wrong
 */
export function readRepository(bytes: Uint8Array): TufRepository {
  try {
    const repository = decodeRepository(bytes)
    if (!equalBytes(encodeRepository(repository), bytes)) {
      throw new LogError('integrity', 'not written as it is here')
    }
    verifyRepository(repository)
    return repository
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new LogError(
      'integrity',
      `what is kept of the TUF repository is damaged: ${err.message}`,
      {
        cause: err
      }
    )
  }
}

function decodeRepository(bytes: Uint8Array): TufRepository {
  const value = parseJson(bytes)
  if (!isJsonObject(value) || value.format !== FORMAT) throw damaged('format')
  const { roots, targets, snapshots, timestamp, files } = value
  if (!Array.isArray(roots) || !roots.every((root) => typeof root === 'string')) {
    throw damaged('roots')
  }
  return {
    roots: roots as readonly string[], // checked above
    targets: textsOf(targets, 'targets'),
    snapshots: textsOf(snapshots, 'snapshots'),
    timestamp: textOf(timestamp, 'timestamp'),
    files: filesOf(files)
  }
}

function textsOf(value: unknown, what: string): readonly MetadataText[] {
  if (!Array.isArray(value)) throw damaged(what)
  return value.map((member) => textOf(member, what))
}

function textOf(value: unknown, what: string): MetadataText {
  if (!isJsonObject(value)) throw damaged(what)
  const { version, text } = value
  if (typeof version !== 'number' || typeof text !== 'string') throw damaged(what)
  return { version, text }
}

function filesOf(value: unknown): ReadonlyMap<string, Uint8Array> {
  if (!Array.isArray(value)) throw damaged('files')
  return new Map(
    value.map((file: unknown) => {
      if (!isJsonObject(file)) throw damaged('files')
      const { name, content } = file
      if (typeof name !== 'string' || typeof content !== 'string') throw damaged('files')
      return [name, decodeBase64(content, name)] as const
    })
  )
}

function damaged(what: string): LogError {
  return new LogError('integrity', what)
}
