import { canonicalJson, type JsonValue } from '../encoding/canonical-json.js'
import { isJsonObject, parseJson } from '../encoding/json.js'
import { isLogError } from '../errors.js'
import { type DocumentReader, readTime } from './document-reader.js'
import { formatUtcTime } from '../encoding/utc-time.js'
import { error, ok, quoted, type TrustFinding, warning } from './finding.js'

/** The root metadata of our TUF repository, as texts. */
export interface TufRoots {
  /** The newest. */
  readonly root: string
  /** Those before it, where they are at hand: with them a stale file is told from a forged one. */
  readonly earlierRoots?: readonly string[]
}

interface Root {
  readonly value: JsonValue
  readonly version: number
  readonly keyIds: readonly string[]
}

/**
 * A root.json beside ours. Signatures are not verified: a file that equals what this server publishes needs none, and any
 * other is not to be trusted for them.
 */
export function checkTufRoot(
  value: JsonValue,
  {
    reader,
    problems,
    tuf,
    nowSeconds
  }: {
    readonly reader: DocumentReader
    readonly problems: TrustFinding[]
    readonly tuf: TufRoots | undefined
    readonly nowSeconds: number
  }
): void {
  const signed = reader.object('signed')
  const type = signed?.text('_type')
  if (type !== 'root') {
    const what = type === undefined ? 'of no kind' : quoted(type)
    problems.push(
      error('signed._type', `is ${what}: clients begin with root.json, take that of this server`)
    )
    return
  }
  const version = signed?.integer('version')
  const expires = signed && readTime(signed, 'expires', problems)
  if (version === undefined || expires === undefined) {
    problems.push(error('signed', 'has no version or no expiry: take root.json of this server'))
    return
  }
  if (tuf === undefined) {
    const problem = 'is a TUF root, and there is no TUF repository here to compare it with'
    problems.push(warning('file', `${problem}: ask who runs the server`))
    return
  }
  const isCurrent = compareVersions({ value, version, keyIds: keyIdsOf(value) }, tuf, problems)
  if (expires < nowSeconds) {
    const when = `is ${formatUtcTime(expires)}, which is over`
    problems.push(
      isCurrent
        ? error('signed.expires', `${when}: whoever runs the server must sign a new root`)
        : warning('signed.expires', `${when}: take root.json of this server`)
    )
  }
}

/** @returns whether it is the newest root */
function compareVersions(root: Root, tuf: TufRoots, problems: TrustFinding[]): boolean {
  const current = readOwn(tuf.root)
  const earlier = tuf.earlierRoots?.map(readOwn)
  const where = 'signed.version'
  if (isSame(root.value, current.value)) {
    problems.push(ok('file', `is the newest TUF root of this server, version ${current.version}`))
    return true
  }
  if (earlier?.some(({ value }) => isSame(root.value, value)) === true) {
    const problem = `is ${root.version}, and the newest is ${current.version}`
    problems.push(
      warning(
        where,
        `${problem}: clients find their way, but give new ones root.json of this server`
      )
    )
    return false
  }
  const known = new Set([current, ...(earlier ?? [])].flatMap(({ keyIds }) => keyIds))
  if (!root.keyIds.some((id) => known.has(id))) {
    problems.push(
      error('signed.keys', 'are of another TUF repository: take root.json of this server')
    )
  } else if (root.version > current.version) {
    const problem = `is ${root.version}, and this server has only ${current.version}`
    problems.push(error(where, `${problem}: it lost its newest root, ask who runs it`))
  } else if (root.version < current.version && earlier === undefined) {
    const problem = `is ${root.version}, and the newest is ${current.version}`
    problems.push(warning(where, `${problem}: take root.json of this server`))
  } else {
    const problem = `is not version ${root.version} as this server published it, somebody changed it`
    problems.push(error('file', `${problem}: take root.json of this server`))
  }
  return false
}

function readOwn(text: string): Root {
  const value = parseJson(text)
  const signed = isJsonObject(value) ? value.signed : undefined
  const version = isJsonObject(signed) && typeof signed.version === 'number' ? signed.version : 0
  return { value, version, keyIds: keyIdsOf(value) }
}

function keyIdsOf(value: JsonValue): readonly string[] {
  const signed = isJsonObject(value) ? value.signed : undefined
  const keys = isJsonObject(signed) ? signed.keys : undefined
  return isJsonObject(keys) ? Object.keys(keys) : []
}

/** Spacing and order of members aside. */
function isSame(a: JsonValue, b: JsonValue): boolean {
  try {
    return canonicalJson(a) === canonicalJson(b)
  } catch (err) {
    if (isLogError(err)) return false // numbers that no root has
    throw err
  }
}
