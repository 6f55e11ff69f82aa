import { isJsonObject, parseJson } from '../encoding/json.js'
import { encodeUtf8 } from '../encoding/text.js'
import { isLogError, LogError } from '../errors.js'
import type { GenTimeRecord } from './contract.js'

/** Small durable cells, as the store has them. */
export interface Cells {
  read(key: string): Promise<Uint8Array | undefined>
  /** Writes only if the cell still holds `expected`; tells whether it did. */
  swap(key: string, expected: Uint8Array | undefined, next: Uint8Array): Promise<boolean>
}

const CELL = 'tsa/last-gen-time'
const VERSION = 1

/** Instances that write the same second at the same time are two or three, never this many. */
const MAX_TRIES = 10

/** The time of the last timestamp in a cell that all instances share. Its functions throw LogError `integrity`, `conflict`. */
export function createGenTimeRecord(cells: Cells): GenTimeRecord {
  return {
    read: async () => parseRecord(await cells.read(CELL)),
    async write(seconds) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const stored = await cells.read(CELL)
        const kept = parseRecord(stored)
        if (kept !== undefined && kept >= seconds) return
        if (await cells.swap(CELL, stored, formatRecord(seconds))) return
      }
      throw new LogError(
        'conflict',
        'the time of the last timestamp is written by others all the time'
      )
    }
  }
}

function formatRecord(genTimeSeconds: number): Uint8Array {
  return encodeUtf8(JSON.stringify({ version: VERSION, genTimeSeconds }))
}

function parseRecord(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined
  const value = readJson(bytes)
  if (!isJsonObject(value) || value.version !== VERSION || !isTime(value.genTimeSeconds)) {
    throw damaged()
  }
  return value.genTimeSeconds
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes)
  } catch (err) {
    if (!isLogError(err)) throw err
    throw damaged(err)
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 // an integer
}

function damaged(cause?: unknown): LogError {
  return new LogError('integrity', 'what is kept of the last timestamp is damaged', { cause })
}
