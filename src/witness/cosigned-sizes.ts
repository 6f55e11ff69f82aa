import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import { isTreeSize } from '../merkle/tiles.js'
import type { Register } from '../store/log-store.js'
import { originHashOf } from './witness-state.js'

/** Size of our tree that each witness cosigned last, as far as we know: where its next proof begins. */
export interface CosignedSizes {
  /** 0 where nothing is known: the witness tells. */
  get(witness: string): Promise<number>
  set(witness: string, treeSize: number): void
  /** Makes durable what was set. */
  save(): Promise<void>
}

const VERSION = 1
const MAX_TRIES = 10

/**
 * Sizes in one cell of the register. They spare a question to each witness after a start, and tell a log that was restored from an
 * old copy, if the register is newer.
 *
 * Its functions throw LogError `integrity` when what is kept is damaged, `conflict` when it is written by others all the time.
 *
 * @param origin of our log
 */
export function createCosignedSizes(
  register: Pick<Register, 'read' | 'swap'>,
  origin: string
): CosignedSizes {
  const cell = `witness/cosigned/${originHashOf(origin)}`
  const changed = new Map<string, number>()
  let known: ReadonlyMap<string, number> | undefined

  return {
    async get(witness) {
      known ??= parseSizes(await register.read(cell))
      return changed.get(witness) ?? known.get(witness) ?? 0
    },
    set(witness, treeSize) {
      changed.set(witness, treeSize)
    },
    async save() {
      if (changed.size === 0) return
      const saving = new Map(changed)
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const stored = await register.read(cell)
        const next = new Map([...parseSizes(stored), ...saving])
        if (!(await register.swap(cell, stored, formatSizes(next)))) continue
        known = next
        for (const [witness, treeSize] of saving) {
          // Unless it was set again meanwhile.
          if (changed.get(witness) === treeSize) changed.delete(witness)
        }
        return
      }
      throw new LogError('conflict', 'what witnesses cosigned is written by others all the time')
    }
  }
}

function formatSizes(sizes: ReadonlyMap<string, number>): Uint8Array {
  return encodeUtf8(JSON.stringify({ version: VERSION, sizes: Object.fromEntries(sizes) }))
}

function parseSizes(bytes: Uint8Array | undefined): ReadonlyMap<string, number> {
  if (bytes === undefined) return new Map()
  const value = readJson(bytes)
  if (!isJsonObject(value) || value.version !== VERSION || !isJsonObject(value.sizes)) {
    throw damaged()
  }
  const sizes = new Map<string, number>()
  for (const [witness, size] of Object.entries(value.sizes)) {
    if (typeof size !== 'number' || !isTreeSize(size)) throw damaged()
    sizes.set(witness, size)
  }
  return sizes
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw damaged(err)
  }
}

function damaged(cause?: unknown): LogError {
  return new LogError('integrity', 'what is kept of the sizes that witnesses cosigned is damaged', {
    cause
  })
}
