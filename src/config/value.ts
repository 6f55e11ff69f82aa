import { LogError } from '../errors.js'
import type { Address, ConfigKey } from './schema.js'

/** A value as the file, where it has a type, or as text from the environment or a flag. */
export type RawValue = { readonly text: string } | { readonly value: unknown }

/**
 * Reads one value strictly; nothing is coerced except text into the type of the key.
 * @returns what `Config` holds for this key
 * @throws LogError `invalid_request`, the message continuing the name of the key: `must be … (got …)`
 */
export function readValue(key: ConfigKey, raw: RawValue): unknown {
  switch (key.type) {
    case 'text':
    case 'path':
    case 'secret':
      return readText(key, raw)
    case 'url':
      return readUrl(raw)
    case 'boolean':
      return readBoolean(raw)
    case 'integer':
      return readInteger(key, raw)
    case 'choice':
      return readChoice(key.choices, stringOf(raw), raw)
    case 'list':
      return readList(key.choices, raw)
    case 'address':
      return readAddress(raw, 'host:port')
    case 'optionalAddress':
      return isOff(raw) ? undefined : readAddress(raw, 'host:port or off')
  }
}

/** `host:port`, with brackets round an IPv6 literal. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function readText(key: ConfigKey, raw: RawValue): string {
  const text = stringOf(raw)
  const wanted = key.type === 'path' ? 'a path' : 'text of at least one character'
  if (text === undefined || text === '' || text.includes('\0')) {
    throw problem(wanted, key.type === 'secret' ? undefined : raw)
  }
  return text
}

function readUrl(raw: RawValue): string {
  const text = stringOf(raw)
  const wanted = 'an http or https URL without user, query and fragment'
  if (text === undefined || !URL.canParse(text)) throw problem(wanted, raw)
  const url = new URL(text)
  const plain =
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    !/[?#\s]/.test(text)
  if (!plain) throw problem(wanted, raw)
  return url.href.replace(/\/+$/, '')
}

function readBoolean(raw: RawValue): boolean {
  if ('value' in raw && typeof raw.value === 'boolean') return raw.value
  if ('text' in raw && (raw.text === 'true' || raw.text === 'false')) return raw.text === 'true'
  throw problem('true or false', raw)
}

function readInteger(key: ConfigKey & { readonly type: 'integer' }, raw: RawValue): number {
  const value = 'value' in raw ? raw.value : /^-?\d{1,16}$/.test(raw.text) ? Number(raw.text) : NaN
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw problem('an integer', raw)
  if (value < key.min) throw problem(`>= ${key.min}`, raw)
  if (value > key.max) throw problem(`<= ${key.max}`, raw)
  return value
}

function readChoice(choices: readonly string[], text: string | undefined, raw: RawValue): string {
  if (text === undefined || !choices.includes(text)) {
    throw problem(`one of ${choices.join(', ')}`, raw)
  }
  return text
}

function readList(choices: readonly string[], raw: RawValue): readonly string[] {
  const items: unknown = 'value' in raw ? raw.value : raw.text.split(',').map((item) => item.trim())
  if (!Array.isArray(items) || items.length === 0) throw problem('a list of names', raw)
  const names = items.map((item: unknown) =>
    readChoice(choices, typeof item === 'string' ? item : undefined, { value: item })
  )
  if (new Set(names).size !== names.length) throw problem('a list without repetition', raw)
  return names
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.]+)?)\]|([^\s:[\]/?#@]+)):(\d{1,5})$/

function readAddress(raw: RawValue, wanted: string): Address {
  const match = ADDRESS.exec(stringOf(raw) ?? '')
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) throw problem(wanted, raw)
  return { host, port }
}

function isOff(raw: RawValue): boolean {
  const text = stringOf(raw)
  return text === '' || text === 'off'
}

function stringOf(raw: RawValue): string | undefined {
  if ('text' in raw) return raw.text
  return typeof raw.value === 'string' ? raw.value : undefined
}

function problem(wanted: string, raw: RawValue | undefined): LogError {
  const got = raw === undefined ? '' : ` (got ${show('text' in raw ? raw.text : raw.value)})`
  return new LogError('invalid_request', `must be ${wanted}${got}`)
}

const MAX_SHOWN = 60

/** A value in a message: its JSON, cut. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
