/** A parsed JSON document of which tests read and change single members. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json }

/** Path of one member: names and array positions from the top. */
export type Path = readonly (string | number)[]

/** The member at `path`. @throws Error when there is none: a test that looks in the wrong place must not pass */
export function member(document: Json, path: Path): Json {
  let value: Json = document
  for (const step of path) {
    const next: Json | undefined =
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, Json>)[step]
        : undefined
    if (next === undefined) throw new Error(`no member ${path.join('.')}`)
    value = next
  }
  return value
}

/** `member` that must be a string. */
export function text(document: Json, path: Path): string {
  const value = member(document, path)
  if (typeof value !== 'string') throw new Error(`${path.join('.')} is not a string`)
  return value
}

/** A copy of the document, written as JSON, with one member changed. @throws Error when the change changes nothing */
export function withChange(document: Json, path: Path, change: (value: Json) => Json): string {
  const copy = structuredClone(document)
  const parent = member(copy, path.slice(0, -1)) as Record<string | number, Json>
  const last = path.at(-1)
  if (last === undefined) throw new Error('an empty path names no member')
  const before = member(copy, path)
  const after = change(before)
  if (after === before) throw new Error(`the change left ${path.join('.')} as it was`)
  parent[last] = after
  return JSON.stringify(copy)
}

/** Flips the lowest bit of the last byte of a base64 value: still well-formed, also as a DER signature, no longer true. */
export function flipBase64(value: Json): string {
  const bytes = Buffer.from(String(value), 'base64')
  flipLast(bytes)
  return bytes.toString('base64')
}

/** The same for hex. */
export function flipHex(value: Json): string {
  const bytes = Buffer.from(String(value), 'hex')
  flipLast(bytes)
  return bytes.toString('hex')
}

/** One more, in the spelling the number came in (protobuf JSON writes 64-bit numbers as strings). */
export function plusOne(value: Json): Json {
  return typeof value === 'string' ? String(Number(value) + 1) : Number(value) + 1
}

/** A checkpoint with one bit of its root hash changed. */
export function flipCheckpointRoot(value: Json): string {
  const lines = String(value).split('\n')
  lines[2] = flipBase64(lines[2] ?? '')
  return lines.join('\n')
}

/** A checkpoint with one bit of its signature changed. */
export function flipCheckpointSignature(value: Json): string {
  return String(value).replace(
    /^(\u2014 \S+ )(\S+)$/m,
    (_line, start: string, signature: string) => start + flipBase64(signature)
  )
}

/** A base64 entry body with one bit changed in the first hash value it states; its form stays canonical. */
export function flipBodyHash(value: Json): string {
  const body = Buffer.from(String(value), 'base64').toString('utf8')
  const changed = body.replace(
    /"value":"([0-9a-f]{64})"/,
    (_match, hash: string) => `"value":"${flipHex(hash)}"`
  )
  return Buffer.from(changed).toString('base64')
}

function flipLast(bytes: Buffer): void {
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
}
