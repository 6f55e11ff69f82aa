import { readFileSync } from 'node:fs'
import type { LogKey } from '../client/log-key.js'
import { parseLogKeys, selectLogKey } from '../client/log-key.js'
import { type RekorClient, createRekorClient } from '../client/rekor-client.js'
import { isLogError } from '../errors.js'
import { type CommandCall, type FlagSpec, UsageError } from './command.js'

/** Flags of the commands that ask a server. */
export const REMOTE_FLAGS: readonly FlagSpec[] = [
  { name: 'server', value: 'URL', meaning: 'Base URL of the server. Default: publicUrl.' },
  {
    name: 'log-key',
    value: 'FILE',
    meaning:
      'Public key of the log in PEM, from a source you trust; several after each other if it ever ' +
      'changed. Without it the server is believed which key is its own.'
  },
  { name: 'timeout-ms', value: 'N', meaning: 'How long one answer may take. Default: 30000.' }
]

/** Configuration that finds the server when `--server` is not given. */
export const REMOTE_CONFIG = ['publicUrl', 'listen'] as const

/** A server and whose signatures to accept from it. */
export interface Remote {
  readonly client: RekorClient
  /** Whether the key came from the user rather than from the server itself. */
  readonly isPinned: boolean
  /**
   * Key of a tree.
   * @param logId that the answer claims; undefined where it claims none
   * @throws LogError `verification_failed` when it is not among the pinned ones
   */
  keyOf(treeId: string, logId: Uint8Array | undefined): Promise<LogKey>
  /** Pinned keys; none when unpinned. */
  readonly pinned: readonly LogKey[]
}

/** @throws UsageError for a bad flag or key file */
export function connectRemote({ flags, loadConfig, note }: CommandCall): Remote {
  const baseUrl = serverOf(flags.get('server')) ?? loadConfig().publicUrl
  const client = createRekorClient({ baseUrl, timeoutMs: timeoutOf(flags.get('timeout-ms')) })
  const keyFile = flags.get('log-key')
  if (keyFile === undefined) {
    note(`the log key is whatever ${baseUrl} says: pin it with --log-key`)
    return { client, isPinned: false, pinned: [], keyOf: (treeId) => client.publicKey(treeId) }
  }
  const pinned = readLogKeys(keyFile)
  return {
    client,
    isPinned: true,
    pinned,
    keyOf: async (treeId, logId) =>
      selectLogKey(pinned, logId ?? (await client.publicKey(treeId)).logId)
  }
}

export function serverOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError(`--server must be an http or https URL (got ${text})`)
  }
  return text.replace(/\/+$/, '')
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return 30_000
  // What setTimeout can hold.
  return parseCount(text, '--timeout-ms', 1, 2 ** 31 - 1)
}

function readLogKeys(fileName: string): readonly LogKey[] {
  return readArgument(`--log-key: ${fileName}`, () =>
    parseLogKeys(readInputFile(fileName, '--log-key'))
  )
}

/**
 * Runs a strict parser over what the user gave: what it refuses is a mistake in the command line.
 * @param what begins the message
 */
export function readArgument<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (err) {
    if (!isLogError(err)) throw err
    throw new UsageError(`${what}: ${err.message}`, { cause: err })
  }
}

/** Bytes of a file that a flag names. @throws UsageError */
export function readInputFile(fileName: string, flag: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(fileName))
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException
    throw new UsageError(`${flag}: cannot read ${fileName}: ${code}`, {
      cause: err
    })
  }
}

/** A decimal number from the command line. @throws UsageError */
export function parseCount(
  text: string,
  name: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER
): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${name} must be a number from ${min} to ${max} (got ${text})`)
  }
  return value
}
